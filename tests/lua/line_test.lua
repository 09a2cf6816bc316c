--- The line of a lane and the window of its daily cap.
local lu = require "luaunit"
local lines = require "rushes.money.line"
local windows = require "rushes.money.window"

local T = {}

--- A line of waiters given as "shot" or "shot/priority"; `take` gives their names in
--- the order in which they are served.
local function line_of(names)
  local line, by = lines.new(), {}
  for i, name in ipairs(names) do
    local shot, priority = name:match "^(%w+)/?(%-?%d*)$"
    by[i] = { shot = shot, priority = tonumber(priority) or 0, name = name .. "#" .. i }
    line:add(by[i])
  end
  return line, by
end

local function take(line)
  local got = {}
  for waiter in line.next, line do
    line:count(waiter.shot)
    got[#got + 1] = waiter.name
  end
  return table.concat(got, " ")
end

function T.test_first_come_first_served_within_a_shot()
  lu.assertEquals(take(line_of { "a", "a", "a" }), "a#1 a#2 a#3")
end

function T.test_shots_take_turns()
  lu.assertEquals(take(line_of { "a", "a", "a", "b", "b", "c" }),
    "a#1 b#4 c#6 a#2 b#5 a#3")
end

function T.test_priority_goes_before_everything()
  lu.assertEquals(take(line_of { "a", "b", "a/5", "a/5", "b/-1", "c/5" }),
    "a/5#3 c/5#6 a/5#4 b#2 a#1 b/-1#5")
end

function T.test_a_shot_that_had_none_goes_before_one_that_had_many()
  local line = line_of { "old", "old" }
  for _ = 1, 3 do line:count "old" end
  line:add { shot = "new", priority = 0, name = "new#3" }
  line:add { shot = "new", priority = 0, name = "new#4" }
  lu.assertEquals(take(line), "new#3 new#4 old#1 old#2")
end

function T.test_whoever_leaves_is_not_served()
  local line, by = line_of { "a", "a", "a", "b", "b" }
  line:remove(by[1])
  line:remove(by[5])
  line:remove(by[4])
  lu.assertEquals({ line.n, line:first().name }, { 2, "a#2" })
  line:remove(by[3])
  lu.assertEquals(take(line), "a#2")
  lu.assertEquals({ line.n, #line:all() }, { 0, 0 })
  line:add(by[1])
  lu.assertEquals(take(line), "a#1")
end

--- Against the plain rule: look at everybody.
local function plainly(list, given)
  local best
  for i, w in ipairs(list) do
    local b = list[best]
    local had, least = given[w.shot] or 0, b and (given[b.shot] or 0)
    if not b or w.priority > b.priority or w.priority == b.priority
      and (had < least or had == least and w.number < b.number) then
      best = i
    end
  end
  return best
end

function T.test_any_order_of_coming_leaving_and_being_served()
  for seed = 1, 30 do
    math.randomseed(seed)
    local line, list = lines.new(), {}
    for _ = 1, 400 do
      local dice = math.random(10)
      if dice <= 5 then
        list[#list + 1] = { shot = "s" .. math.random(6), priority = math.random(3) }
        line:add(list[#list])
      elseif dice <= 7 and #list > 0 then
        line:remove(table.remove(list, math.random(#list)))
      elseif #list > 0 then
        local waiter = table.remove(list, plainly(list, line.given))
        lu.assertIs(line:next(), waiter, "seed " .. seed)
        line:count(waiter.shot)
      end
      lu.assertEquals(line.n, #list)
    end
    lu.assertEquals(#line:all(), #list)
  end
end

-- ---- the window ----

local DAY = windows.SPAN

function T.test_what_is_older_than_a_day_falls_out()
  local w = windows.new()
  for t = 100, 104 do w:add(t) end
  lu.assertEquals({ w:count(104), w:falls() }, { 5, 100 + DAY })
  lu.assertEquals({ w:count(101.5 + DAY), w:falls() }, { 3, 102 + DAY })
  lu.assertEquals({ w:count(1e9), w:falls() }, { 0, nil })
  w:add(1e9)
  lu.assertEquals(w:count(1e9), 1)
end

function T.test_earlier_acceptances_in_any_order()
  local w = windows.new()
  w:add(1000)
  lu.assertEquals(w:seed({ 999, 1000 - DAY, 500, 990 }, 1000), 3)
  lu.assertEquals({ w:count(1000), w:falls() }, { 4, 500 + DAY })
end

function T.test_a_clock_that_is_set_back_loses_nothing_and_holds_nothing_longer()
  local w = windows.new()
  w:add(5000)
  w:add(1e9) -- the clock was years ahead
  w:add(6000)
  lu.assertEquals({ w:count(6000), w:count(6000 + DAY - 1001) }, { 3, 3 })
  lu.assertEquals({ w:count(5000 + DAY), w:count(6000 + DAY) }, { 2, 0 })
  lu.assertEquals(w:seed({ 1e9 }, 7000), 1)
  lu.assertEquals(w:count(7000 + DAY), 0)
end

return T
