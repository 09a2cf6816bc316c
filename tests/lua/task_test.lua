local lu = require "luaunit"
local core = require "rt.c.core"
local err = require "rt.err"
local task = require "rt.task"
local timer = require "rt.c.timer"

local T = {}

local function forever() task.sleep(1e6) end

--- Run `fn`; its error, which must be there.
local function raised(fn, ...)
  local ok, e = pcall(fn, ...)
  lu.assertFalse(ok)
  return e
end

-- ---- tasks and scopes ----

function T.test_children_run_at_once_and_the_scope_waits_for_them()
  local order = {}
  task.scope(function(s)
    s:spawn(function() task.sleep(0.02); order[#order + 1] = "slow" end)
    s:spawn(function() order[#order + 1] = "fast" end)
  end)
  lu.assertEquals(order, { "fast", "slow" })
end

function T.test_a_child_starts_when_the_spawner_waits_and_gets_its_arguments()
  local got
  task.scope(function(s)
    s:spawn(function(...) got = table.pack(...) end, 1, nil, "three", nil)
    lu.assertNil(got)
    task.yield()
    lu.assertEquals(got, { 1, nil, "three", nil, n = 4 })
  end)
end

function T.test_scope_returns_what_its_body_returned()
  local got = table.pack(task.scope(function() return 1, nil, 3, nil end))
  lu.assertEquals(got, { 1, nil, 3, nil, n = 4 })
end

function T.test_await_gives_the_results_before_and_after_the_end()
  task.scope(function(s)
    local t = s:spawn(function() task.yield(); return "a", nil, "c" end)
    lu.assertFalse(t:ended())
    local a = table.pack(t:await())
    lu.assertEquals(a, { "a", nil, "c", n = 3 })
    lu.assertTrue(t:ended())
    lu.assertEquals(table.pack(t:await()), a)
    local none = s:spawn(function() end)
    lu.assertEquals(select("#", none:await()), 0)
  end)
end

function T.test_many_tasks_await_the_same_one()
  local sum = 0
  task.scope(function(s)
    local t = s:spawn(function() task.sleep(0.001); return 7 end)
    for _ = 1, 100 do
      s:spawn(function()
        local v = t:await() -- not in the sum: its left side would be read before
        sum = sum + v
      end)
    end
  end)
  lu.assertEquals(sum, 700)
end

function T.test_spawn_in_an_ended_scope_is_an_error()
  local kept
  task.scope(function(s) kept = s end)
  lu.assertErrorMsgContains("this scope has ended", kept.spawn, kept, forever)
end

function T.test_wrong_arguments_are_named()
  lu.assertErrorMsgContains("spawn wants a function, not a nil", function()
    task.scope(function(s) s:spawn(nil) end)
  end)
  lu.assertErrorMsgContains("scope wants a function, not a table", task.scope, {})
  lu.assertErrorMsgContains("sleep wants seconds from 0 to 1e9, not -1", task.sleep, -1)
  lu.assertErrorMsgContains("sleep wants seconds from 0 to 1e9, not nil", task.sleep)
  lu.assertErrorMsgContains("timeout wants seconds", task.timeout, 0 / 0, forever)
  lu.assertErrorMsgContains("shield wants seconds", task.shield, "x", forever)
  lu.assertErrorMsgContains("task_test.lua", task.sleep and function() task.sleep "x" end)
end

function T.test_a_task_cannot_await_itself()
  lu.assertErrorMsgContains("cannot wait for itself", function()
    local me = task.current()
    me:await()
  end)
end

function T.test_a_child_may_spawn_into_the_scope_while_it_is_joined()
  local order = {}
  task.scope(function(s)
    s:spawn(function()
      task.sleep(0.001)
      s:spawn(function() task.sleep(0.001); order[1] = "late" end)
    end)
  end)
  lu.assertEquals(order, { "late" })
end

-- ---- failure ----

function T.test_the_first_failure_cancels_the_siblings_and_is_raised()
  local seen
  local e = raised(task.scope, function(s)
    s:spawn(function()
      local _, why = pcall(forever)
      seen = why
      error(why, 0)
    end)
    s:spawn(function() task.yield(); error({ is = "mine" }, 0) end)
    forever()
  end)
  lu.assertEquals(e.code, "script")
  lu.assertEquals(e.cause, { is = "mine" })
  lu.assertEquals(seen.code, "cancelled")
  lu.assertIs(seen.cause, e)
  lu.assertNil(e.also)
end

function T.test_a_failure_of_the_body_cancels_the_children()
  local cancelled
  local e = raised(task.scope, function(s)
    s:spawn(function() cancelled = not pcall(forever) end)
    task.yield()
    error "the body"
  end)
  lu.assertStrContains(e.message, "the body")
  lu.assertTrue(cancelled)
end

function T.test_other_failures_are_kept_once_in_also()
  local function fail_late(name)
    pcall(forever)
    error(err.new("script", name), 0)
  end
  local e = raised(task.scope, function(s)
    local b = s:spawn(fail_late, "b")
    s:spawn(fail_late, "c")
    s:spawn(function() task.shield(5, b.await, b) end) -- sees b's error as well
    task.yield()
    error(err.new("script", "a"), 0)
  end)
  lu.assertEquals(e.message, "a")
  local also = {}
  for i, other in ipairs(e.also) do also[i] = other.message end
  table.sort(also)
  lu.assertEquals(also, { "b", "c" })
end

function T.test_an_awaited_failure_is_raised_and_fails_the_scope_too()
  local seen
  local e = raised(task.scope, function(s)
    local t = s:spawn(function() task.yield(); error(err.new("http", "no"), 0) end)
    seen = select(2, task.try(t.await, t))
  end)
  lu.assertEquals(e.code, "http")
  lu.assertIs(seen, e)
end

function T.test_errors_know_where_they_come_from()
  local e = raised(task.scope, function(s)
    s:spawn(function()
      task.scope(function(inner)
        local t = inner:spawn(function() task.yield(); error "deep" end)
        t.name = "take t001"
      end)
    end)
  end)
  lu.assertStrContains(e.message, "task_test.lua")
  lu.assertStrContains(e.message, "deep")
  lu.assertStrContains(e.traceback, "task_test.lua")
  lu.assertEquals(e.task, "take t001")
  lu.assertEquals(#e.spawned, 2)
  for _, at in ipairs(e.spawned) do lu.assertStrMatches(at, ".*task_test%.lua:%d+") end
end

function T.test_a_chain_of_spawns_is_remembered_up_to_a_limit()
  local e = raised(task.scope, function(s)
    local function respawn(n)
      if n == 0 then error "end" end
      s:spawn(respawn, n - 1)
    end
    s:spawn(respawn, 100)
  end)
  lu.assertTrue(#e.spawned >= 1 and #e.spawned <= 32)
end

function T.test_try_returns_the_error_and_passes_results()
  lu.assertEquals(table.pack(task.try(function(...) return ... end, 1, nil)),
    { 1, nil, n = 2 })
  local value, e = task.try(error, "plain", 0)
  lu.assertNil(value)
  lu.assertTrue(err.is(e, "script"))
  lu.assertEquals(e.message, "plain")
end

-- ---- where a wait is refused ----

function T.test_a_wait_in_a_coroutine_of_ones_own_is_refused()
  local before = core.pending()
  local co = coroutine.create(function() task.sleep(0) end)
  local ok, e = coroutine.resume(co)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(e), "cannot wait inside a coroutine of your own")
  ok, e = pcall(coroutine.wrap(function() task.yield() end))
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(e), "coroutine of your own")
  for _, call in ipairs { "scope" } do
    ok, e = pcall(coroutine.wrap(function() task[call](function() end) end))
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(e), "coroutine of your own")
  end
  ok, e = pcall(coroutine.wrap(function()
    task.timeout(1, print)
    return 1
  end))
  lu.assertFalse(ok)
  lu.assertStrMatches(tostring(e), "tests/lua/task.*_test.lua:%d+: cannot wait inside a.*")
  for _ = 1, 10 do task.yield() end
  lu.assertTrue(core.pending() <= before)
end

function T.test_generators_that_do_not_wait_are_fine()
  local sum = 0
  for i in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do
    sum = sum + i
    task.yield()
  end
  lu.assertEquals(sum, 6)
end

function T.test_a_yield_of_the_tasks_own_coroutine_is_an_error_where_it_stands()
  local after
  local e = raised(task.scope, function(s)
    s:spawn(function()
      local ok, why = pcall(coroutine.yield, 1)
      after = not ok and why
      coroutine.yield()
    end)
  end)
  lu.assertStrContains(after, "coroutine.yield in a task")
  lu.assertStrContains(e.message, "task_test.lua")
end

function T.test_a_wait_in_a_sort_or_gsub_is_an_error_not_a_crash()
  local e = raised(table.sort, { 3, 2, 1 }, function() task.yield() end)
  lu.assertStrContains(tostring(e), "cannot wait inside a C function")
  e = raised(string.gsub, "abc", "b", function() task.sleep(0) end)
  lu.assertStrContains(tostring(e), "cannot wait inside a C function")
  raised(table.sort, { 3, 2, 1 }, function() task.scope(function() end) end)
  task.sleep(0) -- this task goes on as if nothing had been
  task.yield()
end

function T.test_one_operation_has_one_waiter()
  local op = timer.sleep(0.005)
  local e = raised(task.scope, function(s)
    s:spawn(function() task.await(op) end)
    task.yield()
    task.await(op)
  end)
  lu.assertStrContains(e.message, "another task waits for this 'timer' already")
end

function T.test_a_result_is_given_once()
  local op = timer.sleep(0)
  task.await(op)
  lu.assertErrorMsgContains("already taken", task.await, op)
end

function T.test_an_operation_nobody_awaits_is_let_go()
  local before = core.pending()
  for _ = 1, 10 do timer.sleep(0) end
  collectgarbage()
  task.sleep(0.005)
  lu.assertTrue(core.pending() <= before)
end

-- ---- queues ----

function T.test_waking_in_the_order_of_waiting_and_leaving_from_the_middle()
  local queue, order = {}, {}
  task.scope(function(s)
    local scopes = {}
    for i = 1, 4 do
      s:spawn(function()
        task.scope(function(inner)
          scopes[i] = inner
          task.wait_on(queue)
          order[#order + 1] = i
        end)
      end)
    end
    task.yield()
    scopes[2]:cancel()
    scopes[4]:cancel()
    lu.assertTrue(task.wake_one(queue) ~= nil)
    task.yield()
    lu.assertEquals(order, { 1 })
    task.wake_all(queue)
    lu.assertNil(task.wake_one(queue))
  end)
  lu.assertEquals(order, { 1, 3 })
  lu.assertEquals(queue, {})
end

function T.test_a_task_woken_and_then_cancelled_goes_on_to_its_next_wait()
  local queue, steps = {}, {}
  task.scope(function(s)
    s:spawn(function()
      task.wait_on(queue)
      steps[1] = "woken"
      steps[2] = pcall(task.yield)
    end)
    task.yield()
    task.wake_one(queue)
    s:cancel()
  end)
  lu.assertEquals(steps, { "woken", false })
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
  lu.assertEquals(list, {})
end

function T.test_one_that_is_woken_and_cancelled_in_the_same_turn_runs_once()
  local list = {}
  task.scope(function(s)
    s:spawn(function()
      task.wait_on(list)
      sleep_out_the_cancellation()
    end)
    task.yield()
    task.wake_all(list)
    s:cancel()
  end)
end

function T.test_all_runs_at_once_in_order()
  local results = task.all {
    function() task.sleep(0.004); return "a" end,
    function() return nil end,
    function() return "c" end,
  }
  lu.assertEquals(results, { "a", nil, "c", n = 3 })
  local e = raised(task.all, { forever, function() error(err.new("http", "x"), 0) end })
  lu.assertEquals(e.code, "http")
end

-- ---- the scheduler ----

function T.test_ten_thousand_tasks()
  local n = 0
  task.scope(function(s)
    for i = 1, 10000 do
      s:spawn(function()
        if i % 2 == 0 then task.sleep(0.001 * (i % 7)) else task.yield() end
        n = n + 1
      end)
    end
  end)
  lu.assertEquals(n, 10000)
end

function T.test_what_waits_survives_the_shrinking_after_a_peak()
  local woken = 0
  task.scope(function(s)
    for i = 1, 40 do
      s:spawn(function()
        task.sleep(0.05 + i / 1000)
        woken = woken + 1
      end)
    end
    task.yield()
    for _ = 1, 3 do -- peaks of 10,000 around them
      task.scope(function(inner)
        for _ = 1, 10000 do inner:spawn(task.sleep, 0.001) end
      end)
      collectgarbage()
    end
  end)
  lu.assertEquals(woken, 40)
end

function T.test_a_waiting_task_is_small()
  if os.getenv "RUSHES_SLOW" then lu.skip "counts bytes, not under a checker" end
  local N = 5000
  task.scope(function(s)
    local function wait() task.sleep(1e6) end
    collectgarbage()
    local before = collectgarbage "count"
    for _ = 1, N do s:spawn(wait) end
    task.sleep(0.001)
    collectgarbage()
    local bytes = (collectgarbage "count" - before) * 1024 / N
    s:cancel()
    lu.assertTrue(bytes < 1600, ("%.0f bytes of Lua heap per waiting task"):format(bytes))
  end)
end

function T.test_yield_lets_each_ready_task_run_once()
  local order = {}
  task.scope(function(s)
    for _, name in ipairs { "a", "b" } do
      s:spawn(function()
        for i = 1, 2 do order[#order + 1] = name .. i; task.yield() end
      end)
    end
  end)
  lu.assertEquals(order, { "a1", "b1", "a2", "b2" })
end

return T
