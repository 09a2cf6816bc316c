--- Lanes that are closed, and the daily cap.
local lu = require "luaunit"
local core = require "rt.c.core"
local rig = require "lua.lane_rig"
local task = require "rt.task"

local T = rig.suite()
local M, DAY = rig.MODEL, rig.DAY
local account, pass, settle = rig.account, rig.pass, rig.settle
local waiters, watcher, names = rig.waiters, rig.watcher, rig.names

-- ---- closed ----

function T.test_a_closed_lane_opens_by_itself_with_one_note()
  local all = account { at_once = 2, used = 0 }
  local started = core.now()
  for _ = 1, 3 do all:close(M, 0.2, "the daily limit is reached") end
  lu.assertEquals(#rig.notes, 1)
  lu.assertStrMatches(rig.notes[1], "gen4%.5: the daily limit is reached; nothing more is"
    .. " sent until %d%d:%d%d")
  lu.assertAlmostEquals(all:state(M).closed_until, rig.wall() + 0.2, 0.2)
  task.scope(function(s)
    local got = waiters(s, all, { "a", "b" })
    lu.assertEquals(names(got), "")
  end)
  lu.assertTrue(core.now() - started >= 0.2)
  lu.assertEquals(all:state(M).busy, 2)
  lu.assertNil(all:state(M).closed_until)
end

function T.test_a_close_while_they_wait_and_a_time_instead_of_seconds()
  local all = account { at_once = 1, used = 0 }
  local slot = all:acquire(M)
  task.scope(function(s)
    local got = waiters(s, all, { "a" })
    all:close(M, rig.wall() + DAY)
    lu.assertStrMatches(rig.notes[1], "gen4%.5: the provider takes no more for now; nothing"
      .. " more is sent until %d%d%d%d%-%d%d%-%d%d %d%d:%d%d")
    slot:release()
    settle()
    lu.assertEquals(names(got), "")
    all:close(M, 0.01)
  end)
  lu.assertEquals(all:state(M).busy, 1)
end

function T.test_the_duty_of_watching_the_clock_goes_on_to_another()
  local all = account { at_once = 9, used = 0 }
  all:close(M, 0.1)
  task.scope(function(s)
    local first, second = watcher(s, all), watcher(s, all)
    waiters(s, all, { "a", "b", "c" })
    first()
    settle()
    second()
  end)
  lu.assertEquals(all:state(M), { at_once = 9, busy = 3, waiting = 0, used = 0 })
end

-- ---- the daily cap ----

function T.test_the_cap_counts_calls_that_are_not_accepted_yet()
  local all = account { daily = 2, used = 0 }
  task.scope(function(s)
    local first, second = all:acquire(M), all:acquire(M)
    local got = waiters(s, all, { "a" })
    first:release() -- it was refused, so it does not count
    settle()
    lu.assertEquals(names(got), "a")
    got.slots[1]:accepted()
    got.slots[1]:accepted()
    second:accepted()
    second:release()
    lu.assertEquals(all:state(M), { busy = 1, waiting = 0, daily = 2, used = 2 })
    lu.assertEquals(rig.notes, {})
  end)
end

function T.test_at_the_cap_nothing_is_sent_until_the_oldest_falls_out()
  local all = account { daily = 3, used = 0 }
  all:seed(M, { rig.wall() - DAY + 100 })
  for _ = 1, 2 do all:acquire(M):accepted() end
  task.scope(function(s)
    local got = waiters(s, all, { "a", "b" })
    lu.assertEquals(#rig.notes, 1)
    lu.assertStrMatches(rig.notes[1], "gen4%.5: the account's limit for 24 hours %(3%)"
      .. " is reached; the next one can be sent at %d%d:%d%d.*")
    pass(99)
    s:spawn(function() all:acquire(M) end)
    settle()
    lu.assertEquals(names(got), "")
    pass(1.5)
    s:spawn(function() all:acquire(M) end)
    settle()
    lu.assertEquals(names(got), "a")
    got.slots[1]:accepted()
    settle()
    lu.assertEquals(names(got), "a")
    lu.assertEquals(#rig.notes, 1)
    s:cancel()
  end)
end

function T.test_the_oldest_falls_out_while_all_wait()
  local all = account { daily = 1, used = 0 }
  all:seed(M, { rig.wall() - DAY + 0.2 })
  task.scope(function(s)
    local got = waiters(s, all, { "a" })
    lu.assertEquals(names(got), "")
  end)
  lu.assertEquals(all:state(M).busy, 1)
end

function T.test_what_the_journal_knows_is_part_of_what_the_account_has_counted()
  local all = account { daily = 10, used = 6 }
  local now = rig.wall()
  all:seed(M, { now - 10, now - 20, now - DAY - 1 })
  lu.assertEquals(all:state(M).used, 6)
  all:acquire(M):accepted()
  lu.assertEquals(all:state(M).used, 7)
  all:update { lanes = { [M] = { daily = 10, used = 8 } } }
  lu.assertEquals(all:state(M).used, 8)
  pass(DAY) -- ours have fallen out, of the others nothing is known
  lu.assertEquals(all:state(M).used, 5)
end

function T.test_when_others_have_used_it_up_the_account_is_looked_at_each_hour()
  local all, looks = nil, 0
  all = account({ daily = 5, used = 5 }, function()
    looks = looks + 1
    task.yield()
    if looks == 1 then return nil, "no connection" end
    all:update { lanes = { [M] = { daily = 5, used = 3 } } }
    return true
  end)
  local function an_hour_later(name)
    local got
    task.scope(function(s)
      local give_up = watcher(s, all)
      got = waiters(s, all, { name })
      lu.assertEquals(names(got), "")
      pass(3599.95)
      give_up() -- the next one watches, with this little time left
    end)
    return names(got), got.slots[1]
  end
  local name, slot = an_hour_later "a" -- the look fails: one call may try
  lu.assertEquals({ looks, name }, { 1, "a" })
  lu.assertStrMatches(rig.notes[1], ".* is reached; rushes looks again at %d%d:%d%d.*")
  slot:accepted()
  slot:release()
  lu.assertEquals((an_hour_later "b"), "b")
  lu.assertEquals({ looks, all:state(M).used, #rig.notes }, { 2, 3, 2 })
end

function T.test_a_wall_clock_that_is_set_back_neither_hangs_nor_overspends()
  local all = account { daily = 2, used = 0 }
  all:acquire(M):accepted()
  pass(300 * DAY, "wall") -- somebody's mistake
  all:acquire(M):accepted()
  all:acquire(M):accepted()
  pass(-300 * DAY, "wall")
  task.scope(function(s)
    local got = waiters(s, all, { "a" })
    lu.assertEquals(all:state(M).used, 2)
    pass(DAY - 10)
    s:spawn(function() all:acquire(M) end)
    settle()
    lu.assertEquals(names(got), "")
    pass(20)
    s:spawn(function() all:acquire(M) end)
    settle()
    lu.assertEquals(names(got), "a")
    s:cancel()
  end)
end

function T.test_a_computer_that_slept_finds_a_closed_lane_open()
  local all = account { used = 0 }
  all:close(M, 4000)
  pass(5000, "wall") -- the monotonic clock stood still
  lu.assertNotNil(all:acquire(M))
end

return T
