local lu = require "luaunit"
local core = require "rt.c.core"
local event = require "rushes.event"
local lanes = require "rushes.money.lane"
local stop = require "rushes.stop"
local task = require "rt.task"

local T = {}

local DAY, M = 86400, "gen4.5"

--- Clocks that a test moves; they go on by themselves as well.
local clocks

local function account(limits, look)
  clocks = { now = 0, wall = 1.7e9 - core.now() }
  local new = lanes.new { look = look,
    now = function() return clocks.now + core.now() end,
    wall = function() return clocks.wall + core.now() end }
  new:update { lanes = { [M] = limits } }
  return new
end

local function pass(seconds)
  clocks.now, clocks.wall = clocks.now + seconds, clocks.wall + seconds
end

--- Let every task run until it waits.
local function settle()
  for _ = 1, 5 do task.yield() end
end

--- Spawn waiters; their names stand in `got` in the order in which they get a slot, the
--- slots in `got.slots`.
local function waiters(s, all, list, model)
  local got = { slots = {} }
  for _, name in ipairs(list) do
    s:spawn(function()
      local shot, priority = name:match "^(%w+)/?(%d*)"
      local slot, e = all:acquire(model or M, { shot = shot, priority = tonumber(priority) })
      got[#got + 1] = slot and name or e.code
      got.slots[#got.slots + 1] = slot
    end)
  end
  settle()
  return got
end

local function names(got) return table.concat(got, " ") end

--- One more waiter, the first to watch the clock; gives the function that ends it.
local function watcher(s, all)
  local scope
  s:spawn(function()
    task.scope(function(inner)
      scope = inner
      all:acquire(M)
    end)
  end)
  settle()
  return function() scope:cancel() end
end

local notes, off

function T:setUp()
  notes = {}
  off = event.subscribe(function(kind, f)
    if kind == "note" then notes[#notes + 1] = f.text end
  end)
end

function T:tearDown()
  off()
  stop.reset()
end

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

-- ---- closed ----

function T.test_a_closed_lane_opens_by_itself_with_one_note()
  local all = account { at_once = 2, used = 0 }
  local started = core.now()
  for _ = 1, 3 do all:close(M, 0.2, "the daily limit is reached") end
  lu.assertEquals(#notes, 1)
  lu.assertStrMatches(notes[1], "gen4%.5: the daily limit is reached; nothing more is"
    .. " sent until %d%d:%d%d")
  lu.assertAlmostEquals(all:state(M).closed_until, clocks.wall + started + 0.2, 0.2)
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
    all:close(M, clocks.wall + core.now() + DAY)
    lu.assertStrMatches(notes[1], "gen4%.5: the provider takes no more for now; nothing"
      .. " more is sent until %d%d:%d%d on %a%a%a %d%d %a%a%a")
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
    lu.assertEquals(notes, {})
  end)
end

function T.test_at_the_cap_nothing_is_sent_until_the_oldest_falls_out()
  local all = account { daily = 3, used = 0 }
  all:seed(M, { clocks.wall + core.now() - DAY + 100 })
  for _ = 1, 2 do all:acquire(M):accepted() end
  task.scope(function(s)
    local got = waiters(s, all, { "a", "b" })
    lu.assertEquals(#notes, 1)
    lu.assertStrMatches(notes[1], "gen4%.5: the account's limit for 24 hours %(3%)"
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
    lu.assertEquals(#notes, 1)
    s:cancel()
  end)
end

function T.test_the_oldest_falls_out_while_all_wait()
  local all = account { daily = 1, used = 0 }
  all:seed(M, { clocks.wall + core.now() - DAY + 0.2 })
  task.scope(function(s)
    local got = waiters(s, all, { "a" })
    lu.assertEquals(names(got), "")
  end)
  lu.assertEquals(all:state(M).busy, 1)
end

function T.test_what_the_journal_knows_is_part_of_what_the_account_has_counted()
  local all = account { daily = 10, used = 6 }
  local now = clocks.wall + core.now()
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
  lu.assertStrMatches(notes[1], ".* is reached; rushes looks again at %d%d:%d%d.*")
  slot:accepted()
  slot:release()
  lu.assertEquals((an_hour_later "b"), "b")
  lu.assertEquals({ looks, all:state(M).used, #notes }, { 2, 3, 2 })
end

function T.test_a_wall_clock_that_is_set_back_neither_hangs_nor_overspends()
  local all = account { daily = 2, used = 0 }
  all:acquire(M):accepted()
  clocks.wall = clocks.wall + 300 * DAY -- somebody's mistake
  all:acquire(M):accepted()
  all:acquire(M):accepted()
  clocks.wall = clocks.wall - 300 * DAY
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
  clocks.wall = clocks.wall + 5000 -- the monotonic clock stood still
  lu.assertNotNil(all:acquire(M))
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
