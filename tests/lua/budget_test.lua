local lu = require "luaunit"
local rushes = require "rushes"
local task = require "rt.task"
local budgets = require "rushes.money.budget"

local T = {}

local n = 0

--- A name that no other test has used: budgets last as long as the program.
local function fresh()
  n = n + 1
  return "test" .. n
end

--- The text of the error that the call raises.
local function raised(...)
  local ok, e = pcall(...)
  lu.assertFalse(ok)
  return tostring(e)
end

function T.test_a_budget_is_current_inside_and_gives_what_the_function_returns()
  local name = fresh()
  lu.assertNil(budgets.current())
  local got = table.pack(rushes.budget(name, 12.5, function()
    local scope = budgets.current()
    lu.assertEquals(scope.path, name)
    lu.assertIs(scope.ledger, budgets.at(name))
    lu.assertEquals(scope.ledger.limit, 12500)
    return 1, nil, 3
  end))
  lu.assertEquals(got, { 1, nil, 3, n = 3 })
  lu.assertNil(budgets.current())
end

function T.test_budgets_nest_and_the_inner_counts_in_the_outer()
  local outer = fresh()
  rushes.budget(outer, 100, function()
    for _ = 1, 2 do -- the second time it is the same one
      rushes.budget("arm", 30, function()
        local scope = budgets.current()
        lu.assertEquals(scope.path, outer .. "/arm")
        lu.assertTrue(scope.ledger:reserve(10000, "a shot"))
      end)
    end
    lu.assertEquals(budgets.current().ledger.reserved, 20000)
    lu.assertEquals(budgets.at(outer .. "/arm"):left(), 10000)
  end)
  local _, e = budgets.at(outer .. "/arm"):reserve(11000, "shot b")
  lu.assertStrContains(e.message, ("budget %s/arm has 10 left of 30"):format(outer))
end

function T.test_the_outer_limit_binds_a_larger_inner_one()
  local outer = fresh()
  rushes.budget(outer, 5, function()
    rushes.budget("big", 1000, function()
      local _, e = budgets.current().ledger:reserve(6000, "shot a")
      lu.assertStrContains(e.message, ("budget %s has 5 left of 5"):format(outer))
    end)
  end)
end

function T.test_tasks_spawned_inside_are_in_it()
  local name, seen = fresh(), {}
  task.scope(function(s)
    rushes.budget(name, 1, function()
      rushes.all { function() seen[1] = budgets.current().path end }
      s:spawn(function() task.yield(); seen[2] = budgets.current().path end)
    end)
  end)
  lu.assertEquals(seen, { name, name })
end

function T.test_the_same_name_elsewhere_is_another_budget()
  local name = fresh()
  rushes.budget(name, 10, function()
    rushes.budget(name, 3, function()
      lu.assertEquals(budgets.current().path, name .. "/" .. name)
    end)
  end)
end

function T.test_another_limit_for_the_same_budget_is_an_error_with_both_numbers()
  local name = fresh()
  rushes.budget(name, 40, print)
  local e = raised(function() rushes.budget(name, 12.5, print) end)
  lu.assertStrContains(e, "budget_test.lua:")
  lu.assertStrContains(e, ("budget %s has been given 40 credits before and 12.5 now")
    :format(name))
end

function T.test_a_journal_may_know_a_budget_first()
  local name = fresh()
  budgets.load(name .. "/arm", 20000, 5000)
  lu.assertNil(budgets.at(name):left())
  rushes.budget(name, 30, function()
    lu.assertEquals(budgets.current().ledger:left(), 5000)
    rushes.budget("arm", 26, function()
      lu.assertEquals(budgets.current().ledger:left(), 1000)
    end)
  end)
  budgets.load(name .. "/arm", 1000, -5000) -- it ended and cost 1
  lu.assertEquals(budgets.at(name):left(), 9000)
end

function T.test_an_error_inside_leaves_the_budget()
  local name = fresh()
  lu.assertStrContains(raised(rushes.budget, name, 1, function() error "oops" end), "oops")
  lu.assertNil(budgets.current())
end

function T.test_wrong_use_is_a_sentence()
  local function says(text, ...) lu.assertStrContains(raised(rushes.budget, ...), text) end
  says("a budget needs a name", nil, 1, print)
  says("a budget needs a name", "", 1, print)
  says('budget "a/b": a name takes letters', "a/b", 1, print)
  says("number of credits from 0 on, not -1", "x", -1, print)
  says("number of credits from 0 on, not nan", "x", math.abs(0 / 0), print)
  says("number of credits from 0 on, not inf", "x", math.huge, print)
  says("number of credits from 0 on, not a string", "x", "12", print)
  says("is the function that spends it, not a nil", "x", 1)
  lu.assertStrContains(raised(function() rushes.budget("a b", 1, print) end),
    "budget_test.lua:")
end

return T
