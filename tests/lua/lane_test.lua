--- Lanes: slots, whose turn it is, leaving the line.
local lu = require "luaunit"
local rig = require "lua.lane_rig"
local lanes = require "rushes.money.lane"
local stop = require "rushes.stop"
local task = require "rt.task"

local T = rig.suite()
local M, DAY = rig.MODEL, rig.DAY
local account, pass, settle = rig.account, rig.pass, rig.settle
local waiters, names = rig.waiters, rig.names

-- ---- slots ----

function T.test_no_limit_makes_nobody_wait()
  local all = lanes.new()
  local slots = {}
  for i = 1, 1000 do slots[i] = all:acquire(M) end
  lu.assertEquals(all:state(M), { busy = 1000, waiting = 0, used = 0 })
  for _, slot in ipairs(slots) do slot:accepted() end
  lu.assertEquals(all:state(M).used, 1000)
end

function T.test_no_more_than_the_account_allows_at_once()
  local all = account { at_once = 3, used = 0 }
  local most, running, ended = 0, 0, 0
  task.scope(function(s)
    for _ = 1, 20 do
      s:spawn(function()
        local slot <close> = all:acquire(M, { shot = "a" }) -- luacheck: ignore 211
        running = running + 1
        most = math.max(most, running)
        task.sleep(0.001)
        running, ended = running - 1, ended + 1
      end)
    end
  end)
  lu.assertEquals({ most, ended }, { 3, 20 })
  lu.assertEquals(all:state(M), { at_once = 3, busy = 0, waiting = 0, used = 0 })
end

function T.test_lanes_of_other_models_are_apart()
  local all = account { at_once = 1, used = 0 }
  all:acquire(M)
  lu.assertNotNil(all:acquire "gen4_turbo")
end

function T.test_releasing_twice_gives_one_slot()
  local all = account { at_once = 1, used = 0 }
  task.scope(function(s)
    local slot = all:acquire(M)
    local got = waiters(s, all, { "a", "b" })
    slot:release()
    slot:release()
    settle()
    lu.assertEquals(names(got), "a")
    got.slots[1]:release()
  end)
end

function T.test_priority_then_shots_in_turn_then_first_come()
  local all = account { at_once = 1, used = 0 }
  task.scope(function(s)
    local slot = all:acquire(M, { shot = "a" })
    local got = waiters(s, all, { "a", "a", "b", "c/7", "b" })
    lu.assertEquals(all:state(M).waiting, 5)
    for _ = 1, 5 do
      slot:release()
      settle()
      slot = got.slots[#got.slots]
    end
    lu.assertEquals(names(got), "c/7 b a b a")
  end)
end

function T.test_a_newcomer_does_not_pass_those_who_wait()
  local all = account { at_once = 1, used = 0 }
  task.scope(function(s)
    local slot = all:acquire(M, { shot = "a" })
    local got = waiters(s, all, { "a", "a" })
    slot:release() -- granted, but that task has not run yet
    s:spawn(function()
      got.slots[3] = all:acquire(M, { shot = "a" })
      got[#got + 1] = "late"
    end)
    settle()
    lu.assertEquals(names(got), "a")
    for i = 1, 2 do
      got.slots[i]:release()
      settle()
    end
    lu.assertEquals(names(got), "a a late")
  end)
end

function T.test_raised_limits_let_more_in()
  local all = account { at_once = 1, used = 0 }
  task.scope(function(s)
    local got = waiters(s, all, { "a", "b", "c" })
    lu.assertEquals(names(got), "a")
    all:update { lanes = { [M] = { at_once = 2, used = 0 } } }
    settle()
    lu.assertEquals(names(got), "a b")
    all:update { lanes = {} } -- not told is unlimited
    settle()
    lu.assertEquals(names(got), "a b c")
  end)
end

-- ---- leaving the line ----

function T.test_a_cancelled_waiter_leaves_and_loses_no_slot()
  local all = account { at_once = 1, used = 0 }
  local slot = all:acquire(M)
  task.scope(function(s)
    waiters(s, all, { "a", "b" })
    s:cancel()
  end)
  lu.assertEquals(all:state(M).waiting, 0)
  task.scope(function(s) -- granted first, cancelled then
    waiters(s, all, { "a" })
    slot:release()
    lu.assertEquals(all:state(M).busy, 1)
    s:cancel()
  end)
  task.scope(function(s) -- cancelled first, granted before it has left
    slot = all:acquire "other"
    all:update { lanes = { other = { at_once = 1 } } }
    waiters(s, all, { "a" }, "other")
    s:cancel()
    slot:release()
  end)
  lu.assertEquals(all:state "other", { at_once = 1, busy = 0, waiting = 0, used = 0 })
end

function T.test_a_cancelled_task_gets_no_slot()
  local all, got = account { used = 0 }, nil
  task.scope(function(s)
    s:spawn(function() got = all:acquire(M) end)
    s:cancel()
  end)
  lu.assertNil(got)
  lu.assertEquals(all:state(M).busy, 0)
end

function T.test_a_stop_sends_all_who_wait_away_at_once()
  local all = account { at_once = 1, used = 0 }
  local slot = all:acquire(M)
  task.scope(function(s)
    local got = waiters(s, all, { "a", "b", "c" })
    all:close("gen4_turbo", 1000)
    local closed = waiters(s, all, { "x", "y" }, "gen4_turbo")
    stop.request "Ctrl-C"
    settle()
    lu.assertEquals(names(got), "stopped stopped stopped")
    lu.assertEquals(names(closed), "stopped stopped")
  end)
  local none, e = all:acquire "gen4_turbo"
  lu.assertNil(none)
  lu.assertEquals(e.code, "stopped")
  slot:release()
  lu.assertEquals({ all:state(M).busy, all:state(M).waiting }, { 0, 0 })
end

function T.test_a_model_that_the_account_may_not_use_is_an_error()
  local all = account { at_once = 1, used = 0 }
  local slot = all:acquire(M)
  task.scope(function(s)
    local got = waiters(s, all, { "a" })
    all:update { lanes = { [M] = { at_once = 0, used = 0 } } }
    settle()
    lu.assertEquals(names(got), "provider")
  end)
  slot:release()
  local _, e = account({ daily = 0, used = 0 }):acquire(M)
  lu.assertEquals(e.class, "quota")
  lu.assertStrContains(e.message, "may not generate with gen4.5 (its limit is 0 a day)")
end

-- ---- somebody else uses the account ----

function T.test_a_throttled_lane_shrinks_and_grows_back_step_by_step()
  local all = account { at_once = 4, used = 0 }
  for _ = 1, 2 do all:throttled(M) end
  lu.assertEquals(all:state(M).at_once, 2)
  pass(299)
  lu.assertEquals(all:state(M).at_once, 2)
  pass(1)
  lu.assertEquals(all:state(M).at_once, 3)
  pass(300)
  lu.assertEquals(all:state(M).at_once, 4)
  for _ = 1, 9 do all:throttled(M) end
  lu.assertEquals(all:state(M).at_once, 1)
  pass(DAY)
  lu.assertEquals(all:state(M).at_once, 4)
end

function T.test_an_unlimited_lane_shrinks_from_what_is_under_way()
  local all = account { used = 0 }
  for _ = 1, 5 do all:acquire(M) end
  all:throttled(M)
  lu.assertEquals(all:state(M).at_once, 4)
  task.scope(function(s)
    local got = waiters(s, all, { "a" })
    lu.assertEquals(names(got), "")
    pass(600) -- it is unlimited again; a newcomer notices and lets the first one go first
    lu.assertNotNil(all:acquire(M))
    settle()
    lu.assertEquals(names(got), "a")
  end)
  lu.assertNil(all:state(M).at_once)
end

--- Now and then the account allows another number, or the provider interferes.
local function disturb(all, limits)
  local dice = math.random(6)
  if dice == 1 then
    limits.at_once = math.random(2, 6)
    all:update { lanes = { [M] = limits } }
  elseif dice == 2 then
    all:close(M, math.random() * 0.003)
  elseif dice == 3 then
    all:throttled(M)
  end
end

function T.test_whatever_happens_no_slot_is_lost_and_nobody_is_forgotten()
  for seed = 1, 8 do
    math.randomseed(seed)
    local limits = { at_once = 3, daily = 1000, used = 0 }
    local all, ended, given_up = account(limits), 0, 0
    task.scope(function(s)
      for i = 1, 150 do
        s:spawn(function()
          local patience = math.random(4) == 1 and math.random() * 0.01 or 100
          local ok = task.timeout(patience, function()
            local slot <close> = all:acquire(M, { shot = "s" .. i % 7, priority = i % 2 })
            lu.assertTrue(all:state(M).busy <= 6)
            if math.random(2) == 1 then slot:accepted() end
            task.sleep(math.random() * 0.002)
            return true
          end)
          if ok then ended = ended + 1 else given_up = given_up + 1 end
        end)
      end
      for _ = 1, 40 do
        disturb(all, limits)
        task.sleep(0.001)
      end
    end)
    lu.assertEquals(ended + given_up, 150)
    lu.assertTrue(ended >= 75)
    local state = all:state(M)
    lu.assertEquals({ state.busy, state.waiting }, { 0, 0 })
  end
end

function T.test_ten_thousand_takes_through_one_lane()
  local all = account { at_once = 20, daily = 20000, used = 0 }
  local order = {}
  task.scope(function(s)
    for i = 1, 10000 do
      s:spawn(function()
        local slot <close> = all:acquire(M, { shot = "s" .. i % 100 })
        slot:accepted()
        order[#order + 1] = i
        task.yield()
      end)
    end
  end)
  lu.assertEquals(all:state(M).used, 10000)
  local seen = {}
  for n = 1, 200 do -- each shot twice before any a fourth time
    local shot = order[n] % 100
    seen[shot] = (seen[shot] or 0) + 1
    lu.assertTrue(seen[shot] <= 3)
  end
end

return T
