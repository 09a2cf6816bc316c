--- rushes run --sim: whole runs on the simulator, good and bad.
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local SHOW = [[
local rushes = require "rushes"
local show = rushes.show { name = "night", ratio = "1280:720", budget = 200 }
%s
show.policy = rushes.policy.fixed { model = "gen4.5" }
for _, take in ipairs(show:shoot()) do print(take.shot.name, take.status, take.credits) end
]]

local STREET = 'show:shot { name = "street", prompt = "A street", seconds = 5 }\n'
local LOBBY = 'show:shot { name = "lobby", prompt = "A lobby %s", seconds = 2 }\n'

--- Run in `dir` on a fast simulator.
local function run_in(dir, source, flags)
  assert(fs.write(dir .. "/script.lua", source))
  local args = { "run", "--sim", "--sim-speed", "60", cwd = dir }
  for k, v in pairs(flags or {}) do
    if type(k) == "string" then args[k] = v else args[#args + 1] = v end
  end
  args[#args + 1] = "script.lua"
  return lib.rushes(args)
end

local function run(source, flags)
  local r
  lib.in_folder(function(dir) r = run_in(dir, source, flags) end)
  return r
end

function T.test_two_shots_land_as_real_clips_and_the_bill_agrees()
  lib.in_folder(function(dir)
    local r = run_in(dir, SHOW:format(STREET .. LOBBY:format ""))
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "street\tlanded\t60\nlobby\tlanded\t24\n")
    lu.assertStrContains(r.stderr, "2 of 2 takes landed · 84 credits spent")
    lu.assertStrMatches(r.stderr, ".*gen4%.5 +2 +2 +0 +0 +84 .*99916 credits left\n")
    local probe = assert(proc.run { "ffprobe", "-v", "error", "-count_frames",
      "-select_streams", "v:0", "-show_entries", "stream=codec_name,width,height,nb_read_frames",
      "-of", "csv=p=0",
      dir .. "/night/sim/street_t001.mp4" })
    lu.assertEquals(probe.stdout, "h264,1280,720,120\n")
  end)
end

function T.test_the_first_script_of_the_readme_runs()
  local source = assert(fs.read "README.md"):match "```lua\n(.-)```"
  local printed = fs.read("README.md"):match "street%.lua\n(golden.-)```"
  local r = run(source)
  lib.assert_code(r, 0)
  lu.assertEquals(r.stdout, printed)
end

function T.test_doctor_reaches_the_address_that_is_set_and_compares_clocks()
  task.scope(function()
    local p = assert(proc.spawn { lib.RUSHES, "sim", "--child", "--no-media", stdin = true })
    local url = p:lines()():match "^listening (%S+)$"
    local r = lib.rushes { "doctor", env = { RUNWAYML_BASE_URL = url } }
    p:end_input()
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "ok    network    reached " .. url)
    lu.assertStrMatches(r.stdout, ".*ok    clock .*")
  end)
  local r = lib.rushes { "doctor", env = { RUNWAYML_BASE_URL = "http://127.0.0.1:1" } }
  lib.assert_code(r, 0)
  lu.assertStrContains(r.stdout, "warn  network    cannot reach http://127.0.0.1:1")
end

function T.test_one_refused_prompt_does_not_stop_the_other_shot()
  local r = run(SHOW:format(STREET .. LOBBY:format "[[fail:SAFETY.INPUT.TEXT]]"), { "--json" })
  lib.assert_code(r, 1)
  local failed
  for line in r.stdout:gmatch "[^\n]+" do
    local event = assert(json.decode(line))
    if event.event == "failed" then failed = event end
  end
  lu.assertEquals({ failed.shot, failed.err.class }, { "lobby", "safety" })
  lu.assertStrContains(r.stderr, "street\tlanded\t60")
end

-- ---- bad input ----


local function refused(shots, code, sentence, flags)
  lib.in_folder(function(dir)
    local r = run_in(dir, SHOW:format(shots), flags)
    lib.assert_code(r, code)
    lu.assertStrContains(r.stderr, sentence)
    lu.assertStrContains(r.stderr, "no tasks were created")
    lu.assertEquals(studio.files(dir .. "/night"), {})
  end)
end

function T.test_what_the_catalogue_forbids_is_refused_before_it_costs()
  refused(STREET:gsub("seconds = 5", "seconds = 60"), 1, "duration")
  refused(STREET:gsub("seconds = 5", 'seconds = 5, ratio = "16:9"'), 1,
    'did you mean "1280:720"?')
  refused(STREET:gsub('"A street"', '("😀"):rep(501)'), 1, "1002")
  refused(STREET:gsub("seconds = 5", 'seconds = 5, policy = rushes.policy.fixed { model = "gen45" }'),
    1, 'did you mean "gen4.5"?')
end

function T.test_a_budget_too_small_is_8()
  refused(STREET, 8, "needs 60 credits, but this run has 59 left", { "--budget", "59" })
end

function T.test_a_missing_picture_is_3()
  refused('show:character("hero", { image = "nope.png" })', 3, "nope.png")
end

function T.test_a_gif_is_refused_whatever_its_name()
  lib.in_folder(function(dir)
    assert(fs.write(dir .. "/hero.png", "GIF89a\1\0\1\0\0\0\0;"))
    local r = run_in(dir, SHOW:format 'show:character("hero", { image = "hero.png" })')
    lib.assert_code(r, 7)
    lu.assertStrContains(r.stderr, "is a GIF picture")
    lu.assertStrContains(r.stderr, "convert it to PNG")
  end)
end

function T.test_a_full_disk_leaves_nothing_half_written()
  lib.in_folder(function(dir)
    assert(fs.mkdir(dir .. "/night"))
    local mounted = proc.run { "mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", dir .. "/night" }
    if not mounted or mounted.code ~= 0 then lu.skip "a tmpfs may not be mounted here" end
    local ok, e = pcall(function()
      local r = run_in(dir, SHOW:format(STREET))
      lib.assert_code(r, 1)
      lu.assertStrContains(r.stderr, "the disk is full")
      lu.assertStrContains(r.stderr, "nothing was sent")
      lu.assertEquals(studio.files(dir .. "/night"), {})
    end)
    assert(proc.run { "umount", dir .. "/night" })
    if not ok then error(e, 0) end
  end)
end

function T.test_a_provider_that_is_down_is_6()
  local r = lib.run_source(SHOW:format(STREET), { env = {
    RUNWAYML_BASE_URL = "http://127.0.0.1:1", RUNWAYML_API_SECRET = "key_" .. ("0"):rep(128) } })
  lib.assert_code(r, 6)
  lu.assertStrContains(r.stderr, "cannot connect to http://127.0.0.1:1")
  lu.assertStrContains(r.stderr, "0 credits spent")
end

function T.test_a_misspelt_field_is_7_with_a_hint()
  refused(STREET:gsub("seconds", "secnds"), 7, 'did you mean "seconds"?')
end

function T.test_an_error_inside_one_policy_fails_that_shot_only()
  local r = run(SHOW:format(STREET .. [[show:shot { name = "lobby", prompt = "A lobby",
    seconds = 2, policy = function(shot) return shot.nothing.at.all end }]]))
  lib.assert_code(r, 1)
  lu.assertStrContains(r.stdout, "street\tlanded")
  lu.assertStrContains(r.stdout, "lobby\tfailed")
end

function T.test_faults_of_the_simulator_come_from_the_flag()
  local r = run(SHOW:format(STREET), { "--sim-faults", "fail:INTERNAL" })
  lib.assert_code(r, 5)
  r = run(SHOW:format(STREET), { "--sim-faults", "nonsense" })
  lib.assert_code(r, 2)
  lu.assertStrContains(r.stderr, "nonsense")
end

function T.test_without_ffmpeg_it_says_what_to_install()
  local r = run(SHOW:format(STREET), { env = { PATH = "/nowhere" } })
  lib.assert_code(r, 5)
  lu.assertStrContains(r.stderr, "ffmpeg")
  lu.assertStrContains(r.stderr, "install")
end

-- ---- Ctrl-C ----

function T.test_ctrl_c_lets_a_paid_take_land()
  lib.in_folder(function(dir)
    assert(fs.write(dir .. "/script.lua", SHOW:format(STREET)))
    local out, result = {}, nil
    task.scope(function()
      local p = assert(proc.spawn { lib.RUSHES, "run", "--sim", "--json", "script.lua",
        cwd = dir })
      for line in p:lines() do
        local event = assert(json.decode(line))
        out[#out + 1] = event.event
        if event.event == "submitted" then p:kill "SIGINT" end
      end
      result = p:wait()
    end)
    lib.assert_code(result, 130)
    lu.assertTableContains(out, "landed")
    lu.assertEquals(studio.files(dir .. "/night"), { "sim/street_t001.mp4" })
  end)
end

return T
