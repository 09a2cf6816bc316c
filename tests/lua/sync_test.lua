local lu = require "luaunit"
local task = require "rt.task"

local T = {}

function T.test_a_semaphore_bounds_how_many_run()
  local sem = task.semaphore(3)
  local running, most = 0, 0
  task.scope(function(s)
    for _ = 1, 20 do
      s:spawn(function()
        sem:with(function()
          running = running + 1
          most = math.max(most, running)
          task.sleep(0.001)
          running = running - 1
        end)
      end)
    end
  end)
  lu.assertEquals(most, 3)
  lu.assertEquals(sem.free, 3)
end

function T.test_slots_are_given_in_the_order_of_asking()
  local sem, order = task.semaphore(1), {}
  sem:acquire()
  task.scope(function(s)
    for i = 1, 3 do
      s:spawn(function() sem:with(function() order[#order + 1] = i end) end)
    end
    task.yield()
    sem:release()
  end)
  lu.assertEquals(order, { 1, 2, 3 })
end

function T.test_with_gives_results_and_releases_after_an_error()
  local sem = task.semaphore(1)
  lu.assertEquals(table.pack(sem:with(function(a) return a, nil end, 1)), { 1, nil, n = 2 })
  lu.assertErrorMsgContains("oops", sem.with, sem, error, "oops")
  lu.assertEquals(sem.free, 1)
end

function T.test_a_cancelled_waiter_loses_no_slot()
  local sem = task.semaphore(1)
  sem:acquire()
  task.scope(function(s)
    s:spawn(sem.acquire, sem)
    s:spawn(sem.acquire, sem)
    task.yield()
    s:cancel()
  end)
  sem:release()
  lu.assertEquals(sem.free, 1)
  task.scope(function(s) -- woken first, cancelled then: it has the slot and gives it back
    sem:acquire()
    s:spawn(sem.with, sem, task.yield)
    task.yield()
    sem:release()
    s:cancel()
  end)
  lu.assertEquals(sem.free, 1)
end

function T.test_a_cancelled_task_gets_no_slot_even_if_one_is_free()
  local sem = task.semaphore(1)
  local got
  task.scope(function(s)
    s:spawn(function() sem:acquire(); got = true end)
    s:cancel()
  end)
  lu.assertNil(got)
  lu.assertEquals(sem.free, 1)
end

function T.test_wrong_use_of_a_semaphore()
  lu.assertErrorMsgContains("whole number from 1 on, not 0", task.semaphore, 0)
  lu.assertErrorMsgContains("whole number from 1 on, not 1.5", task.semaphore, 1.5)
  local sem = task.semaphore(1)
  lu.assertErrorMsgContains("more often than acquired", sem.release, sem)
end

function T.test_a_channel_keeps_the_order_through_any_capacity()
  for _, capacity in ipairs { 0, 1, 7, 1000 } do
    local ch, got = task.channel(capacity), {}
    task.scope(function(s)
      s:spawn(function()
        for i = 1, 100 do lu.assertTrue(ch:send(i)) end
        ch:close()
      end)
      for v in ch:each() do
        got[#got + 1] = v
        if v % 10 == 0 then task.yield() end
      end
    end)
    lu.assertEquals(#got, 100)
    for i = 1, 100 do lu.assertEquals(got[i], i) end
  end
end

function T.test_a_send_without_capacity_waits_for_its_receiver()
  local ch, order = task.channel(), {}
  task.scope(function(s)
    s:spawn(function() ch:send(1); order[#order + 1] = "sent" end)
    task.yield()
    task.yield()
    order[#order + 1] = "receiving"
    lu.assertEquals(ch:recv(), 1)
  end)
  lu.assertEquals(order, { "receiving", "sent" })
end

function T.test_false_can_be_sent_and_nil_cannot()
  local ch = task.channel(1)
  lu.assertTrue(ch:send(false))
  lu.assertEquals(ch:recv(), false)
  task.scope(function(s) -- and straight from hand to hand
    s:spawn(function() ch:send(true); ch:send(false); ch:send(false) end)
    lu.assertEquals({ ch:recv(), ch:recv(), ch:recv() }, { true, false, false })
  end)
  lu.assertErrorMsgContains("nil cannot be sent", ch.send, ch, nil)
end

function T.test_closing_wakes_everybody()
  local ch, results = task.channel(1), {}
  task.scope(function(s)
    ch:send "buffered"
    s:spawn(function()
      local ok, e = ch:send "too late"
      results.send = { ok, e.code }
    end)
    task.yield()
    ch:close()
    lu.assertEquals(ch:recv(), "buffered")
    lu.assertNil(ch:recv())
  end)
  lu.assertEquals(results.send, { nil, "closed" })
  local _, e = ch:send(1)
  lu.assertEquals(e.code, "closed")
  local empty, ended = task.channel(), nil
  task.scope(function(s)
    s:spawn(function() ended = empty:recv() == nil end)
    task.yield()
    empty:close()
  end)
  lu.assertTrue(ended)
end

function T.test_a_cancelled_receiver_or_sender_loses_no_value()
  local ch, got = task.channel(), {}
  task.scope(function(s)
    task.scope(function(inner)
      inner:spawn(function() got[#got + 1] = ch:recv() end)
      task.yield()
      inner:cancel()
    end)
    s:spawn(function() ch:send "kept" end)
    lu.assertEquals(ch:recv(), "kept")
    task.scope(function(inner) -- handed over, then cancelled: it is there
      inner:spawn(function() got[#got + 1] = ch:recv() end)
      task.yield()
      ch:send "handed over"
      inner:cancel()
    end)
    task.scope(function(inner) -- a sender that gave up sends nothing
      inner:spawn(ch.send, ch, "given up")
      task.yield()
      inner:cancel()
    end)
    s:spawn(function() ch:close() end)
    lu.assertNil(ch:recv())
  end)
  lu.assertEquals(got, { "handed over" })
end

function T.test_a_cancelled_sender_that_later_receives_gets_no_old_value()
  local ch, other, got = task.channel(), task.channel(), "none"
  task.scope(function(s)
    s:spawn(function()
      task.timeout(0.001, ch.send, ch, "old")
      got = other:recv()
    end)
    task.sleep(0.01)
    other:close()
  end)
  lu.assertNil(got)
end

function T.test_a_cancelled_task_leaves_an_endless_hand_over()
  local ch, n = task.channel(10), 0
  task.scope(function(s)
    s:spawn(function()
      while true do
        ch:send(1)
        n = n + ch:recv()
        if n == 100 then s:cancel() end
      end
    end)
  end)
  lu.assertEquals(n, 100)
end

function T.test_wrong_use_of_a_channel()
  lu.assertErrorMsgContains("from 0 on, not -1", task.channel, -1)
end

return T
