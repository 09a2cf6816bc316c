--- When the calls of a plan can have ended: list scheduling on the lanes of the account.
--- Pure: times are seconds from the moment of the plan, what others do is not known.
local M = {}

local DAY = 86400

--- Seconds that the provider works on a call where no journal tells. They come from a
--- third party's program, not from the provider: unconfirmed.
M.TYPICAL = { still = 41, motion = 64, frames = 256 }

---@class rushes.cli.Scheduled
---@field key string      the take it belongs to
---@field stage string
---@field model string
---@field after? string   the stage of the same take that must have ended
---@field seconds number  how long it is worked on

---@class rushes.cli.LaneLimits
---@field at_once? integer    absent: no limit
---@field daily? integer      generations in any 24 hours; absent: no limit
---@field used? integer       of them in the last 24 hours
---@field accepted? number[]  when ours of them were accepted: seconds, not above 0

---@class rushes.cli.Finish
---@field seconds number   until the last call has ended; math.huge: never
---@field slots integer    that can work at once, at most as many as there are calls
---@field last? string     the model that ends last
---@field capped table<string, integer>  model -> calls that the daily cap holds back
---@field assumed boolean  generations of others were taken to have been made just now

-- ---- what happens when ----

--- Keep the list sorted by time; nearly every insertion is near its end.
local function insert(agenda, t, what)
  local list, low, high = agenda.list, agenda.head, #agenda.list + 1
  while low < high do
    local middle = (low + high) // 2
    if list[middle].t <= t then low = middle + 1 else high = middle end
  end
  table.insert(list, low, { t = t, what = what })
end

local function next_event(agenda)
  local event = agenda.list[agenda.head]
  agenda.head = agenda.head + 1
  return event
end

-- ---- lanes ----

--- The starts that count towards the daily cap, in order: ours as they were, those of
--- others as if they had been made just now.
local function counted(limits)
  local starts = {}
  for _, t in ipairs(limits.accepted or {}) do
    if t > -DAY then starts[#starts + 1] = t end
  end
  table.sort(starts)
  local foreign = math.max(0, (limits.used or 0) - #starts)
  for _ = 1, foreign do starts[#starts + 1] = 0 end
  return starts, foreign
end

local function new_lane(limits)
  limits = limits or {}
  local lane = { free = limits.at_once or math.huge, daily = limits.daily, queue = {},
    head = 1, calls = 0, capped = 0 }
  lane.starts, lane.foreign = counted(limits)
  return lane
end

--- When the daily cap lets the next call start.
local function opens(lane, now)
  if not lane.daily then return now end
  if lane.daily < 1 then return math.huge end
  local before = lane.starts[#lane.starts - lane.daily + 1]
  return before and math.max(now, before + DAY) or now
end

local function start(lane, now, agenda)
  while lane.free > 0 and lane.queue[lane.head] do
    local at = opens(lane, now)
    if at > now then
      if not lane.waiting then insert(agenda, at, lane) end
      lane.waiting, lane.full = true, true
      return
    end
    local call = lane.queue[lane.head]
    lane.head, lane.free = lane.head + 1, lane.free - 1
    lane.starts[#lane.starts + 1] = now
    if lane.full then lane.capped = lane.capped + 1 end
    insert(agenda, now + call.seconds, call)
  end
end

-- ---- the whole ----

local function name(key, stage) return key .. "\0" .. stage end

--- Calls that wait for another, by what they wait for; the others go into their lanes.
local function sort_out(calls, lanes)
  local known, waiting = {}, {}
  for _, call in ipairs(calls) do known[name(call.key, call.stage)] = true end
  for _, call in ipairs(calls) do
    local before = call.after and name(call.key, call.after)
    if before and known[before] then
      waiting[before] = waiting[before] or {}
      table.insert(waiting[before], call)
    else
      table.insert(lanes[call.model].queue, call)
    end
  end
  return waiting
end

local function make_lanes(calls, limits)
  local lanes = {}
  for _, call in ipairs(calls) do
    local lane = lanes[call.model] or new_lane(limits[call.model])
    lanes[call.model] = lane
    lane.calls = lane.calls + 1
  end
  return lanes
end

local function summary(lanes, limits, seconds, last)
  local out = { seconds = seconds, last = last, slots = 0, capped = {}, assumed = false }
  for model, lane in pairs(lanes) do
    local at_once = (limits[model] or {}).at_once
    out.slots = out.slots + math.min(at_once or lane.calls, lane.calls)
    if lane.capped > 0 then
      out.capped[model] = lane.capped
      out.assumed = out.assumed or lane.foreign > 0
    end
  end
  return out
end

--- When the last of the calls can have ended.
---@param calls rushes.cli.Scheduled[]  in the order in which they are asked for
---@param limits table<string, rushes.cli.LaneLimits>  by model
---@return rushes.cli.Finish
function M.finish(calls, limits)
  local lanes, agenda = make_lanes(calls, limits), { list = {}, head = 1 }
  local waiting = sort_out(calls, lanes)
  for _, lane in pairs(lanes) do start(lane, 0, agenda) end
  local seconds, last = 0, nil
  for event in next_event, agenda do
    local call, lane = event.what, event.what
    if call.model then
      lane, seconds, last = lanes[call.model], event.t, call.model
      lane.free = lane.free + 1
      for _, next_call in ipairs(waiting[name(call.key, call.stage)] or {}) do
        table.insert(lanes[next_call.model].queue, next_call)
        if next_call.model ~= call.model then
          start(lanes[next_call.model], event.t, agenda)
        end
      end
    else
      lane.waiting = false
    end
    start(lane, event.t, agenda)
  end
  return summary(lanes, limits, seconds, last)
end

return M
