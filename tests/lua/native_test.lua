--- A module built outside of rushes, tests/native/sumlater.c, adds an operation.
local lu = require "luaunit"
local core = require "rt.c.core"
local task = require "rt.task"

package.cpath = os.getenv "RUSHES_NATIVE" .. "/?.so;" .. package.cpath
local sumlater = require "sumlater"

local T = {}

function T.test_its_operation_is_awaited_like_any_other()
  lu.assertEquals(task.await(sumlater.sum { 1, 2, 3.5 }), 6.5)
  lu.assertEquals(task.await(sumlater.sum {}), 0)
end

function T.test_other_tasks_run_while_it_works()
  local numbers, order = {}, {}
  for i = 1, 2000000 do numbers[i] = 1 end
  task.scope(function(s)
    s:spawn(function()
      lu.assertEquals(task.await(sumlater.sum(numbers)), 2000000)
      order[#order + 1] = "sum"
    end)
    s:spawn(function() order[#order + 1] = "other" end)
  end)
  lu.assertEquals(order, { "other", "sum" })
end

function T.test_many_at_once()
  local total = 0
  task.scope(function(s)
    for i = 1, 500 do
      s:spawn(function()
        local v = task.await(sumlater.sum { i, -1 })
        total = total + v
      end)
    end
  end)
  lu.assertEquals(total, 500 * 501 / 2 - 500)
end

function T.test_cancelling_jobs_that_wait_for_a_thread()
  local before = core.pending()
  local numbers, ended = {}, 0
  for i = 1, 200000 do numbers[i] = i end
  task.scope(function(s)
    for _ = 1, 100 do
      s:spawn(function()
        pcall(task.await, sumlater.sum(numbers))
        ended = ended + 1
      end)
    end
    task.yield()
    s:cancel()
  end)
  lu.assertEquals(ended, 100)
  lu.assertTrue(core.pending() <= before)
end

function T.test_its_arguments_are_checked_before_anything_is_owned()
  local before = core.pending()
  lu.assertErrorMsgContains("number 2 is a string", sumlater.sum, { 1, "x" })
  lu.assertErrorMsgContains("table expected", sumlater.sum, 1)
  lu.assertEquals(core.pending(), before)
end

function T.test_an_operation_that_nobody_awaits_is_freed()
  for _ = 1, 50 do sumlater.sum { 1 } end
  collectgarbage()
  task.sleep(0.01)
end

return T
