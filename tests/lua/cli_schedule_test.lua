local lu = require "luaunit"
local schedule = require "rushes.cli.schedule"

local T = {}

local HOUR, DAY = 3600, 86400

--- n calls of one stage each.
local function calls(n, model, seconds)
  local list = {}
  for i = 1, n do
    list[i] = { key = "s" .. i, stage = "motion", model = model or "gen4.5",
      seconds = seconds or 60 }
  end
  return list
end

--- n takes of a still and a motion.
local function pairs_of(n, still, motion)
  local list = {}
  for i = 1, n do
    list[#list + 1] = { key = "s" .. i, stage = "still", model = "image", seconds = still }
    list[#list + 1] = { key = "s" .. i, stage = "motion", model = "video", seconds = motion,
      after = "still" }
  end
  return list
end

function T.test_nothing_to_do_takes_no_time()
  local f = schedule.finish({}, {})
  lu.assertEquals({ f.seconds, f.slots, f.last }, { 0, 0 })
end

function T.test_an_unlimited_lane_does_all_at_once()
  local f = schedule.finish(calls(500), { ["gen4.5"] = {} })
  lu.assertEquals({ f.seconds, f.slots, f.last }, { 60, 500, "gen4.5" })
  lu.assertEquals(schedule.finish(calls(2), {}).seconds, 60)
end

function T.test_slots_are_shared()
  lu.assertEquals(schedule.finish(calls(7), { ["gen4.5"] = { at_once = 3 } }).seconds, 180)
  lu.assertEquals(schedule.finish(calls(7), { ["gen4.5"] = { at_once = 1 } }).seconds, 420)
end

function T.test_no_more_slots_are_counted_than_there_are_calls()
  local f = schedule.finish(calls(2), { ["gen4.5"] = { at_once = 20 } })
  lu.assertEquals(f.slots, 2)
end

function T.test_models_do_not_wait_for_each_other()
  local list = calls(2, "a", 100)
  for _, call in ipairs(calls(4, "b", 30)) do
    call.key = call.key .. "b"
    list[#list + 1] = call
  end
  local f = schedule.finish(list, { a = { at_once = 1 }, b = { at_once = 2 } })
  lu.assertEquals({ f.seconds, f.last, f.slots }, { 200, "a", 3 })
end

function T.test_a_motion_waits_for_its_still()
  lu.assertEquals(schedule.finish(pairs_of(1, 40, 60), {}).seconds, 100)
  -- stills end at 40, 80, 120; the last motion begins then
  local f = schedule.finish(pairs_of(3, 40, 60), { image = { at_once = 1 },
    video = { at_once = 3 } })
  lu.assertEquals({ f.seconds, f.last }, { 180, "video" })
  -- one motion at a time: 40 + 3 * 60
  f = schedule.finish(pairs_of(3, 40, 60), { video = { at_once = 1 } })
  lu.assertEquals(f.seconds, 220)
end

function T.test_stages_of_one_model_share_its_lane()
  local list = pairs_of(1, 40, 60)
  list[2].model = "image"
  lu.assertEquals(schedule.finish(list, { image = { at_once = 1 } }).seconds, 100)
end

function T.test_a_motion_whose_still_is_there_begins_at_once()
  local list = pairs_of(1, 40, 60)
  table.remove(list, 1)
  lu.assertEquals(schedule.finish(list, {}).seconds, 60)
end

function T.test_longer_calls_of_one_lane_are_not_reordered()
  local list = calls(3)
  list[1].seconds, list[2].seconds, list[3].seconds = 100, 10, 10
  lu.assertEquals(schedule.finish(list, { ["gen4.5"] = { at_once = 2 } }).seconds, 100)
  list[1].seconds, list[3].seconds = 10, 100
  lu.assertEquals(schedule.finish(list, { ["gen4.5"] = { at_once = 2 } }).seconds, 110)
end

function T.test_the_daily_cap_holds_back_what_is_beyond_it()
  local f = schedule.finish(calls(5), { ["gen4.5"] = { daily = 3, used = 0 } })
  lu.assertEquals({ f.seconds, f.capped["gen4.5"], f.assumed }, { DAY + 60, 2, false })
end

function T.test_generations_of_the_last_day_count()
  local f = schedule.finish(calls(5), { ["gen4.5"] = { daily = 10, used = 5 } })
  lu.assertEquals({ f.seconds, f.capped["gen4.5"] }, { 60 })
  f = schedule.finish(calls(5), { ["gen4.5"] = { daily = 10, used = 6 } })
  lu.assertEquals({ f.seconds, f.capped["gen4.5"], f.assumed }, { DAY + 60, 1, true })
end

function T.test_our_own_leave_the_window_when_they_are_a_day_old()
  local accepted = { -23 * HOUR, -1 * HOUR, -25 * HOUR }
  local f = schedule.finish(calls(2), { ["gen4.5"] = { daily = 2, used = 2,
    accepted = accepted } })
  lu.assertEquals({ f.seconds, f.capped["gen4.5"], f.assumed },
    { 23 * HOUR + 60, 2, false })
  f = schedule.finish(calls(1), { ["gen4.5"] = { daily = 2, used = 2, accepted = accepted } })
  lu.assertEquals(f.seconds, HOUR + 60)
end

function T.test_over_several_days()
  local f = schedule.finish(calls(7), { ["gen4.5"] = { daily = 2, used = 0, at_once = 1 } })
  lu.assertEquals(f.seconds, 3 * DAY + 60)
end

function T.test_a_cap_of_none_is_never()
  lu.assertEquals(schedule.finish(calls(3), { ["gen4.5"] = { daily = 0 } }).seconds,
    math.huge)
end

function T.test_ten_thousand_calls_are_soon_planned()
  local before = os.clock()
  local f = schedule.finish(pairs_of(5000, 41, 64), { image = { at_once = 20 },
    video = { at_once = 20 } })
  lu.assertEquals(f.seconds, 41 + 250 * 64)
  lu.assertTrue(os.clock() - before < 5)
end

return T
