--- generate, poll, download by hand: what the primitives promise a script.
local fs = require "rt.fs"
local lu = require "luaunit"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local HEAD = [[
local rushes = require "rushes"
local gen4, runway = rushes.provider "gen4", rushes.provider "runway"
local STREET = { model = "gen4", prompt = "A street", seconds = 5 }
local function street(more)
  for k, v in pairs(STREET) do
    if more[k] == nil then more[k] = v end
  end
  return assert(gen4:generate(more))
end
]]

--- Run code that has the providers at hand; what it printed.
local function by_hand(s, code, status, opts)
  local r = s:run(HEAD .. code, opts)
  lib.assert_code(r, status)
  return r.stdout, r.stderr
end

function T.test_a_job_can_be_read_at_any_time()
  studio.with({}, function(s)
    local out = by_hand(s, [[
      local job = assert(gen4:generate(STREET))
      print(job.state, job.progress, job.credits, #job.id)
      print(job:poll() == job, job.state, job.progress, job.credits)
      local path, file = job:download "clips.mp4"
      print(path, file.bytes, #file.sha256)]], 0)
    local bytes = fs.stat(s.dir .. "/clips.mp4").size
    lu.assertEquals(out, ("queued\t0\t60\t36\ntrue\tsucceeded\t1\t60\nclips.mp4\t%d\t64\n"):format(bytes))
  end)
end

function T.test_references_travel_with_the_call()
  studio.with({}, function(s)
    assert(fs.copy(os.getenv "PWD" .. "/scripts/refs/neon.png", s.dir .. "/neon.png"))
    local order
    local add = s.sim.tasks.add
    function s.sim.tasks.add(tasks, t)
      order = t.pieces[1].options
      return add(tasks, t)
    end
    by_hand(s, [[
      assert(gen4:generate { model = "gen4-turbo", prompt = "A street", seconds = 5, fps = 30,
        references = { { kind = "style", image = "neon.png", strength = 0.7 } },
        options = { motion_physics = "realistic" } })]], 0)
    lu.assertEquals({ order.fps, order.frames, order.model }, { 30, 150, "gen4-turbo" })
    lu.assertEquals(require("rt.hash").sha256_file(order.image),
      (require("rt.hash").sha256_file(s.dir .. "/neon.png")))
  end)
end

-- ---- refused ----

local function refused(s, code, status, sentence)
  local r = s:run(HEAD .. code, { dir = s.dir .. "/" .. ("%p"):format({}):match "%x+$" })
  lib.assert_code(r, status)
  lu.assertStrContains(r.stderr, sentence)
  lu.assertNotStrContains(r.stderr, "fault in rushes")
end

function T.test_what_cannot_be_sent_is_refused_with_a_hint()
  studio.with({}, function(s)
    task.scope(function(scope)
      for _, case in ipairs {
        { "street { promt = 'x' }", 7, 'did you mean "prompt"?' },
        { "street { model = 'gen5' }", 7, 'did you mean "gen4"?' },
        { "street { seconds = 50 }", 7, "the greatest allowed is 10" },
        { "street { references = { { kind = 'style', imgae = 'x' } } }", 7,
          'did you mean "image"?' },
        { "street { references = { { kind = 'style', image = 'gone.png' } } }", 3,
          'there is no picture or clip "gone.png"' },
        { "street { options = { motion_phisics = 'x' } }", 7, "motion_phisics" },
        { "gen4:generate 'a street'", 7, "generate wants a table, not a string" },
        { "gen4:generat {}", 7, 'did you mean "generate"?' },
        { "assert(runway:generate { model = 'gen4.5', prompt = 'x', ratio = '16:9' })", 7,
          'did you mean "1280:720"?' },
      } do
        scope:spawn(refused, s, case[1], case[2], case[3])
      end
    end)
    lu.assertEquals(s:bill().created, 0)
  end)
end

function T.test_options_of_poll_and_download_are_checked()
  studio.with({}, function(s)
    task.scope(function(scope)
      for _, case in ipairs {
        { "assert(gen4:generate(STREET)):poll { evry = 5 }", 'did you mean "every"?' },
        { "assert(gen4:generate(STREET)):poll().stat = 5", 'did you mean "state"?' },
        { "local job = assert(gen4:generate(STREET)) job:poll() job:download('x.mp4', { sha_256 = true })",
          'did you mean "sha256"?' },
        { "assert(gen4:generate(STREET)):download 'x.mp4'", "poll it first" },
      } do
        scope:spawn(refused, s, case[1], 7, case[2])
      end
    end)
  end)
end

function T.test_the_budget_of_the_run_counts_here_too()
  studio.with({}, function(s)
    local out, said = by_hand(s, [[
      local job = assert(gen4:generate(STREET))
      local more, e = gen4:generate(STREET)
      print(more, e.code)
      assert(job:poll())
      assert(gen4:generate(STREET))]], 8, { "--budget", "119" })
    lu.assertEquals(out, "nil\tbudget\n")
    lu.assertStrContains(said, "needs 60 credits, but this run has 59 left of 119 (60 spent, 0 held")
    lu.assertEquals(s:bill().created, 1)
  end)
end

-- ---- following ----

function T.test_a_deadline_stops_following_and_cancels_nothing()
  studio.with({ speed = 0 }, function(s)
    local ended
    task.scope(function(scope)
      scope:spawn(function()
        ended = by_hand(s, [[
          local job = assert(gen4:generate(STREET))
          local none, e = job:poll { every = 0.05, deadline = 0.2 }
          print(none, e.code, e.id == job.id, job.state)
          io.open("late", "w"):close()
          assert(job:poll { every = 0.05 })
          print(job.state)]], 0)
      end)
      local seen = assert(fs.watch(s.dir))
      repeat until seen:next().name == "late"
      s.sim.clock:advance(200)
    end)
    lu.assertEquals(ended, "nil\ttimeout\ttrue\tqueued\nsucceeded\n")
  end)
end

function T.test_cancel_asks_the_provider_unless_the_task_has_ended()
  studio.with({ speed = 0 }, function(s)
    local out = by_hand(s, [[
      local job = assert(runway:generate { mode = "text_to_video", model = "gen4.5",
        prompt = "A street", seconds = 5, ratio = "1280:720" })
      print(job:cancel(), job.state, job.credits)
      print(select(2, assert(gen4:generate(STREET)):cancel()).code)]], 0)
    lu.assertEquals(out, "true\tcancelled\t0\nunsupported\n")
    local bill = s:bill()
    lu.assertEquals({ bill.created, bill.cancelled, bill.charged }, { 2, 1, 0 })
  end)
  studio.with({}, function(s)
    by_hand(s, [[
      local job = assert(runway:generate { mode = "text_to_video", model = "gen4.5",
        prompt = "A street", seconds = 5, ratio = "1280:720" })
      assert(job:poll())
      assert(job:cancel())
      assert(job:download "clip.mp4")]], 0)
    lu.assertEquals(s:bill().succeeded, 1)
  end)
end

function T.test_a_failure_carries_what_a_script_decides_by()
  studio.with({}, function(s)
    local out = by_hand(s, [==[
      local job = street { prompt = "A [[fail:SAFETY.INPUT.TEXT]]" }
      local none, e = job:poll()
      print(none, e.class, e.retryable, e.id == job.id, job.state, job.credits)]==], 0)
    lu.assertEquals(out, "nil\tsafety\tfalse\ttrue\tfailed\t60\n")
  end)
end

function T.test_all_waits_for_every_one_and_raises_the_first()
  studio.with({}, function(s)
    local _, said = by_hand(s, [==[
      local function scene(prompt, name)
        return function()
          local job = street { prompt = prompt }
          assert(job:poll())
          return assert(job:download(name))
        end
      end
      rushes.all { scene("A [[fail:INTERNAL]]", "a.mp4"), scene("B", "b.mp4") }]==], 5)
    lu.assertStrContains(said, "the gen4 server could not make the clip")
    lu.assertEquals(studio.files(s.dir), { "b.mp4", "script.lua" })
  end)
end

return T
