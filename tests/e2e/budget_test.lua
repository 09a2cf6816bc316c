--- Budgets: what does not fit is not bought, and the simulator's bill agrees.
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

--- Twenty shots of the default model: a still at 5 credits and five seconds at 5 each.
local TWENTY = [[
for i = 1, 20 do show:shot { name = ("s%02d"):format(i), prompt = "A street" } end
show.policy = nil]]

local function counts(events)
  local n = {}
  for _, e in ipairs(events) do
    local code = e.err and e.event .. ":" .. e.err.code or e.event
    n[code] = (n[code] or 0) + 1
  end
  return n
end

local function seven(s, flags, budget)
  local r, events = s:events(studio.script(TWENTY, budget), flags)
  lib.assert_code(r, 8)
  local n = counts(events)
  lu.assertEquals({ n.landed, n["failed:budget"] }, { 7, 13 })
  local bill = s:bill()
  lu.assertEquals({ bill.created, bill.charged, bill.reserved }, { 14, 210, 0 })
  local last = events[#events]
  lu.assertEquals({ last.exit, last.spent, last.reserved }, { 8, 210, 0 })
  return events
end

function T.test_a_show_for_seven_of_twenty_buys_seven()
  studio.with({}, function(s)
    -- one credit short of eight: the still alone would fit, and is not bought
    for _, e in ipairs(seven(s, {}, "budget = 239")) do
      if e.event == "failed" then
        lu.assertStrContains(e.err.message,
          "needs 25 credits, but show night has 24 left of 239")
      end
    end
  end)
end

function T.test_the_flag_counts_for_the_whole_run()
  studio.with({}, function(s) seven(s, { "--budget", "210" }, "budget = 1000") end)
end

function T.test_two_shows_share_the_flag()
  studio.with({}, function(s)
    local r = s:run([[
      local rushes = require "rushes"
      for _, name in ipairs { "a", "b" } do
        local show = rushes.show { name = name, budget = 60 }
        show:shot { name = "s1", prompt = "A street" }
        show:shot { name = "s2", prompt = "A street" }
        print(name, show:shoot():count "landed", show.ledger:left() // 1000)
      end]], { "--budget", "100" })
    lib.assert_code(r, 8)
    lu.assertEquals(r.stdout, "a\t2\t0\nb\t1\t10\n")
    lu.assertEquals(s:bill().charged, 90)
  end)
end

function T.test_what_failed_and_was_given_back_can_be_spent_again()
  studio.with({}, function(s)
    local r = s:run [==[
      local rushes = require "rushes"
      local show = rushes.show { name = "night", budget = 70,
        policy = rushes.policy.fixed { model = "gen4.5" } }
      local bad = show:shot { name = "bad", prompt = "A [[fail:INTERNAL]]" }
      local good = show:shot { name = "good", prompt = "A street" }
      local moderated = show:shot { name = "moderated", prompt = "B [[fail:SAFETY.INPUT.TEXT]]" }
      print(bad:shoot().credits, good:shoot().credits, show.ledger:left() // 1000)
      print(moderated:shoot().err.code)]==]
    lu.assertEquals(r.stdout, "0\t60\t10\nbudget\n")
    lib.assert_code(r, 8)
  end)
end

function T.test_a_moderated_take_is_charged_against_the_budget()
  studio.with({}, function(s)
    local r = s:run [==[
      local rushes = require "rushes"
      local show = rushes.show { name = "night", budget = 70,
        policy = rushes.policy.fixed { model = "gen4.5" } }
      show:shot { name = "moderated", prompt = "B [[fail:SAFETY.INPUT.TEXT]]" }
      local take = show:shoot()[1]
      print(take.status, take.credits, show.ledger:left() // 1000)]==]
    lu.assertEquals(r.stdout, "failed\t60\t10\n")
    lu.assertEquals(s:bill().charged, 60)
  end)
end

function T.test_what_is_left_goes_to_those_that_asked_first()
  studio.with({}, function(s)
    local source = [[
local rushes = require "rushes"
local show = rushes.show { name = "night", budget = 120,
  policy = rushes.policy.fixed { model = "gen4.5" } }
local fns = {}
for i = 1, 5 do
  local shot = show:shot { name = "s" .. i, prompt = tostring(i) }
  fns[i] = function() return shot:shoot() end
end
for _, take in ipairs(rushes.all(fns)) do io.write(take.shot.name, " ", take.status, "\n") end]]
    local plan = s:run(source, { command = "plan", "--json" })
    local blocked = {}
    for _, call in ipairs(json.decode(plan.stdout).calls) do
      if call.call == "blocked" then blocked[#blocked + 1] = call.shot end
    end
    lu.assertEquals(blocked, { "s3", "s4", "s5" })
    lib.assert_code(plan, 8)
    local r = s:run(source)
    lib.assert_code(r, 8)
    lu.assertEquals(r.stdout, "s1 landed\ns2 landed\ns3 failed\ns4 failed\ns5 failed\n")
  end)
end

function T.test_the_shot_of_the_highest_priority_is_sent_first()
  studio.with({ tier = 1 }, function(s)
    local _, events = s:events(studio.script [[
for i = 1, 4 do
  show:shot { name = "s" .. i, prompt = tostring(i), priority = i == 3 and 1 or nil }
end]])
    local sent = {}
    for _, e in ipairs(events) do
      if e.event == "submitted" then sent[#sent + 1] = e.shot end
    end
    lu.assertEquals(sent, { "s3", "s1", "s2", "s4" })
  end)
end

function T.test_a_budget_around_several_shows_counts_the_earlier_runs_of_all()
  local source = [[
local rushes = require "rushes"
local function show(name)
  local s = rushes.show { name = name, policy = rushes.policy.fixed { model = "gen4.5" } }
  s:shot { name = "s1", prompt = name .. %q }
  return s
end
local shows = { show "a", show "b", show "c" }
rushes.budget("all", %d, function()
  for _, s in ipairs(shows) do print(s.name, s:shoot()[1].status) end
end)]]
  studio.with({}, function(s)
    lib.assert_code(s:run(source:format("one", 180)), 0)
    lu.assertEquals(s:bill().charged, 180)
    -- 60 are left: the first show must not take them for its own 120
    local plan = s:run(source:format("two", 240), { command = "plan", "--json" })
    lib.assert_code(plan, 8)
    lu.assertEquals(json.decode(plan.stdout).credits, 60)
    local r = s:run(source:format("two", 240))
    lib.assert_code(r, 8)
    lu.assertEquals(r.stdout, "a\tlanded\nb\tfailed\nc\tfailed\n")
    lu.assertEquals(s:bill().charged, 240)
    -- larger by one call: what was counted before its journal was opened counts once
    lib.assert_code(s:run(source:format("two", 300)), 8)
    lu.assertEquals(s:bill().charged, 300)
    lib.assert_code(s:run(source:format("two", 360)), 0)
    lu.assertEquals(s:bill().charged, 360)
  end)
end

function T.test_a_call_by_hand_counts_what_a_show_has_spent_of_the_budget()
  local source = [[
local rushes = require "rushes"
local show = rushes.show { name = "a", policy = rushes.policy.fixed { model = "gen4.5" } }
show:shot { name = "s1", prompt = "x" }
rushes.budget("all", 60, function()
  if arg[1] == "shoot" then show:shoot() end
  local runway = rushes.provider "runway"
  print(select(2, runway:generate { model = "gen4.5", prompt = "by hand", seconds = 5,
    ratio = "1280:720" }))
end)]]
  studio.with({}, function(s)
    assert(fs.write(s.dir .. "/script.lua", source))
    local opts = { cwd = s.dir, env = studio.env(s.sim.url) }
    for _, args in ipairs { { "run", "script.lua", "shoot" }, { "run", "script.lua" } } do
      args.cwd, args.env = opts.cwd, opts.env
      local r = lib.rushes(args)
      lu.assertStrContains(r.stdout, "budget all has 0 left of 60 (60 spent, 0 held")
    end
    lu.assertEquals(s:bill().created, 1)
  end)
end

return T
