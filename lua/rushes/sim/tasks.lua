--- Tasks: from the order to the file, by the simulator's clock.
---
---     THROTTLED -> PENDING -> RUNNING -> SUCCEEDED | FAILED      and DELETE at any time
---
--- A task runs for its simulated time, and until its file has been made.
local clock = require "rushes.sim.clock"

local M = {}

local PENDING = 2         -- seconds between a free slot and the start
local STEP = 5            -- seconds; progress is not told more often
local SPREAD = 10         -- percent that a generation may take more or less
local EARLY = 0.1         -- part of its time after which moderation speaks

-- Seconds that a generation takes, as others have seen it.
local TAKES = { image = 41, video = 64, keyframes = 256 }

---@class rushes.sim.Task
---@field id string
---@field model string
---@field endpoint string
---@field state string
---@field created number    simulated
---@field estimate integer  thousandths, held
---@field price integer     thousandths, charged if it succeeds
---@field cost? integer     once it has ended
---@field takes number      simulated seconds
---@field started? number
---@field timed_out? boolean  its simulated time is over
---@field made? boolean       its files are there
---@field files? string[]
---@field hashes? string[]    SHA-256 of each, once somebody has asked
---@field pieces? rushes.sim.Piece[]
---@field failure? {code?: string, text: string}
---@field marks table<string, any>  faults that its prompt asks for
---@field kind "image"|"video"|"keyframes"  says how long it takes
---@field names {show?: string, shot?: string, take?: string|integer}
---@field fail? string      failure code it is to end with
---@field slow? number      simulated seconds more
---@field dialect? boolean  made by the gen4 dialect, and seen only there
---@field deleted? number   simulated time of its DELETE
---@field private admit fun(who: rushes.sim.Task)

---@class rushes.sim.Tasks: rushes.sim.TasksOptions
---@field private all table<string, rushes.sim.Task>
---@field private order string[]
local Tasks = {}
Tasks.__index = Tasks

---@class rushes.sim.TasksOptions
---@field clock rushes.sim.Clock
---@field lanes rushes.sim.Lanes
---@field bill rushes.sim.Bill
---@field roll fun(lo: integer, hi: integer): integer
---@field render fun(t: rushes.sim.Task, done: fun(files: string[]?))
---@field takes? table<string, number>  simulated seconds by kind
---@field linger? number  seconds that a cancelled task is still shown, default 0

---@param o rushes.sim.TasksOptions
---@return rushes.sim.Tasks
function M.new(o)
  return setmetatable({ clock = o.clock, lanes = o.lanes, bill = o.bill, roll = o.roll,
    render = o.render, takes = o.takes or TAKES, linger = o.linger or 0, all = {},
    order = {} }, Tasks)
end

--- A UUID of version 4.
---@param roll fun(lo: integer, hi: integer): integer
---@return string
function M.uuid(roll)
  local function hex(digits)
    return ("%0" .. digits .. "x"):format(roll(0, (1 << 4 * digits) - 1))
  end
  local variant = ("%x"):format(roll(8, 11))
  return ("%s%s-%s-4%s-%s%s-%s%s"):format(hex(6), hex(2), hex(4), hex(3), variant, hex(3),
    hex(6), hex(6))
end

-- ---- failures ----

local TEXT = {
  SAFETY = "The request was blocked by content moderation",
  INPUT_PREPROCESSING = "The input could not be prepared",
  ASSET = "An input file is not usable",
  THIRD_PARTY = "The model's provider did not answer",
  INTERNAL = "An internal error occurred",
}

--- Is a task that fails like this paid for? Moderated ones are; the API's pages do not
--- agree about SAFETY.OUTPUT and INPUT_PREPROCESSING.SAFETY, so they are charged here.
local function charged(code)
  return code ~= nil and (code:find "^SAFETY" or code:find "^INPUT_PREPROCESSING%.SAFETY")
    ~= nil
end

local function failure_of(code)
  if code == "none" then return { text = TEXT.INTERNAL } end
  return { code = code, text = TEXT[code:match "^[^.]+"] or TEXT.INTERNAL }
end

-- ---- life ----

local ENDED = { SUCCEEDED = true, FAILED = true, CANCELLED = true }

local function credits(n) return n % 1000 == 0 and n // 1000 or n / 1000 end

local function finish(self, t, state, cost)
  local running = t.state == "RUNNING"
  t.state, t.cost, t.pieces = state, cost, nil
  self.bill:close(self.clock:now(), t.model, t.estimate, cost, state:lower())
  if running then self.lanes:leave(t.model) end
end

local function fail(self, t, failure)
  t.failure = failure
  finish(self, t, "FAILED", charged(failure.code) and t.price or 0)
end

local function try_end(self, t)
  if t.state == "RUNNING" and t.timed_out and t.made then
    finish(self, t, "SUCCEEDED", t.price)
  end
end

local function run(self, t)
  if t.state ~= "PENDING" then return end
  t.state, t.started = "RUNNING", self.clock:now()
  if t.failure then
    local early = (t.failure.code or ""):find "^SAFETY%.INPUT"
      or (t.failure.code or ""):find "^INPUT_PREPROCESSING"
    return self.clock:after(t.takes * (early and EARLY or 1), function()
      if t.state == "RUNNING" then fail(self, t, t.failure) end
    end)
  end
  self.clock:after(t.takes, function()
    t.timed_out = true
    try_end(self, t)
  end)
  self.render(t, function(files)
    if t.state ~= "RUNNING" then return end
    if not files then return fail(self, t, failure_of "INTERNAL") end
    t.files, t.made = files, true
    try_end(self, t)
  end)
end

--- A slot is free: the task starts soon.
local function admit(self, t)
  t.state = "PENDING"
  self.clock:after(PENDING, function()
    if t.state == "PENDING" then run(self, t) end
  end)
end

local function takes(self, t)
  local spread = self.roll(-SPREAD, SPREAD) / 100
  return self.takes[t.kind] * (1 + spread) + (t.slow or 0)
end

--- Take an order. `t` has model, endpoint, estimate, price, kind, pieces, marks, and
--- `fail` or `slow` if it is to go wrong.
---@param t table
---@return rushes.sim.Task
function Tasks:add(t)
  t.id, t.created = M.uuid(self.roll), self.clock:now()
  t.takes = takes(self, t)
  if t.fail then t.failure = failure_of(t.fail) end
  self.all[t.id] = t
  self.order[#self.order + 1] = t.id
  self.bill:open(t.created, t.model, t.estimate)
  t.state = "THROTTLED"
  t.admit = function(who) admit(self, who) end
  self.lanes:enter(t.model, t, t.admit)
  return t
end

---@param id string
---@return rushes.sim.Task?
function Tasks:find(id) return self.all[id] end

--- Cancel it, or delete what it made. One that has begun to run is charged; whether
--- the API does so is not confirmed.
---@param id string
---@return boolean  false: there is no such task
function Tasks:delete(id)
  local t = self.all[id]
  if not t or t.deleted then return false end
  local was = t.state
  if was == "THROTTLED" then self.lanes:forget(t.model, t) end
  if not ENDED[was] then
    if was == "PENDING" then self.lanes:leave(t.model) end
    finish(self, t, "CANCELLED", was == "RUNNING" and t.price or 0)
  end
  t.deleted, t.files = self.clock:now(), nil
  if self.linger == 0 or ENDED[was] then self.all[id] = nil end
  return true
end

-- ---- what is told ----

--- How far it is, in steps of five seconds; 1 only when it has ended.
---@param t rushes.sim.Task
---@return number  0..1
function Tasks:progress(t)
  local elapsed = (self.clock:now() - t.started) // STEP * STEP
  return math.min(0.99, math.floor(elapsed / t.takes * 100) / 100)
end

--- The task, unless it has been deleted for longer than cancelled tasks are shown.
---@param id string
---@return rushes.sim.Task?
function Tasks:shown(id)
  local t = self.all[id]
  if t and t.deleted and self.clock:now() - t.deleted > self.linger then
    self.all[id] = nil
    return nil
  end
  return t
end

--- Every task that exists, oldest first, for `/_sim/tasks`.
--- `credits` is what it holds, or what it cost once it has ended.
---@return table[]
function Tasks:list()
  local out, kept = {}, {}
  for _, id in ipairs(self.order) do
    local t = self.all[id]
    if t then
      kept[#kept + 1] = id
      out[#out + 1] = { id = id, model = t.model, endpoint = t.endpoint, state = t.state,
        createdAt = clock.iso(t.created), credits = credits(t.cost or t.estimate),
        failureCode = t.failure and t.cost and t.failure.code, show = t.names.show,
        shot = t.names.shot, take = t.names.take }
    end
  end
  self.order = kept
  return out
end

--- Forget all of them.
function Tasks:clear()
  for _, t in pairs(self.all) do t.state = "CANCELLED" end
  self.all, self.order = {}, {}
end

return M
