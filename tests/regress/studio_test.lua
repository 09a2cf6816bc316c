--- Faults that the studio once had, one test each.
local graph = require "rushes.studio.graph"
local lu = require "luaunit"
local object = require "rushes.studio.object"
local runway = require "rushes.provider.runway"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

-- A take that waited for a slot of the account longer than the provider's deadline was
-- given up, although it was paid for.
function T.test_waiting_for_a_slot_does_not_count_as_work()
  studio.with({ speed = 0 }, function(s)
    local looks, waiting, shown = 0, {}, s.sim.tasks.shown
    function s.sim.tasks.shown(...)
      looks = looks + 1
      if looks == 50 then task.wake_all(waiting) end -- far behind the deadline
      return shown(...)
    end
    local r
    task.scope(function(scope)
      scope:spawn(function()
        r = s:run("require('rushes.provider.runway').poll = { first = 0.02, every = 0.02,"
          .. " deadline = 0.5, queue = 60 }\n" .. studio.script { "A street" })
      end)
      task.wait_on(waiting)
      s.sim.clock:advance(200)
    end)
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "s1\tlanded\t60\tnight/s1_t001.mp4\n")
  end)
end

-- After Ctrl-C a call by hand was still sent, and so was what waited to be sent again.
function T.test_nothing_is_sent_after_ctrl_c()
  studio.with({}, function(s)
    local r = s:run [[
      local gen4 = require("rushes").provider "gen4"
      require("rushes.stop").request "Ctrl-C"
      local job, e = gen4:generate { model = "gen4", prompt = "A street", seconds = 5 }
      print(job, e.code, require("rushes.money.ledger").root().reserved)]]
    lu.assertEquals(r.stdout, "nil\tstopped\t0\n")
    lu.assertEquals(s:bill().created, 0)
  end)
end

-- Two shows with one folder gave the same names to their clips, and one was lost: now a
-- folder belongs to the show whose journal lies in it.
function T.test_shows_do_not_share_a_folder()
  studio.with({}, function(s)
    local r = s:run [[
      local rushes = require "rushes"
      local function shoot(name)
        local show = rushes.show { name = name, output = "clips",
          policy = rushes.policy.fixed { model = "gen4.5" } }
        show:shot { name = "street", prompt = "A street" }
        return show:shoot()
      end
      rushes.all { function() return shoot "a" end, function() return shoot "b" end }]]
    lib.assert_code(r, 7)
    lu.assertStrContains(r.stderr, "the journal in clips is that of show")
    lu.assertEquals(studio.files(s.dir .. "/clips"), { "street_t001.mp4" })
  end)
end

-- Objects knew the fields for their hints, but not the methods.
function T.test_a_misspelt_method_is_met_with_a_hint()
  local methods = {}
  local thing = setmetatable({}, object.class("thing", methods, object.set "name"))
  function methods.shoot() end
  lu.assertErrorMsgContains('thing has no field or method "shot" (did you mean "shoot"?)',
    function() return thing.shot end)
end

-- A prompt at the limit was refused with a count that the script had never written.
function T.test_a_prompt_that_the_mentions_make_too_long_says_so()
  local shot = { name = "street", refs = { { kind = "character", tag = "hero", images = { {} } } } }
  local base = { name = "shot street", prompt = ("x"):rep(1000), seconds = 5, ratio = "1280:720" }
  local stages, e = graph.stages(runway.catalog, shot, { model = "gen4_turbo" }, base)
  lu.assertNil(stages)
  lu.assertEquals(tostring(e), 'shot "street": with the names of its references added, the prompt'
    .. " has 1024 characters, and gen4_image takes at most 1000. Write them into it, as in"
    .. " @hero, or shorten it by 24")
  base.prompt = "@Hero" .. ("x"):rep(995)
  lu.assertNil(graph.stages(runway.catalog, shot, { model = "gen4_turbo" }, base))
  base.prompt = "@Hero " .. ("x"):rep(994)
  lu.assertEquals(#graph.stages(runway.catalog, shot, { model = "gen4_turbo" }, base), 2)
end

return T
