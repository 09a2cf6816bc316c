local lu = require "luaunit"
local core = require "rt.c.core"
local task = require "rt.task"

local T = {}

function T.test_children_run_at_once_and_the_scope_waits_for_them()
  local order = {}
  task.scope(function(s)
    s:spawn(function() task.sleep(0.02); order[#order + 1] = "slow" end)
    s:spawn(function() order[#order + 1] = "fast" end)
  end)
  lu.assertEquals(order, { "fast", "slow" })
end

-- A task that is resumed twice would wake from a later wait too early.
local function sleep_out_the_cancellation()
  task.shield(5, function()
    local before = core.now()
    task.sleep(0.05)
    lu.assertTrue(core.now() - before > 0.04) -- timers count whole milliseconds
  end)
end

function T.test_waiting_in_a_cancelled_task_leaves_no_trace_on_the_list()
  local list = {}
  task.scope(function(s)
    s:spawn(function()
      s:cancel()
      lu.assertFalse(pcall(task.wait_on, list))
      sleep_out_the_cancellation()
    end)
    s:spawn(function() task.shield(5, task.yield); task.wake_all(list) end)
  end)
  lu.assertEquals(#list, 0)
end

function T.test_one_that_is_woken_and_cancelled_in_the_same_turn_runs_once()
  local list = {}
  task.scope(function(s)
    s:spawn(function()
      lu.assertFalse(pcall(task.wait_on, list))
      sleep_out_the_cancellation()
    end)
    task.yield()
    task.wake_all(list)
    s:cancel()
  end)
end

return T
