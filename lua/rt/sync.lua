--- Semaphores and channels: what tasks of one program hand to each other. Reached as
--- task.semaphore and task.channel; the rules are in docs/concurrency.md.
local err = require "rt.err"
local task = require "rt.task"

local M = {}

---@class rt.Semaphore
---@field free integer     slots that nobody holds
---@field size integer
---@field private _queue rt.Queue
local Semaphore = { __name = "rt.Semaphore" }
Semaphore.__index = Semaphore

local function whole(n, least)
  return math.type(n) == "integer" and n >= least
end

--- At most `n` holders at once; further ones wait, first come first served.
---@param n integer  at least 1
---@return rt.Semaphore
function M.semaphore(n)
  if not whole(n, 1) then
    error(("semaphore wants a whole number from 1 on, not %s"):format(tostring(n)), 2)
  end
  return setmetatable({ size = n, free = n, _queue = {} }, Semaphore)
end

--- Wait for a slot.
---@async
function Semaphore:acquire()
  if self.free == 0 or task.cancelled() then
    task.wait_on(self._queue) -- who wakes us hands the slot over
  else
    self.free = self.free - 1
  end
end

--- Give a slot back: to the task that has waited longest, if any.
function Semaphore:release()
  if task.wake_one(self._queue) then return end
  if self.free == self.size then
    error("a semaphore was released more often than acquired", 2)
  end
  self.free = self.free + 1
end

local holding = { __close = function(hold) hold.semaphore:release() end }

--- Call `f(...)` while holding a slot; it is given back whatever happens.
---@async
---@param f async fun(...): ...
---@return any ...
function Semaphore:with(f, ...)
  self:acquire()
  local hold <close> = setmetatable({ semaphore = self }, holding) -- luacheck: ignore 211
  return f(...)
end

---@class rt.Channel
---@field closed boolean
---@field private _capacity integer
---@field private _items table     buffered values, from _from to _to
---@field private _senders rt.Queue
---@field private _receivers rt.Queue
local Channel = { __name = "rt.Channel" }
Channel.__index = Channel

--- A channel that holds up to `capacity` values nobody has received yet.
---@param capacity? integer  default 0: a send waits for its receiver
---@return rt.Channel
function M.channel(capacity)
  if capacity ~= nil and not whole(capacity, 0) then
    error(("channel wants a whole number from 0 on, not %s"):format(
      tostring(capacity)), 2)
  end
  return setmetatable({ closed = false, _capacity = capacity or 0, _items = {}, _from = 1,
    _to = 0, _senders = {}, _receivers = {} }, Channel)
end

local function closed_error() return err.new("closed", "the channel is closed") end

--- A cancelled task raises here even where it would not have to wait.
local function check_cancelled(queue)
  if task.cancelled() then task.wait_on(queue) end
end

local function put(ch, v)
  ch._to = ch._to + 1
  ch._items[ch._to] = v
end

local function take(ch)
  local v = ch._items[ch._from]
  ch._items[ch._from] = nil
  ch._from = ch._from + 1
  return v
end

--- Hand a value over; waits while the channel is full.
---@async
---@param v any  not nil
---@return true?
---@return rt.Err? err  code "closed"
function Channel:send(v)
  if v == nil then error("nil cannot be sent; close() says that all is sent", 2) end
  check_cancelled(self._senders)
  if self.closed then return nil, closed_error() end
  local receiver = task.wake_one(self._receivers)
  if receiver then
    receiver.slot = v
  elseif self._to - self._from + 1 < self._capacity then
    put(self, v)
  else
    local me = task.current()
    if me then me.slot = v end
    task.wait_on(self._senders)
    local unsent = me.slot -- a receiver has taken it out
    me.slot = nil
    if unsent ~= nil then return nil, closed_error() end
  end
  return true
end

local function from_sender(ch)
  local sender = task.wake_one(ch._senders)
  if not sender then return nil end
  local v = sender.slot
  sender.slot = nil
  return v
end

--- The next value; waits for one. nil when the channel is closed and empty.
---@async
---@return any?
function Channel:recv()
  check_cancelled(self._receivers)
  if self._from <= self._to then
    local v, next_one = take(self), from_sender(self)
    if next_one ~= nil then put(self, next_one) end
    return v
  end
  local v = from_sender(self)
  if v ~= nil or self.closed then return v end
  task.wait_on(self._receivers)
  local me = task.current()
  v, me.slot = me.slot, nil
  return v
end

--- `for v in channel:each() do`: every value until the channel is closed and empty.
---@return async fun(): any?
function Channel:each()
  return function() return self:recv() end
end

--- No more sends. Buffered values can still be received.
function Channel:close()
  self.closed = true
  task.wake_all(self._receivers)
  task.wake_all(self._senders)
end

return M
