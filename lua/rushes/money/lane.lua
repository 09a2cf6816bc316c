--- Lanes: how many generations of each model one account may have under way at once and
--- start within 24 hours. Who finds no slot waits here, in our own order, and not in the
--- provider's. Waits go by the monotonic clock; the wall clock counts the daily cap and
--- is what a person is shown.
local core = require "rt.c.core"
local err = require "rt.err"
local task = require "rt.task"
local event = require "rushes.event"
local lines = require "rushes.money.line"
local stop = require "rushes.stop"
local clock = require "rushes.when"
local windows = require "rushes.money.window"

local M = {}

local HUGE = math.huge
local RECOVER = 300 -- seconds until a lane that was shrunk grows by one again
local LOOK = 3600   -- seconds until the account is looked at again when only that helps
local LONGEST = 300 -- seconds of one wait: a computer that slept has other clocks

---@class rushes.Lane
---@field model string
---@field line rushes.Line
---@field window rushes.Window  our own acceptances
---@field busy integer          slots out
---@field pending integer       of these, not accepted yet: they count for the daily cap
---@field at_once? integer      what the account allows; nil is unlimited
---@field daily? integer
---@field others integer        used within 24 hours, beside our own
---@field size? integer         at_once for now, after `throttled`
---@field full? integer         what `size` grows back to where at_once is unlimited
---@field grow_at? number       monotonic, when `size` grows by one
---@field closed? number        monotonic, until when nothing is sent
---@field closed_wall? number   the same by the wall clock
---@field look_at? number       monotonic, when a full daily cap is looked at again
---@field told? number          monotonic, when a full daily cap was last told of
---@field lookout? rushes.LaneWaiter  the one waiter that watches the clock for all
---@field watch? number         monotonic, what it watches for

---@class rushes.LaneWaiter: rushes.Waiter
---@field lanes rushes.Lanes
---@field lane rushes.Lane
---@field queue rt.Queue        only this waiter's task is ever in it
---@field slot? rushes.Slot     granted
---@field done? boolean         the slot has been handed to the caller

---@class rushes.Slot
---@field private lanes rushes.Lanes
---@field private lane rushes.Lane
---@field private free? boolean
---@field private counted? boolean
local Slot = {}

---@class rushes.Lanes
---@field private lanes table<string, rushes.Lane>
---@field private waiting integer
---@field private look? async fun(): any, rt.Err?
---@field private now fun(): number
---@field private wall fun(): number
local Lanes = {}
Lanes.__index = Lanes

---@class rushes.LanesOpts
---@field look? async fun(): any, rt.Err?  ask for the account and `update`; called by a
---                                        waiter when time alone does not open a lane
---@field now? fun(): number   monotonic seconds
---@field wall? fun(): number  seconds since 1970

--- The lanes of one account, all unlimited until `update`.
---@param opts? rushes.LanesOpts
---@return rushes.Lanes
function M.new(opts)
  opts = opts or {}
  return setmetatable({ lanes = {}, waiting = 0, look = opts.look,
    now = opts.now or core.now, wall = opts.wall or core.time }, Lanes)
end

local function lane_of(lanes, model)
  local lane = lanes.lanes[model]
  if not lane then
    lane = { model = model, line = lines.new(), window = windows.new(), busy = 0,
      pending = 0, others = 0 }
    lanes.lanes[model] = lane
  end
  return lane
end

-- ---- is a slot free? ----

local function tell(text, ...) event.emit("note", { text = text:format(...) }) end

local function limit_of(lane)
  local size, at_once = lane.size, lane.at_once
  return size and at_once and math.min(size, at_once) or size or at_once
end

--- Grow step by step back to what the account allows.
local function grow(lane, now)
  while lane.size and now >= lane.grow_at do
    lane.size, lane.grow_at = lane.size + 1, lane.grow_at + RECOVER
    if lane.size >= (lane.at_once or lane.full) then
      lane.size, lane.full, lane.grow_at = nil, nil, nil
    end
  end
end

--- The daily cap is reached: when is it worth while to try again (monotonic)?
local function capped(lanes, lane, used)
  if used < lane.daily then return HUGE end -- a call under way decides
  local now, wall = lanes.now(), lanes.wall()
  lane.look_at = lane.look_at or now + LOOK
  local falls = lane.window:falls()
  local when = falls and now + falls - wall or HUGE
  if lane.others > 0 or not falls then when = math.min(when, lane.look_at) end
  if not lane.told or now >= lane.told + LOOK then
    lane.told = now
    tell("%s: the account's limit for 24 hours (%d) is reached; %s %s", lane.model,
      lane.daily, when == lane.look_at and "rushes looks again at"
      or "the next one can be sent at", clock.of(wall + when - now, wall))
  end
  return when
end

--- Why a slot cannot be given now: the monotonic time when that may change by itself,
--- HUGE if only by somebody's doing. nil: there is one.
local function blocked(lanes, lane)
  if lane.closed then
    local now = lanes.now()
    -- either clock will do: one stands still while the computer sleeps
    if now < lane.closed and lanes.wall() < lane.closed_wall then return lane.closed end
    lane.closed, lane.closed_wall = nil, nil
  end
  if lane.size then grow(lane, lanes.now()) end
  local limit = limit_of(lane)
  if limit and lane.busy >= limit then return lane.grow_at or HUGE end
  if lane.daily then
    local used = lane.others + lane.window:count(lanes.wall())
    if used + lane.pending >= lane.daily then return capped(lanes, lane, used) end
    lane.look_at = nil
  end
end

-- ---- slots ----

local function give(lanes, lane, shot)
  lane.busy, lane.pending = lane.busy + 1, lane.pending + 1
  lane.line:count(shot)
  return setmetatable({ lanes = lanes, lane = lane }, Slot)
end

local function wake(waiter)
  if waiter then task.wake_one(waiter.queue) end
end

--- Give free slots to those whose turn it is. If the rest waits for a time that nobody
--- watches for, wake one that will.
local function pump(lanes, lane)
  local line = lane.line
  while line.n > 0 do
    local when = blocked(lanes, lane)
    if when then
      local watched = lane.watch and math.abs(when - lane.watch) < 1
      if when < HUGE and not watched then wake(lane.lookout or line:first()) end
      return
    end
    local waiter = line:next()
    waiter.slot = give(lanes, lane, waiter.shot)
    wake(waiter)
  end
end

Slot.__index = Slot

--- Give it back: the generation has ended, or was not sent. Further calls do nothing.
function Slot:release()
  if self.free then return end
  local lane = self.lane
  self.free, lane.busy = true, lane.busy - 1
  if not self.counted then lane.pending = lane.pending - 1 end
  if lane.line.n > 0 then pump(self.lanes, lane) end
end

Slot.__close = Slot.release

--- The provider has accepted the generation: count it for the daily cap, once.
function Slot:accepted()
  if self.counted then return end
  local lane = self.lane
  if not self.free then lane.pending = lane.pending - 1 end
  self.counted = true
  lane.window:add(self.lanes.wall())
end

-- ---- waiting ----

local function wake_all(lane)
  for _, waiter in ipairs(lane.line:all()) do wake(waiter) end
end

local Waiter = {}

local function enter(lanes, lane, opts)
  local waiter = setmetatable({ lanes = lanes, lane = lane, queue = {},
    shot = opts.shot or "", priority = opts.priority or 0 }, Waiter)
  if lanes.waiting == 0 then
    lanes.off = stop.on_request(function()
      for _, other in pairs(lanes.lanes) do wake_all(other) end
    end)
  end
  lanes.waiting = lanes.waiting + 1
  lane.line:add(waiter)
  return waiter
end

--- However the wait ends: leave the line, or give back what was granted too late.
function Waiter:__close()
  local lanes, lane = self.lanes, self.lane
  lanes.waiting = lanes.waiting - 1
  if lanes.waiting == 0 then lanes.off() end
  if not self.slot then
    lane.line:remove(self)
  elseif not self.done then
    self.slot:release()
  end
  if self.looked then
    if lane.lookout == self then lane.lookout, lane.watch = nil, nil end
    pump(lanes, lane) -- somebody else has to watch the clock
  end
end

--- Time alone has not opened the lane: look at the account, or without that let one call
--- find out.
---@async
local function look_again(lanes, lane)
  lane.look_at = nil
  if lanes.look and task.try(lanes.look) then return end
  lane.others = math.max(0, lane.others - 1)
end

--- Wait until `when` for all that stand in line; a grant or a change ends it earlier.
---@async
local function look_out(lanes, lane, waiter, when)
  lane.lookout, lane.watch, waiter.looked = waiter, when, true
  local rest = math.max(0, when - lanes.now())
  task.timeout(math.min(rest, LONGEST), task.wait_on, waiter.queue)
  if lane.look_at and lanes.now() >= lane.look_at then look_again(lanes, lane) end
  lane.lookout, lane.watch = nil, nil
end

--- Why no slot will ever be given.
local function none_ever(lane)
  if lane.at_once ~= 0 and lane.daily ~= 0 then return nil end
  return err.new("provider", ("not sent: the account may not generate with %s (its limit"
    .. " is 0 %s)"):format(lane.model, lane.at_once == 0 and "at once" or "a day"),
    { class = "quota" })
end

---@async
local function stand(lanes, lane, waiter)
  pump(lanes, lane)
  while not waiter.slot do
    local e = stop.err() or none_ever(lane)
    if e then return nil, e end
    local when = blocked(lanes, lane)
    if not when then
      pump(lanes, lane)
    elseif when < HUGE and not lane.lookout then
      look_out(lanes, lane, waiter, when)
    else
      task.wait_on(waiter.queue)
    end
  end
  waiter.done = true
  return waiter.slot
end

local NO_OPTS = {}

--- A slot for one generation. Waits for it in our own line; spends nothing. A slot is
--- closed with its block: `local slot <close> = …`.
---@async
---@param model string
---@param opts? {shot?: string, priority?: number}  higher goes first, 0
---@return rushes.Slot?
---@return rt.Err?  code "stopped" when the run is ending
function Lanes:acquire(model, opts)
  local lane = lane_of(self, model)
  opts = opts or NO_OPTS
  local e = stop.err() or none_ever(lane)
  if e then return nil, e end
  if task.cancelled() then task.wait_on {} end -- which raises
  if lane.line.n == 0 and not blocked(self, lane) then
    return give(self, lane, opts.shot or "")
  end
  local waiter <close> = enter(self, lane, opts)
  return stand(self, lane, waiter)
end

--- A slot for a generation that is under way already, sent by an earlier run: it counts
--- whether there is room or not. Does not wait.
---@param model string
---@return rushes.Slot
function Lanes:occupy(model)
  local lane = lane_of(self, model)
  local slot = give(self, lane, "")
  lane.pending, slot.counted = lane.pending - 1, true
  return slot
end

-- ---- what is known of the account ----

---@class rushes.LaneLimits
---@field at_once? integer
---@field daily? integer    in 24 hours
---@field used? integer     of these, by whomever

--- Take over the limits that the account tells; a number it does not tell is unlimited.
---@param organization {lanes: table<string, rushes.LaneLimits>}
function Lanes:update(organization)
  for model in pairs(organization.lanes) do lane_of(self, model) end
  local wall = self.wall()
  for model, lane in pairs(self.lanes) do
    local told = organization.lanes[model] or NO_OPTS
    lane.at_once, lane.daily = told.at_once, told.daily
    lane.others = math.max(0, (told.used or 0) - lane.window:count(wall))
    lane.look_at = nil
    pump(self, lane)
    if none_ever(lane) then wake_all(lane) end
  end
end

--- Add acceptances of earlier runs: they count for the daily cap, and tell when it has
--- room again.
---@param model string
---@param times number[]  seconds since 1970
function Lanes:seed(model, times)
  local lane = lane_of(self, model)
  local n = lane.window:seed(times, self.wall())
  lane.others = math.max(0, lane.others - n) -- the account had counted these
  pump(self, lane)
end

--- The provider lets a generation wait although we thought that there was room, so
--- somebody else uses the account: one slot less for five minutes, then step by step
--- back. Call it once for each such generation.
---@param model string
function Lanes:throttled(model)
  local lane = lane_of(self, model)
  local limit = limit_of(lane) or lane.busy
  lane.full = lane.full or limit
  lane.size = math.max(1, limit - 1)
  lane.grow_at = self.now() + RECOVER
  pump(self, lane)
end

--- Send nothing more for a while; who waits goes on waiting. Emits a note that says when
--- the lane opens again.
---@param model string
---@param seconds number  from now; from 1e9 on a time, seconds since 1970
---@param why? string     for the note: "the daily limit is reached"
function Lanes:close(model, seconds, why)
  local lane, now, wall = lane_of(self, model), self.now(), self.wall()
  if seconds >= 1e9 then seconds = seconds - wall end
  local before = lane.closed
  lane.closed, lane.closed_wall = now + seconds, wall + seconds
  -- calls that were under way together are refused together: say it once
  if not before or math.abs(before - lane.closed) > 60 then
    tell("%s: %s; nothing more is sent until %s", lane.model,
      why or "the provider takes no more for now", clock.of(lane.closed_wall, wall))
  end
  pump(self, lane)
end

---@class rushes.LaneState
---@field at_once? integer
---@field busy integer
---@field waiting integer
---@field daily? integer
---@field used integer           in the last 24 hours
---@field closed_until? number   seconds since 1970

--- How a lane stands. `at_once` is what may run now, after any shrinking.
---@param model string
---@return rushes.LaneState
function Lanes:state(model)
  local lane, wall = lane_of(self, model), self.wall()
  grow(lane, self.now())
  local open = not lane.closed or self.now() >= lane.closed
  return { at_once = limit_of(lane), busy = lane.busy, waiting = lane.line.n,
    daily = lane.daily, used = lane.others + lane.window:count(wall),
    closed_until = not open and lane.closed_wall or nil }
end

return M
