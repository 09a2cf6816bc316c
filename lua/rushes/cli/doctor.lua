--- rushes doctor: is this machine ready? Shows no secret: of the key it says only
--- whether it is there and looks like one.
local checks = require "rushes.cli.checks"
local program = require "rushes.cli.program"
local text = require "rushes.cli.text"

local M = {
  name = "doctor",
  summary = "is this machine ready?",
  usage = "rushes doctor [--offline] [--json]",
  examples = {
    { "rushes doctor", "key, clock, network, disk, ffmpeg, versions" },
    { "rushes doctor --offline", "the same without a call to the provider" },
  },
}

function M.parser(p)
  p:flag "--offline" :description "make no network call"
  p:flag "--json" :description "JSON instead of lines"
end

local STYLE = { ok = "green", warn = "yellow", fail = "red" }

local function show(list)
  local paint, counts = text.painter(text.colour(1)), { ok = 0, warn = 0, fail = 0 }
  for _, check in ipairs(list) do
    counts[check.status] = counts[check.status] + 1
    io.stdout:write(paint(STYLE[check.status], text.pad(check.status, 4)), "  ",
      text.pad(check.name, 9), "  ", text.clean(check.text), "\n")
    if check.advice then
      io.stdout:write((" "):rep(17), paint("bold", "> "), text.clean(check.advice), "\n")
    end
  end
  io.stdout:write(("\n%d ok, %d to look at, %d to put right\n"):format(counts.ok,
    counts.warn, counts.fail))
end

---@param opts {offline?: boolean, json?: boolean}
---@return integer status  1 if something fails
function M.main(opts)
  local failed = false
  local status = program.run(function()
    local list = checks.all(opts)
    for _, check in ipairs(list) do failed = failed or check.status == "fail" end
    if opts.json then
      local json = require "rt.json"
      io.stdout:write(json.encode { schema = 1, checks = json.array(list) }, "\n")
    else
      show(list)
    end
  end, { json = opts.json, command = true })
  return status ~= 0 and status or failed and 1 or 0
end

return M
