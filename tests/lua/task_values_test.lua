--- task.with and task.value: what goes along with a task and those it spawns.
local lu = require "luaunit"
local task = require "rt.task"

local T = {}

function T.test_a_value_is_there_inside_and_gone_after()
  lu.assertNil(task.value "budget")
  local got = table.pack(task.with("budget", 7, function(a, b)
    lu.assertEquals(task.value "budget", 7)
    lu.assertNil(task.value "other")
    return a, nil, b
  end, 1, 2))
  lu.assertEquals(got, { 1, nil, 2, n = 3 })
  lu.assertNil(task.value "budget")
end

function T.test_values_nest_and_nil_hides_an_outer_one()
  task.with("k", "outer", function()
    task.with("other", 1, function() lu.assertEquals(task.value "k", "outer") end)
    task.with("k", "inner", function() lu.assertEquals(task.value "k", "inner") end)
    task.with("k", nil, function() lu.assertNil(task.value "k") end)
    lu.assertEquals(task.value "k", "outer")
  end)
end

function T.test_it_is_gone_after_an_error_too()
  lu.assertErrorMsgContains("oops", task.with, "k", 1, error, "oops")
  lu.assertNil(task.value "k")
end

function T.test_spawned_tasks_inherit_it_through_scopes_shields_and_timeouts()
  local seen = {}
  task.with("k", "v", function()
    task.scope(function(s)
      s:spawn(function()
        task.yield()
        task.shield(1, task.timeout, 1, function()
          task.scope(function(deep)
            deep:spawn(function() seen[1] = task.value "k" end)
          end)
        end)
      end)
    end)
    task.all { function() seen[2] = task.value "k" end }
  end)
  lu.assertEquals(seen, { "v", "v" })
end

function T.test_tasks_beside_it_do_not_see_it()
  local seen = {}
  task.scope(function(s)
    s:spawn(function()
      task.with("k", "a", function() task.yield(); seen[1] = task.value "k" end)
    end)
    s:spawn(function()
      task.with("k", "b", function() task.yield(); seen[2] = task.value "k" end)
    end)
    s:spawn(function() task.yield(); seen[3] = task.value "k" == nil end)
  end)
  lu.assertEquals(seen, { "a", "b", true })
end

function T.test_a_task_spawned_in_a_scope_further_out_keeps_it_to_its_end()
  local seen = {}
  task.with("show", "x", function()
    task.scope(function(s)
      task.with("k", "v", function()
        s:spawn(function(arg)
          task.yield()
          task.yield()
          seen = { arg, task.value "k", task.value "show" }
          task.scope(function(inner) -- and hands it on
            inner:spawn(function() seen[4] = task.value "k" end)
          end)
          s:spawn(function() seen[5] = task.value "k" end)
        end, "arg")
      end)
      lu.assertNil(task.value "k")
      s:spawn(function() seen.later = task.value "k" end)
    end)
  end)
  lu.assertEquals(seen, { "arg", "v", "x", "v", "v" })
end

function T.test_such_a_task_is_cancelled_and_fails_as_any_other()
  local ok, e = pcall(task.scope, function(s)
    task.with("k", "v", function() s:spawn(error, "from inside") end)
    task.sleep(1e6)
  end)
  lu.assertFalse(ok)
  lu.assertEquals(e.message, "from inside")
end

function T.test_cancellation_passes_through()
  local after
  local result = table.pack(task.timeout(0.001, function()
    task.with("k", "v", task.sleep, 1e6)
    after = true
  end))
  lu.assertNil(after)
  lu.assertEquals(result[2].code, "timeout")
end

function T.test_wrong_use()
  lu.assertErrorMsgContains("a key that is not nil", task.with, nil, 1, print)
  lu.assertErrorMsgContains("with wants a function, not a nil", task.with, "k", 1)
end

return T
