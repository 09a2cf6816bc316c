--- One take of a shot: its calls identified and reserved together, then made one after
--- the other. A take that was made before is found again, and costs nothing.
local err = require "rt.err"
local hash = require "rt.hash"
local task = require "rt.task"
local event = require "rushes.event"
local invoice = require "rushes.take.invoice"
local ledgers = require "rushes.money.ledger"
local object = require "rushes.studio.object"
local stop = require "rushes.stop"
local calls = require "rushes.take.call"

local M = {}

---@class rushes.Take
---@field shot rushes.Shot
---@field number string     t001, t002 …
---@field status string     planned, running, landed, failed, unknown, skipped or stopped
---@field model? string     of the motion
---@field why? string       the policy's reason
---@field seed integer
---@field credits number    held while it runs, charged in the end, all stages together
---@field reused? boolean   an earlier run has made it; this one paid nothing for it
---@field file? string      the clip, once landed
---@field still? string     the keyframe, where one was made
---@field id? string        the provider's task id of the last stage
---@field err? rt.Err
local Take = {}

local FIELDS = object.set
  [[shot number status model why seed credits reused file still id err calls ctx state
  progress ordinal redo to_pin outdated]]
local class = object.class("take", Take, FIELDS, FIELDS)

-- What a take has come to, by the code of its error; any other one: failed.
local STATUS = { stopped = "stopped", unknown = "unknown", skipped = "skipped" }

--- Put a number on a name that is the same in every run: a seed for a take that was
--- given none.
local function seed_of(shot, ordinal, redo)
  local name = ("%s/%s/t%03d"):format(shot.show.name, shot.name, ordinal)
  if redo > 0 then name = ("%s/%d"):format(name, redo) end
  return tonumber(hash.sha256(name):sub(1, 8), 16)
end

---@param shot rushes.Shot
---@param ordinal integer  the n-th time that the script asks for the shot
---@return rushes.Take
function M.new(shot, ordinal)
  return setmetatable({ shot = shot, number = ("t%03d"):format(ordinal),
    ordinal = ordinal, redo = 0, status = "planned", credits = 0, calls = {},
    seed = shot.seed or seed_of(shot, ordinal, 0) }, class)
end

local function tell(take, kind, more)
  local fields = { show = take.shot.show.name, shot = take.shot.name, take = take.number,
    model = take.model, state = take.state, progress = take.progress,
    credits = take.credits, id = take.id, file = take.file, err = take.err }
  for k, v in pairs(more or {}) do fields[k] = v end
  event.emit(kind, fields)
end

--- End the take without a clip.
function Take:fail(status, e)
  self.status, self.err = status, e and err.from(e)
  self.state = status
  tell(self, "failed")
  return self
end

--- Take over the policy's decision.
---@param decision rushes.Decision
---@param redo integer  how often the take was made anew by --force; it gets another seed
function Take:decided(decision, redo)
  self.why, self.redo = decision.why, redo
  if not self.shot.seed then self.seed = seed_of(self.shot, self.ordinal, redo) end
end

--- Add up what the calls hold or have cost.
function Take:count()
  local sum = 0
  for _, call in ipairs(self.calls) do
    if call.job then
      sum = sum + ledgers.thousandths(call.job.credits)
    elseif call.known and call.known.cost then
      sum = sum + call.known.cost
    end
  end
  self.credits = ledgers.credits(sum)
end

local function identify(take, ctx, stages)
  for i, stage in ipairs(stages) do
    local call, e = calls.describe(ctx, stage, take.calls[i - 1])
    local ok = call
    if call then
      ok, e = call:identify(take.ordinal, take.redo, not take.shot.seed and take.seed)
    end
    if not ok then return nil, e end
    take.calls[i] = call
    ctx.account:note(stage.spec)
  end
  return true
end

--- Give the take its number: that of an earlier run when it has made the same.
local function number(take, ctx)
  local n, id = ctx.journal:take({ shot = take.shot.name, ordinal = take.ordinal,
    fingerprint = take.calls[#take.calls].fingerprint, model = take.model, why = take.why,
    seed = take.seed }, ctx:last_in_folder(take.shot.name))
  take.number = ("t%03d"):format(n)
  ctx.about = { show = take.shot.show.name, shot = take.shot.name, take = take.number }
  for _, call in ipairs(take.calls) do call.take = id end
end

--- What each call needs, from the last one back: what is before a clip that is there, or
--- on its way, is not needed any more.
local function look(take)
  local needed = true
  for i = #take.calls, 1, -1 do
    local call = take.calls[i]
    if needed then
      local ok, e = call:look()
      if not ok then return nil, e end
      needed = call.todo == "buy"
    else
      call.todo, call.why = "nothing", "not needed"
    end
  end
  return true
end

--- Hold the credits of every call that is to be bought: a still is never bought for a
--- motion that cannot be paid.
local function reserve(take)
  for _, call in ipairs(take.calls) do
    if call.todo == "unknown" then return call:run() end
  end
  for _, call in ipairs(take.calls) do
    local ok, e = true, nil
    if call.todo == "buy" and not call:reserved() then
      ok, e = call:reserve()
    elseif call.todo == "follow" or call.todo == "fetch" then
      call:resume()
    end
    if not ok then return nil, e end
  end
  return true
end

--- Give back what was never sent.
local function release(take, e)
  for _, call in ipairs(take.calls) do call:release(e) end
  take:count()
end

--- Work out the take's calls, find out which of them there are, hold the credits of the
--- others. Sends nothing. Waits (hashing, the journal).
---@async
---@param shooting rushes.Shooting
---@param stages rushes.Stage[]
---@return boolean ok  else the take has failed
function Take:plan(shooting, stages)
  local ctx = shooting:take(self)
  self.ctx = ctx
  local ok, e = identify(self, ctx, stages)
  if ok then
    number(self, ctx)
    ok, e = look(self)
  end
  if ok then ok, e = ctx:allows(self) end
  if ok then ok, e = reserve(self) end
  invoice.take(self, e)
  if not ok then
    release(self, e)
    self:fail(STATUS[e.code] or "failed", e)
    return false
  end
  self:count()
  self.state = "planned"
  tell(self, "planned", { why = self.why, credits = ledgers.credits(self:to_buy()) })
  return true
end

--- Give a planned take up before anything of it was sent.
---@param status string
---@param e rt.Err
function Take:call_off(status, e)
  release(self, e)
  return self:fail(status, e)
end

--- End a take whose shoot was cancelled: what was not sent holds nothing any more.
---@param e? any  what was raised
function Take:abandon(e)
  if self.status ~= "planned" and self.status ~= "running" then return end
  local text = "the shoot was called off"
  for _, call in ipairs(self.calls) do
    if call.job and call.job.id and not call.path then
      text = ("%s; task %s goes on at the provider, and running the script again follows"
        .. " it"):format(text, call.job.id)
    end
  end
  self:call_off("stopped", err.new("stopped", text, { cause = e and err.from(e) }))
end

--- What is held for calls that have not been sent.
---@return integer thousandths
function Take:to_buy()
  local sum = 0
  for _, call in ipairs(self.calls) do
    if call.todo == "buy" and call.job then sum = sum + (call.job.held or 0) end
  end
  return sum
end

local function on_accepted(take, i)
  return function(call)
    take:count()
    take.id, take.state = call.job.id, call.job.state
    take.progress = (i - 1) / #take.calls
    tell(take, "submitted", { stage = call.stage, stage_model = call.spec.model })
  end
end

--- Show how far the i-th call is as part of the whole take.
local function watch(take, i)
  take.ctx.on_progress = function(progress, job)
    take.state = job.state
    take.progress = (i - 1 + progress) / #take.calls
    tell(take, take.state == "running" and "progress" or "state")
  end
end

local function shoot(take)
  local frame
  for i, call in ipairs(take.calls) do
    if call.todo == "buy" and stop.requested() then return nil, stop.err() end
    watch(take, i)
    local path, e, wait
    if call.todo ~= "nothing" then
      path, e, wait = call:run(frame, on_accepted(take, i))
    end
    take:count()
    if e then return nil, e, wait end
    if call.stage == "motion" then take.file = path else take.still = path end
    frame = path
  end
  return true
end

--- Plan the calls again after the failure of an attempt that an earlier run had sent.
local function plan_again(take, wait)
  stop.sleep(take.ctx.account:pace(wait))
  for _, call in ipairs(take.calls) do call:forget() end
  local ok, e = look(take)
  if ok then ok, e = reserve(take) end
  if ok then ok, e = take.ctx.journal:sync() end
  return ok, e
end

local function shoot_again(take)
  while true do
    local ok, e, wait = shoot(take)
    if ok or not wait then return ok, e end
    ok, e = plan_again(take, wait)
    if not ok then return nil, e end
  end
end

--- Make what is planned. Waits; spends. Never raises but for cancellation: what goes
--- wrong is the take's `err`, so that one failure does not end the others.
---@async
---@return rushes.Take
function Take:shoot()
  self.status = "running"
  self.reused = self.calls[#self.calls].todo == "landed" or nil
  local ok, e = task.try(shoot_again, self)
  release(self, e)
  if not ok then return self:fail(STATUS[err.is(e) and e.code] or "failed", e) end
  self.status, self.state, self.progress = "landed", "landed", 1
  tell(self, self.reused and "reused" or "landed")
  return self
end

return M
