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

-- ---- cancellation ----

function T.test_cancelling_a_scope_is_no_failure()
  local value, e = task.scope(function(s)
    s:cancel "enough"
    forever()
  end)
  lu.assertNil(value)
  lu.assertTrue(err.is(e, "cancelled"))
  lu.assertEquals(e.message, "enough")
end

function T.test_a_body_that_was_not_interrupted_keeps_its_results()
  lu.assertEquals(task.scope(function(s)
    s:spawn(forever)
    s:cancel()
    return "done"
  end), "done")
end

function T.test_cancellation_raises_at_every_later_wait()
  local raises = 0
  task.scope(function(s)
    s:spawn(function()
      for _ = 1, 3 do
        local ok, e = pcall(task.sleep, 0)
        if not ok and e.code == "cancelled" then raises = raises + 1 end
      end
      local ok = pcall(task.yield)
      if not ok then raises = raises + 1 end
      lu.assertTrue(task.cancelled())
    end)
    s:cancel()
  end)
  lu.assertEquals(raises, 4)
end

function T.test_try_does_not_catch_the_tasks_own_cancellation()
  local reached = false
  task.scope(function(s)
    s:spawn(function()
      task.try(forever)
      reached = true
    end)
    task.yield()
    s:cancel()
  end)
  lu.assertFalse(reached)
end

function T.test_try_catches_the_cancellation_of_another_task()
  local e
  task.scope(function(s)
    local other
    task.scope(function(inner)
      other = inner:spawn(forever)
      inner:cancel()
    end)
    s:spawn(function() e = select(2, task.try(other.await, other)) end)
  end)
  lu.assertEquals(e.code, "cancelled")
end

function T.test_cancellation_flows_into_scopes_within()
  local ended = {}
  task.scope(function(s)
    s:spawn(function()
      task.scope(function(inner)
        inner:spawn(function() pcall(forever); ended[#ended + 1] = "child" end)
        forever()
      end)
      ended[#ended + 1] = "never"
    end)
    task.yield()
    task.yield()
    s:cancel()
  end)
  lu.assertEquals(ended, { "child" })
end

function T.test_only_the_cancelled_scope_returns()
  local order = {}
  local function inner()
    local _, e = task.scope(function() forever() end)
    order[#order + 1] = e -- not reached: the outer scope was cancelled
  end
  local _, e = task.scope(function(s)
    s:spawn(function() task.yield(); s:cancel "outer" end)
    inner()
  end)
  lu.assertEquals(e.message, "outer")
  lu.assertEquals(order, {})
end

function T.test_a_spawn_in_a_cancelled_scope_starts_and_its_first_wait_raises()
  local started, ended = false, false
  task.scope(function(s)
    s:cancel()
    s:spawn(function() started = true; task.sleep(0); ended = true end)
  end)
  lu.assertTrue(started)
  lu.assertFalse(ended)
end

function T.test_what_has_finished_is_delivered_and_the_next_wait_raises()
  local got, after
  task.scope(function(s)
    s:spawn(function()
      got = task.await(timer.sleep(0))
      after = pcall(task.sleep, 0)
    end)
    task.yield()
    local t0 = core.now()
    while core.now() - t0 < 0.005 do end -- the timer is due; then both are ready
    task.await(timer.sleep(0))
    s:cancel()
  end)
  lu.assertTrue(got)
  lu.assertFalse(after)
end

function T.test_a_shield_holds_cancellation_off_for_a_while()
  local steps = {}
  task.scope(function(s)
    s:spawn(function()
      pcall(forever)
      steps[1] = task.shield(5, function()
        task.sleep(0.001)
        return task.scope(function(inner)
          return inner:spawn(function() task.sleep(0); return "cleaned up" end):await()
        end)
      end)
      steps[2] = pcall(task.sleep, 0)
    end)
    task.yield()
    s:cancel()
  end)
  lu.assertEquals(steps, { "cleaned up", false })
end

function T.test_a_shield_ends_by_itself()
  local value, e
  task.scope(function(s)
    s:spawn(function()
      pcall(forever)
      value, e = task.shield(0.005, forever)
    end)
    task.yield()
    s:cancel()
  end)
  lu.assertNil(value)
  lu.assertEquals(e.code, "timeout")
end

function T.test_close_handlers_run_and_may_wait_in_a_shield()
  local order = {}
  task.scope(function(s)
    s:spawn(function()
      local guard <close> = setmetatable({}, { __close = function() -- luacheck: ignore 211
        task.shield(5, task.sleep, 0.001)
        order[#order + 1] = "closed"
      end })
      forever()
    end)
    task.yield()
    s:cancel()
  end)
  lu.assertEquals(order, { "closed" })
  raised(task.scope, function(s)
    s:spawn(function()
      local guard <close> = setmetatable({}, { __close = function() -- luacheck: ignore 211
        task.shield(5, task.sleep, 0.001)
        order[#order + 1] = "closed after an error"
      end })
      error "x"
    end)
  end)
  lu.assertEquals(order[2], "closed after an error")
end

function T.test_an_operation_is_asked_to_end_only_once()
  local op
  task.scope(function(s)
    s:spawn(function() op = timer.sleep(1e6); task.await(op) end)
    task.yield()
    op:cancel()
    op:cancel()
    s:cancel()
  end)
  lu.assertTrue(op:done())
end

function T.test_await_in_a_cancelled_task_ends_the_operation()
  local before = core.pending()
  task.scope(function(s)
    s:spawn(function() task.await(timer.sleep(1e6)) end)
    s:cancel()
  end)
  for _ = 1, 10 do task.yield() end
  lu.assertTrue(core.pending() <= before)
end

-- ---- deadlines ----

function T.test_timeout_gives_the_results_or_the_error()
  lu.assertEquals(table.pack(task.timeout(5, function(a) return a, nil end, 1)),
    { 1, nil, n = 2 })
  local value, e = task.timeout(0.002, forever)
  lu.assertNil(value)
  lu.assertTrue(err.is(e, "timeout"))
  lu.assertTrue(e.retryable)
  lu.assertEquals(e.message, "took longer than 0.002 s")
end

function T.test_the_nearer_of_nested_deadlines_wins()
  local inner = {}
  local _, e = task.timeout(0.002, function()
    inner[1] = table.pack(task.timeout(60, forever))
  end)
  lu.assertEquals(e.code, "timeout")
  lu.assertEquals(inner, {})
  local value = task.timeout(60, function()
    local _, why = task.timeout(0.002, forever)
    return why.code
  end)
  lu.assertEquals(value, "timeout")
end

function T.test_an_error_inside_a_timeout_is_raised()
  local e = raised(task.timeout, 60, function() error(err.new("http", "x"), 0) end)
  lu.assertEquals(e.code, "http")
end

return T
