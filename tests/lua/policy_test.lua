local lu = require "luaunit"
local policy = require "rushes.studio.policy"

local T = {}
local shot = { name = "street" }

local function ctx(left, limit) return { budget = { left = left, limit = limit } } end

function T.test_fixed()
  local p = policy.fixed { model = "gen4.5", why = "hero" }
  lu.assertEquals(p(shot, ctx(1, 1)).model, "gen4.5")
  lu.assertErrorMsgContains('no field "modle" (did you mean "model"?)', policy.fixed,
    { modle = "x" })
end

function T.test_by_budget_takes_the_first_row_that_fits()
  local p = policy.by_budget { { above = 0.5, model = "gen4.5" },
    { above = 0.25, model = "gen4_turbo" }, { why = "spent" } }
  lu.assertEquals(p(shot, ctx(60, 100)).model, "gen4.5")
  lu.assertEquals(p(shot, ctx(50, 100)).model, "gen4_turbo")
  lu.assertNil(p(shot, ctx(10, 100)).model)
  lu.assertEquals(p(shot, ctx(math.huge, nil)).model, "gen4.5")
end

function T.test_first_of_falls_through()
  local p = policy.first_of { function() return { why = "no" } end,
    policy.fixed { model = "gen4_turbo" } }
  lu.assertEquals(p(shot, ctx(1, 1)).model, "gen4_turbo")
end

function T.test_an_answer_is_checked()
  local _, e = policy.ask(function() return nil end, shot, {})
  lu.assertStrContains(e.message, 'answered a nil for shot "street"')
  _, e = policy.ask(function() return { model = "x", secs = 4 } end, shot, {})
  lu.assertStrContains(e.message, 'has no field "secs"')
  lu.assertEquals(policy.ask(function() return "gen4.5" end, shot, {}).model, "gen4.5")
end

return T
