--- Lanes: how many tasks of a model may run at once. Who finds none free is throttled
--- and started in the order of arrival.
local M = {}

---@class rushes.sim.Lanes
---@field private limit fun(model: string): integer?  nil: no limit
---@field private lanes table<string, {busy: integer, others: integer, queue: table[]}>
local Lanes = {}
Lanes.__index = Lanes

---@param limit fun(model: string): integer?
---@return rushes.sim.Lanes
function M.new(limit) return setmetatable({ limit = limit, lanes = {} }, Lanes) end

local function lane_of(self, model)
  local lane = self.lanes[model]
  if not lane then
    lane = { busy = 0, others = 0, queue = {} }
    self.lanes[model] = lane
  end
  return lane
end

local function full(self, model, lane)
  local limit = self.limit(model)
  return limit and lane.busy + lane.others >= limit
end

--- Take a slot for `who`, or stand in line: `start(who)` is called when it is its turn.
---@param model string
---@param who table
---@param start fun(who: table)
---@return boolean free  false: it stands in line
function Lanes:enter(model, who, start)
  local lane = lane_of(self, model)
  if full(self, model, lane) then
    lane.queue[#lane.queue + 1] = { who = who, start = start }
    return false
  end
  lane.busy = lane.busy + 1
  start(who)
  return true
end

local function fill(self, model, lane)
  while lane.queue[1] and not full(self, model, lane) do
    local next_one = table.remove(lane.queue, 1)
    lane.busy = lane.busy + 1
    next_one.start(next_one.who)
  end
end

--- Give the slot back; the next in line gets it.
---@param model string
function Lanes:leave(model)
  local lane = lane_of(self, model)
  lane.busy = lane.busy - 1
  fill(self, model, lane)
end

--- Let another user of the account have so many of the slots, from now on. What runs
--- goes on, even when that makes it more than the limit.
---@param model string
---@param n integer
function Lanes:occupy(model, n)
  local lane = lane_of(self, model)
  lane.others = n
  fill(self, model, lane)
end

--- Step out of the line.
---@param model string
---@param who table
function Lanes:forget(model, who)
  local queue = lane_of(self, model).queue
  for i, item in ipairs(queue) do
    if item.who == who then
      table.remove(queue, i)
      return
    end
  end
end

--- How many run and how many wait, by model; `others` are another user's.
---@return table<string, {running: integer, waiting: integer, others?: integer}>
function Lanes:show()
  local out = {}
  for model, lane in pairs(self.lanes) do
    out[model] = { running = lane.busy, waiting = #lane.queue,
      others = lane.others > 0 and lane.others or nil }
  end
  return out
end

return M
