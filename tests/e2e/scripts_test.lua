--- The example scripts, run as a newcomer runs them: what they print, what they cost,
--- what lies in the folder afterwards.
local fs = require "rt.fs"
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local SCRIPTS = assert(os.getenv "PWD") .. "/scripts"

local function text_of(name) return assert(fs.read(SCRIPTS .. "/" .. name)) end

local function copy_refs(dir)
  assert(fs.mkdir(dir .. "/refs"))
  for _, entry in ipairs(assert(fs.list(SCRIPTS .. "/refs"))) do
    if entry.name:find "%.png$" then
      assert(fs.copy(SCRIPTS .. "/refs/" .. entry.name, dir .. "/refs/" .. entry.name))
    end
  end
end

-- ---- looking at clips ----

local PROBE = { "codec_name", "width", "height", "r_frame_rate", "duration",
  "nb_read_frames" }

local function probe(path)
  local r = assert(proc.run { "ffprobe", "-v", "error", "-count_frames",
    "-select_streams", "v:0", "-show_entries", "stream=" .. table.concat(PROBE, ","),
    "-of", "default=nw=1", path })
  lib.assert_code(r, 0)
  local found = {}
  for key, value in r.stdout:gmatch "([%w_]+)=(%S+)" do found[key] = value end
  return found
end

local function assert_five_seconds(path)
  lu.assertEquals(probe(path), { codec_name = "h264", width = "1280", height = "720",
    r_frame_rate = "24/1", duration = "5.000000", nb_read_frames = "120" })
end

--- The share of pixels, `at` so many seconds, that are as red as the heroine's coat.
local function coat(path, at)
  local r = assert(proc.run { "ffmpeg", "-v", "error", "-ss", at, "-i", path,
    "-frames:v", "1", "-vf", "scale=64:36", "-f", "rawvideo", "-pix_fmt", "rgb24", "-" })
  lu.assertEquals(#r.stdout, 64 * 36 * 3)
  local red = 0
  for i = 1, #r.stdout, 3 do
    local R, G, B = r.stdout:byte(i, i + 2)
    if R > 120 and R > 2 * G and R > 2 * B then red = red + 1 end
  end
  return red / (64 * 36)
end

local NARRATIVE = [[
street	landed	gen4_turbo	30	night-walk/sim/street_t001.mp4
lobby	landed	gen4_turbo	30	night-walk/sim/lobby_t001.mp4
rooftop	landed	gen4.5	65	night-walk/sim/rooftop_t001.mp4
]]

function T.test_narrative_makes_three_clips_of_one_heroine()
  lib.in_folder(function(dir)
    copy_refs(dir)
    assert(fs.write(dir .. "/narrative.lua", text_of "narrative.lua"))
    local r = lib.rushes { "run", "--sim", "--sim-speed", "120", "narrative.lua", cwd = dir }
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, NARRATIVE)
    lu.assertStrContains(r.stderr, "3 of 3 takes landed · 125 credits spent")
    lu.assertStrMatches(r.stderr, ".*\ntotal +6 +6 +0 +0 +125 +0 +0\n.*")
    lu.assertEquals(studio.files(dir .. "/night-walk/sim"), { "lobby_t001.mp4",
      "lobby_t001_still.png", "rooftop_t001.mp4", "rooftop_t001_still.png",
      "street_t001.mp4", "street_t001_still.png" })
    task.scope(function(s)
      for _, shot in ipairs { "street", "lobby", "rooftop" } do
        s:spawn(function()
          local clip = ("%s/night-walk/sim/%s_t001.mp4"):format(dir, shot)
          assert_five_seconds(clip)
          lu.assertTrue(coat(clip, 2.5) > 0.03, shot .. ": the heroine is not to be seen")
        end)
      end
    end)
    -- the measure itself: no red coat on the picture of the style
    lu.assertTrue(coat(dir .. "/refs/neon.png", 0) < 0.01)
  end)
end

function T.test_product_campaign_counts_its_takes_and_credits()
  studio.with({}, function(s)
    copy_refs(s.dir)
    local r = s:run(text_of "product_campaign.lua")
    lib.assert_code(r, 0)
    -- four stills at 5 credits, four clips of four seconds at 5 a second
    lu.assertEquals(r.stdout, "4 of 4 landed for 100 credits\n")
    lu.assertEquals(s:bill().charged, 100)
    lu.assertEquals(#studio.files(s.dir .. "/watch"), 8)
  end)
end

function T.test_a_file_of_that_name_is_not_replaced()
  studio.with({}, function(s)
    copy_refs(s.dir)
    local mine = s.dir .. "/watch/macro_t001.mp4"
    assert(fs.mkdir(s.dir .. "/watch"))
    assert(fs.write(mine, "mine"))
    lib.assert_code(s:run(text_of "product_campaign.lua", { "--force" }), 0)
    lu.assertEquals(fs.read(mine), "mine")
    lu.assertTrue(fs.exists(s.dir .. "/watch/macro_t002.mp4"))
    lu.assertEquals(#studio.files(s.dir .. "/watch"), 9)
  end)
end

-- ---- three at once ----

--- Simulated times at which the tasks were made and had ended, noted as it happens.
local function note_times(sim)
  local times, add = {}, sim.tasks.add
  function sim.tasks.add(tasks, t)
    times[#times + 1] = add(tasks, t)
    return t
  end
  local close = sim.bill.close
  function sim.bill.close(bill, now, ...)
    times.ended = times.ended or {}
    table.insert(times.ended, now)
    return close(bill, now, ...)
  end
  return times
end

--- Twelve times as fast as life, as with --sim; three generations of 24 to 30 seconds.
local TUTORIAL = { speed = 12, takes = { video = 27, image = 27, keyframes = 27 } }

function T.test_the_tutorial_runs_three_at_once()
  studio.with(TUTORIAL, function(s)
    local times, slowest = note_times(s.sim), 0
    local r = s:run(text_of "gen4_tutorial.lua")
    local took = s.sim.clock:now() - times[1].created
    lib.assert_code(r, 0)
    lu.assertEquals(#times, 3)
    for _, t in ipairs(times) do
      slowest = math.max(slowest, t.takes)
      lu.assertTrue(t.created < times.ended[1], "one began after another had ended")
    end
    lu.assertTrue(took < 1.6 * slowest, ("%.0f s for a slowest of %.0f s"):format(took,
      slowest))
  end)
end

local function ids(text, pattern)
  local seen, n = {}, 0
  for id in text:gmatch(pattern) do
    if not seen[id] then n = n + 1 end
    seen[id] = (seen[id] or 0) + 1
  end
  return seen, n
end

function T.test_the_tutorial_shows_each_progress_and_names_each_file()
  studio.with(TUTORIAL, function(s)
    local r = s:run(text_of "gen4_tutorial.lua")
    local told, n = ids(r.stderr, "([%x-]+) +%d+%%")
    lu.assertEquals(n, 3)
    for id, times in pairs(told) do
      lu.assertTrue(times >= 2, id .. " was told only once")
      local file = ("runway_gen4_%s.mp4"):format(id)
      lu.assertStrContains(r.stdout, file .. "\t60\n")
      lu.assertTrue(fs.exists(s.dir .. "/" .. file))
    end
    lu.assertEquals(select(2, ids(r.stdout, "runway_gen4_([%x-]+)%.mp4")), 3)
  end)
end

return T
