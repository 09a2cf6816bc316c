--- Takes that an earlier run has paid for and the script asks for no more: they are
--- followed and fetched once the script has ended, and nothing else is bought for them.
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

--- Stops following after so many seconds, whatever the simulator's clock says.
local function polling(deadline)
  return ("require('rushes.provider.runway').poll = { first = 0.02, every = 0.02,"
    .. " deadline = %g, queue = %g }\n"):format(deadline, deadline)
end

--- A studio in which these prompts were sent and are still under way at the provider.
local function with_takes_under_way(prompts, fn, more)
  studio.with({ speed = 0 }, function(s)
    lib.assert_code(s:run(polling(0.2) .. studio.script(prompts, more)), 6)
    lu.assertEquals(s:bill().created, #prompts)
    s.sim.clock:set_speed(1000)
    fn(s)
  end)
end

local function states(s)
  local rows = s:journal [[SELECT t.shot, t.number, a.state, a.held, a.cost
    FROM attempts a JOIN calls c ON c.id = a.call JOIN takes t ON t.id = c.take
    ORDER BY a.id]]
  local list = {}
  for i, r in ipairs(rows) do
    list[i] = ("%s t%03d %s %s %s"):format(r.shot, r.number, r.state, r.held, r.cost)
  end
  return list
end

local function task_of(s, n) return s.sim.tasks:list()[n].id end

function T.test_the_take_of_an_edited_shot_is_fetched()
  with_takes_under_way({ "A street", "A roof" }, function(s)
    local r = s:run(polling(900) .. studio.script { "A street", "A roof at night" })
    lib.assert_code(r, 0)
    lu.assertEquals(s:bill().created, 3)
    lu.assertEquals(states(s), { "s1 t001 landed 0 60000", "s2 t001 landed 0 60000",
      "s2 t002 landed 0 60000" })
    lu.assertEquals(studio.files(s.dir .. "/night"),
      { "s1_t001.mp4", "s2_t001.mp4", "s2_t002.mp4" })
    lu.assertStrContains(r.stderr, "the script has ended; following 1 take that an earlier"
      .. " run paid for and this script left alone: s2 t001 (task " .. task_of(s, 2) .. ")")
    lu.assertStrContains(r.stderr, "fetched 1 take that an earlier run paid for and this"
      .. " script left alone: s2 t001 is night/s2_t001.mp4")
    lu.assertStrContains(r.stderr, "2 of 2 takes landed · 1 fetched for earlier runs")
    -- and the old script finds it
    r = s:run(polling(900) .. studio.script { "A street", "A roof" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "s2\tlanded\t60\tnight/s2_t001.mp4")
    lu.assertEquals(s:bill().created, 3)
  end)
end

function T.test_the_take_of_a_shot_that_was_taken_out_is_fetched_with_no_progress_too()
  with_takes_under_way({ "A street", "A roof" }, function(s)
    local r = s:run(polling(900) .. studio.script { "A street" }, { "--no-progress" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stderr, "s2 t001 is night/s2_t001.mp4")
    lu.assertEquals({ s:bill().created, s:bill().charged }, { 2, 120 })
  end)
end

function T.test_a_budget_that_is_used_up_is_no_obstacle()
  with_takes_under_way({ "A street" }, function(s)
    local r = s:run(polling(900) .. studio.script({ "Another street" }, "budget = 100"))
    lib.assert_code(r, 8)
    lu.assertEquals(states(s), { "s1 t001 landed 0 60000" })
  end, "budget = 100")
end

--- The still of a take that cannot be paid any more is fetched all the same.
function T.test_a_still_whose_motion_does_not_fit_is_fetched()
  local picture = lib.SCRIPTS:gsub("tests/e2e/scripts$", "scripts/refs/protagonist.png")
  local shot = ([[show:shot { name = "s1", prompt = "She walks", refs = {
    show:character("hero", { image = %q }) } }]]):format(picture)
  studio.with({ speed = 0 }, function(s)
    lib.assert_code(s:run(polling(0.2) .. studio.script(shot)), 6)
    s.sim.clock:set_speed(1000)
    local r = s:run(polling(900) .. studio.script(shot, "budget = 10"))
    lib.assert_code(r, 8)
    lu.assertStrContains(r.stderr, "s1 t001 (still) is night/s1_t001_still.png")
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_a_shot_that_only_leaves_out_is_not_followed()
  with_takes_under_way({ "A street", "A roof" }, function(s)
    local r = s:run(polling(900) .. studio.script { "A", "B" }, { "--only", "s1" })
    lib.assert_code(r, 0)
    lu.assertEquals(studio.files(s.dir .. "/night"), { "s1_t001.mp4", "s1_t002.mp4" })
    lu.assertEquals(states(s)[2], "s2 t001 accepted 60000 nil")
  end)
end

function T.test_os_exit_is_an_end_and_an_error_is_none()
  with_takes_under_way({ "A street", "A roof" }, function(s)
    local source = polling(900) .. studio.script { "A street" }
    lib.assert_code(s:run(source .. "\nerror 'oops'"), 7)
    lu.assertEquals(studio.files(s.dir .. "/night"), { "s1_t001.mp4" })
    lib.assert_code(s:run(source .. "\nos.exit(0)"), 0)
    lu.assertEquals(studio.files(s.dir .. "/night"), { "s1_t001.mp4", "s2_t001.mp4" })
  end)
end

function T.test_a_plan_says_so_and_sends_nothing()
  with_takes_under_way({ "A street", "A roof" }, function(s)
    local source = polling(900) .. studio.script { "A street" }
    local polls = s:counter "poll"
    local r = s:run(source, { command = "plan" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "s2 t001")
    lu.assertStrContains(r.stdout, "under way at the provider as task " .. task_of(s, 2))
    r = s:run(source, { "--json", command = "plan" })
    local calls = assert(json.decode(r.stdout)).calls
    lu.assertEquals(#calls, 2)
    lu.assertEquals({ calls[2].shot, calls[2].take, calls[2].call, calls[2].credits },
      { "s2", "t001", "cached", 0 })
    lu.assertStrContains(calls[2].why, "the script does not ask for it, and the run fetches it")
    lu.assertEquals({ polls(), s:bill().created }, { 0, 2 })
  end)
end

function T.test_a_failure_there_is_told_and_fails_no_run()
  local prompts = { "A street", "A roof [[fail:SAFETY.OUTPUT.VIDEO]]" }
  with_takes_under_way(prompts, function(s)
    local r, events = s:events(polling(900) .. studio.script { "A street" })
    lib.assert_code(r, 0)
    local failed
    for _, e in ipairs(events) do
      if e.event == "failed" then failed = e end
    end
    lu.assertEquals({ failed.shot, failed.earlier, failed.err.class }, { "s2", true, "safety" })
    local last = events[#events]
    lu.assertEquals({ last.takes, last.landed, last.failed, last.fetched }, { 1, 1, 0, 0 })
    -- what moderation has refused is not sent again by the old script either
    r = s:run(polling(900) .. studio.script(prompts))
    lib.assert_code(r, 10)
    lu.assertEquals(s:bill().created, 2)
  end)
end

function T.test_what_the_provider_has_no_more_is_told_once()
  with_takes_under_way({ "A street", "A roof" }, function(s)
    s:tamper("UPDATE attempts SET state = 'succeeded', held = 0, cost = 60000, task = ?"
      .. " WHERE id = 2", "00000000-0000-4000-8000-000000000000")
    local source = polling(900) .. studio.script { "A street" }
    local r = s:run(source)
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stderr, "s2 t001 failed")
    lu.assertStrContains(r.stderr, "it is gone there")
    lu.assertNotStrContains(r.stderr, "--force")
    r = s:run(source)
    lu.assertNotStrContains(r.stderr, "s2 t001")
    lu.assertEquals(s:bill().created, 2)
  end)
end

function T.test_a_call_by_hand_is_fetched_to_the_shows_folder()
  local BY_HAND = polling(0.2) .. [[
local rushes = require "rushes"
local show = rushes.show { name = "night" }
local runway = rushes.provider("runway", show)
%s
local other = assert(runway:generate { model = "gen4.5", prompt = "A roof", seconds = 5,
  ratio = "1280:720" })]]
  studio.with({ speed = 0 }, function(s)
    lib.assert_code(s:run(BY_HAND:format [[
      assert(runway:generate { model = "gen4.5", prompt = "A street", seconds = 5,
        ratio = "1280:720" })]]), 0)
    s.sim.clock:set_speed(1000)
    local r = s:run((BY_HAND:format(""):gsub("0%.2", "900")))
    lib.assert_code(r, 0)
    -- the script has the job of the roof in its hand and did not want its clip
    lu.assertEquals(studio.files(s.dir .. "/night"), { "call_1.mp4" })
    lu.assertStrContains(r.stderr, "call by hand " .. task_of(s, 1)
      .. " is night/call_1.mp4")
    lu.assertEquals(s:bill().created, 2)
  end)
end

-- ---- Ctrl-C ----

--- Run a script without that shot while its take stands still at the provider; call
--- `fn(process)` once it is followed.
local function while_it_is_followed(s, fn)
  assert(fs.write(s.dir .. "/script.lua", polling(900) .. studio.script {}))
  s.sim.clock:set_speed(0)
  local result
  task.scope(function()
    local p = assert(proc.spawn { lib.RUSHES, "run", "--json", "script.lua", cwd = s.dir,
      env = studio.env(s.sim.url) })
    for line in p:lines() do
      local e = assert(json.decode(line))
      if e.event == "submitted" then
        lu.assertTrue(e.earlier)
        fn(p)
      elseif e.event == "note" and e.text:find "^stopping" then
        s.sim.clock:set_speed(1000)
      end
    end
    result = p:wait()
  end)
  return result
end

function T.test_the_first_ctrl_c_goes_on_following()
  with_takes_under_way({ "A street" }, function(s)
    local r = while_it_is_followed(s, function(p) p:kill "SIGINT" end)
    lib.assert_code(r, 130)
    lu.assertEquals(states(s), { "s1 t001 landed 0 60000" })
  end)
end

function T.test_sigterm_leaves_and_names_it()
  with_takes_under_way({ "A street" }, function(s)
    local r = while_it_is_followed(s, function(p) p:kill "SIGTERM" end)
    lib.assert_code(r, 143)
    lu.assertStrContains(r.stderr, "rushes run --json script.lua")
    lu.assertEquals(states(s)[1]:match "%d+ nil$", "60000 nil")
    lu.assertEquals(studio.files(s.dir .. "/night"), {})
  end)
end

return T
