--- A disk that is full: nothing more is bought, what is paid for is not forgotten, and the
--- run after it, with room again, downloads it.
local fs = require "rt.fs"
local lu = require "luaunit"
local proc = require "rt.proc"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local START = [[
local rushes = require "rushes"
local show = rushes.show { name = "night",
  policy = rushes.policy.fixed { model = "gen4.5" } }
--- Leave no byte of the disk.
local function fill()
  local filler = io.open("night/filler", "wb")
  filler:setvbuf "no"
  repeat until not filler:write(("x"):rep(512))
  filler:close()
end
]]

--- Shell commands with the folder `night` on a small disk of its own. RUN runs the script.
local function on_small_disk(s, options, source, commands)
  local words = lib.own_disk(options)
  assert(fs.mkdir(s.dir .. "/night"))
  assert(fs.write(s.dir .. "/script.lua", START .. source))
  local args = { cwd = s.dir, env = studio.env(s.sim.url), table.unpack(words) }
  local lines = commands:gsub("RUN", lib.RUSHES .. " run --no-progress script.lua")
    :gsub("STATUS", lib.RUSHES .. " status night")
  for _, word in ipairs { "sh", "-c", lines } do args[#args + 1] = word end
  return assert(proc.run(args))
end

local function count(text, pattern) return select(2, text:gsub(pattern, "")) end

function T.test_a_full_disk_stops_the_buying_and_forgets_nothing()
  studio.with({}, function(s)
    local r = on_small_disk(s, "size=4m", [[
      require("rushes.event").subscribe(function(kind)
        if kind == "submitted" and not os.getenv "AGAIN" then fill() end
      end)
      local first = show:shot { name = "a", prompt = "A street" }:shoot()
      local second = show:shot { name = "b", prompt = "A roof" }:shoot()
      print(first.status, second.status, show.ledger.reserved, show.ledger.spent)]],
      "{ RUN; rm night/filler; AGAIN=1 RUN; }")
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "failed\tfailed\t0\t60000\n" .. "landed\tlanded\t0\t120000\n")
    lu.assertStrContains(r.stderr, "Nothing more is submitted")
    lu.assertEquals(s:bill().created, 2)
  end)
end

-- Eight shots in a few slots. The disk has no room for one more file, but the journal's
-- files can grow: it is the clips that cannot be saved.
local NO_MORE_FILES = [[
require("rushes.event").subscribe(function(kind)
  if kind ~= "submitted" or os.getenv "AGAIN" then return end
  local n = 0
  repeat
    n = n + 1
    local file = io.open("night/filler" .. n, "wb")
    if file then file:close() end
  until not file
end)
for i = 1, 8 do show:shot { name = "s" .. i, prompt = "A street" } end
local takes = show:shoot()
local codes = {}
for _, take in ipairs(takes) do
  local code = take.err and take.err.code or take.status
  codes[code] = (codes[code] or 0) + 1
end
print(codes.landed or 0, codes.no_space or 0, codes.stopped or 0, show.ledger.reserved)]]

function T.test_clips_that_cannot_be_saved_stop_the_buying()
  studio.with({ tier = 1 }, function(s)
    local slots = s.sim:limits("gen4.5").at_once
    local bought
    local r = on_small_disk(s, "size=4m,nr_inodes=40", NO_MORE_FILES,
      "RUN; echo $?; STATUS; rm night/filler*; AGAIN=1 RUN")
    lib.assert_code(r, 0)
    local no_space, stopped, code = r.stdout:match "^0\t(%d+)\t(%d+)\t0\n(%d+)\n"
    bought = assert(tonumber(no_space), r.stdout .. r.stderr)
    lu.assertTrue(bought >= 1 and bought <= 2 * slots, r.stdout)
    lu.assertEquals(bought + tonumber(stopped), 8)
    lu.assertEquals(code, "1")
    lu.assertEquals(count(r.stderr, "Nothing more is submitted"), 1)
    lu.assertEquals(count(r.stderr, "a clip could not be saved in night: "), 1)
    lu.assertStrContains(r.stdout, ("%d to be downloaded"):format(bought))
    lu.assertStrContains(r.stdout, "8\t0\t0\t0\n") -- and the run after it has them all
    lu.assertEquals(s:bill().created, 8)
  end)
end

function T.test_the_end_of_a_run_is_noted_on_a_full_disk()
  studio.with({}, function(s)
    local r = on_small_disk(s, "size=4m", [[
      show:shot { name = "a", prompt = "A street" }:shoot()
      require("rt.task").sleep(0.2) -- what was given to `later` is on the disk
      fill()]], "RUN; STATUS; ls night")
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "not running; the last run ended")
    lu.assertNotStrContains(r.stdout, "journal.reserve") -- it has made room for it
    lu.assertNotStrContains(r.stderr, "journal")
  end)
end

function T.test_an_end_that_cannot_be_noted_is_told()
  studio.with({}, function(s)
    local r = on_small_disk(s, "size=4m", [[
      show:shot { name = "a", prompt = "A street" }:shoot()
      require("rt.task").sleep(0.2)
      os.remove "night/journal.reserve"
      fill()]], "RUN; STATUS; rm night/filler; RUN")
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stderr, "the end of this run could not be noted in the journal of"
      .. " night: ")
    lu.assertStrContains(r.stdout, "did not end in an orderly way")
    lu.assertEquals(s:bill().created, 1)
  end)
end

--- With so much room, page by page, as a run may find: each ends with a sentence, and the
--- take is bought once.
function T.test_a_disk_that_is_nearly_full_before_the_run()
  studio.with({}, function(s)
    local r = on_small_disk(s, "size=4m", [[
      local take = show:shot { name = "a", prompt = "A street" }:shoot()
      print(take.status)]],
      "for k in $(seq 0 40); do rm -f night/filler; head -c $((4194304 - 4096 * k)) /dev/zero"
      .. " >night/filler 2>/dev/null; RUN; echo run $?; STATUS >status; echo status $?;"
      .. " done; rm night/filler; RUN")
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout:sub(1, 15), "run 1\nstatus 3\n")
    lu.assertEquals(r.stdout:sub(-7), "landed\n")
    for code in r.stdout:gmatch "run (%d+)" do lu.assertNotNil(code:match "^[01]$", code) end
    for code in r.stdout:gmatch "status (%d+)" do
      lu.assertNotNil(code:match "^[013]$", code) -- 1: looking needs some room, too
    end
    lu.assertStrContains(r.stderr, "the journal in night is empty: a run was stopped")
    for _, word in ipairs { "no such table", "traceback", "cannot prepare" } do
      lu.assertNotStrContains(r.stderr, word)
    end
    lu.assertEquals(s:bill().created, 1)
  end)
end

return T
