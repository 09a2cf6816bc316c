--- The simulator's clock: simulated seconds pass `speed` times as fast as real ones,
--- and can be advanced. What is due is called in order, each at its own time.
local core = require "rt.c.core"
local task = require "rt.task"

local M = {}

---@class rushes.sim.Clock
---@field speed number   simulated seconds per real second; 0 stands still
---@field private base number   simulated time at `since`, seconds since 1970
---@field private since number  real monotonic seconds
---@field private heap table[]  what is due, the earliest first
---@field private count integer
---@field private runner rt.Task[]
local Clock = {}
Clock.__index = Clock

local SHORTEST = 0.001 -- seconds; the loop's timers are no finer

--- A clock that shows the present time.
---@param speed? number
---@return rushes.sim.Clock
function M.new(speed)
  return setmetatable({ speed = speed or 1, base = core.time(), since = core.now(),
    heap = {}, count = 0, runner = {} }, Clock)
end

--- Simulated seconds since 1970.
---@return number
function Clock:now() return self.base + (core.now() - self.since) * self.speed end

--- A time as the API writes it: 2026-11-23T10:00:00.123Z.
---@param t number
---@return string
function M.iso(t)
  local whole = math.floor(t)
  local ms = math.floor((t - whole) * 1000)
  return os.date("!%Y-%m-%dT%H:%M:%S", whole) .. (".%03dZ"):format(ms)
end

--- The UTC day of a time: 2026-11-23.
---@param t number
---@return string
function M.day(t) return os.date("!%Y-%m-%d", math.floor(t)) --[[@as string]] end

local function earlier(a, b) return a.t < b.t or a.t == b.t and a.n < b.n end

local function push(heap, item)
  local i = #heap + 1
  heap[i] = item
  while i > 1 and earlier(heap[i], heap[i // 2]) do
    heap[i], heap[i // 2] = heap[i // 2], heap[i]
    i = i // 2
  end
end

local function pop(heap)
  local top, last = heap[1], table.remove(heap)
  if #heap == 0 then return top end
  heap[1] = last
  local i = 1
  while true do
    local least = i
    for child = 2 * i, 2 * i + 1 do
      if heap[child] and earlier(heap[child], heap[least]) then least = child end
    end
    if least == i then return top end
    heap[i], heap[least] = heap[least], heap[i]
    i = least
  end
end

--- Call `fn` when `seconds` of simulated time have passed. `fn` must not wait.
---@param seconds number
---@param fn fun()
function Clock:after(seconds, fn)
  self.count = self.count + 1
  push(self.heap, { t = self:now() + seconds, n = self.count, fn = fn })
  task.wake_all(self.runner)
end

local function rebase(self, now)
  self.base, self.since = now, core.now()
end

--- Run ahead by `seconds`. What is due on the way sees the time at which it is due.
---@param seconds number
function Clock:advance(seconds)
  local target = self:now() + seconds
  while self.heap[1] and self.heap[1].t <= target do
    local item = pop(self.heap)
    if item.t > self:now() then rebase(self, item.t) end
    item.fn()
  end
  if target > self:now() then rebase(self, target) end
  task.wake_all(self.runner)
end

---@param speed number
function Clock:set_speed(speed)
  rebase(self, self:now())
  self.speed = speed
  task.wake_all(self.runner)
end

--- Forget what is due.
function Clock:clear() self.heap = {} end

--- Call what is due, for ever; a task of its own.
---@async
function Clock:run()
  while true do
    local item = self.heap[1]
    local left = item and item.t - self:now()
    if left and left <= 0 then
      pop(self.heap).fn()
    elseif left and self.speed > 0 then
      task.timeout(math.max(left / self.speed, SHORTEST), task.wait_on, self.runner)
    else
      task.wait_on(self.runner)
    end
  end
end

return M
