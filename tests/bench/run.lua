--- The benchmark: every client side by side, interleaved, ratios printed.
--- lua5.4 tests/bench/run.lua [--rounds N] [--build DIR] [--strict] [SECTION ...]
package.path = "tests/bench/?.lua;" .. package.path
local rig = require "rig"
local sections = require "sections"

local USAGE = [[
usage: lua5.4 tests/bench/run.lua [--rounds N] [--build DIR] [--strict] [SECTION ...]
  --rounds N   runs of each client, the median counts (3)
  --build DIR  where the binaries are (build)
  --strict     exit status 1 when a target is missed
  sections: ]] .. table.concat(sections.order, " ")

local function fail(message)
  io.stderr:write("bench: ", message, "\n", USAGE, "\n")
  os.exit(2)
end

local function parse(argv)
  local opts = { rounds = 3, build = "build", wanted = {} }
  local i = 1
  while i <= #argv do
    local a = argv[i]
    if a == "--rounds" then
      i = i + 1
      opts.rounds = math.tointeger(tonumber(argv[i]))
      if not opts.rounds or opts.rounds < 1 then fail("--rounds takes a whole number from 1") end
    elseif a == "--build" then
      i = i + 1
      opts.build = argv[i] or fail("--build takes a folder")
    elseif a == "--strict" then
      opts.strict = true
    elseif sections[a] and a ~= "order" then
      table.insert(opts.wanted, a)
    else
      fail(("no option or section is called \"%s\""):format(a))
    end
    i = i + 1
  end
  if #opts.wanted == 0 then opts.wanted = sections.order end
  return opts
end

local function main()
  local opts = parse(arg)
  if not rig.exists(opts.build .. "/bench/server") then
    fail("there is no " .. opts.build .. "/bench/server; run make bench-tools")
  end
  local missed
  local ok, err = xpcall(function()
    rig.open(opts)
    for _, name in ipairs(opts.wanted) do
      rig.say("\n== %s", name)
      sections[name](opts.build)
    end
    missed = rig.summary()
  end, debug.traceback)
  rig.close()
  if not ok then
    io.stderr:write(err, "\n")
    os.exit(1)
  end
  os.exit(opts.strict and missed > 0 and 1 or 0)
end

main()
