--- One take of a shot: its stages planned together, then bought one after the other.
local err = require "rt.err"
local fs = require "rt.fs"
local hash = require "rt.hash"
local task = require "rt.task"
local event = require "rushes.event"
local ledgers = require "rushes.money.ledger"
local object = require "rushes.studio.object"
local stop = require "rushes.stop"
local assets = require "rushes.take.assets"
local jobs = require "rushes.take.job"

local M = {}

---@class rushes.Take
---@field shot rushes.Shot
---@field number string     t001, t002 …
---@field status string     planned, running, landed, failed, skipped or stopped
---@field model? string     of the motion
---@field why? string       the policy's reason
---@field seed integer
---@field credits number    held while it runs, charged in the end, all stages together
---@field file? string      the clip, once landed
---@field still? string     the keyframe, where one was made
---@field id? string        the provider's task id of the last stage
---@field err? rt.Err
local Take = {}

local FIELDS = object.set
  [[shot number status model why seed credits file still id err stages jobs account state
  progress]]
local class = object.class("take", Take, FIELDS, FIELDS)

--- Put a number on a name that is the same in every run: a seed for a take that was
--- given none.
local function seed_of(shot, number)
  return tonumber(hash.sha256(shot.show.name .. "/" .. shot.name .. "/" .. number)
    :sub(1, 8), 16)
end

---@param shot rushes.Shot
---@param n integer  which take of the shot
---@return rushes.Take
function M.new(shot, n)
  local number = ("t%03d"):format(n)
  return setmetatable({ shot = shot, number = number, status = "planned", credits = 0,
    seed = shot.seed or seed_of(shot, number), jobs = {} }, class)
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

--- Plan every stage and hold the credits of all of them: a still is never bought for a
--- motion that cannot be paid. Sends nothing.
---@param account rushes.Account
---@param stages rushes.Stage[]
---@param ledger rushes.Ledger
---@return boolean ok  else the take has failed
function Take:plan(account, stages, ledger)
  self.account, self.stages = account, stages
  for i, stage in ipairs(stages) do
    local ok, e = assets.load(stage.spec)
    local job = ok
    if ok then job, e = jobs.plan(account, stage.spec, ledger) end
    if not job then
      for _, planned in ipairs(self.jobs) do planned:release() end
      self:fail("failed", e)
      return false
    end
    account:note(stage.spec)
    self.jobs[i] = job
  end
  self:count()
  self.model = stages[#stages].spec.model
  self.state = "planned"
  tell(self, "planned", { why = self.why })
  return true
end

--- Add up what the stages hold or have cost.
function Take:count()
  local sum = 0
  for _, job in ipairs(self.jobs) do sum = sum + ledgers.thousandths(job.credits) end
  self.credits = ledgers.credits(sum)
end

local EXTENSIONS = { ["video/mp4"] = "mp4", ["video/quicktime"] = "mov",
  ["image/png"] = "png", ["image/jpeg"] = "jpg", ["image/webp"] = "webp",
  ["application/zip"] = "zip" }

--- The ending that an output's link or type tells.
local function extension(output, default)
  local path = (output.url or ""):match "^[^?#]*"
  local ending = path:match "%.(%w%w%w%w?)$"
  return EXTENSIONS[output.mime] or ending and ending:lower() or default
end

local IN_LINE = { queued = true, throttled = true }

--- To the end of the task. The provider's deadline is for the work: a take that waits
--- for a slot of the account is waited for.
local function follow(take, job, share, from)
  local opts = { on_progress = function(progress)
    take.state = job.state
    take.progress = from + share * progress
    tell(take, take.state == "running" and "progress" or "state")
  end }
  while true do
    local ok, e = job:poll(opts)
    if ok or not (err.is(e, "timeout") and IN_LINE[job.state]) then return ok, e end
  end
end

local function buy(take, stage, i, first_frame)
  local job = take.jobs[i]
  if stop.requested() then return nil, stop.err() end
  local ok, e
  if first_frame then
    job.spec.images[1].image, e = assets.made(first_frame)
    if e then return nil, e end
  end
  ok, e = assets.load(job.spec)
  if not ok then return nil, e end
  local files
  files, e = assets.fill(take.account, job.spec)
  if not files then return nil, e end
  job.files = files
  job.about = { show = take.shot.show.name, shot = take.shot.name, take = take.number }
  ok, e = job:submit()
  take:count()
  if not ok then return nil, e end
  take.id, take.state = job.id, job.state
  take.progress = (i - 1) / #take.jobs
  tell(take, "submitted", { stage = stage.name, stage_model = job.model })
  ok, e = follow(take, job, 1 / #take.jobs, (i - 1) / #take.jobs)
  take:count()
  if not ok then return nil, e end
  return job
end

--- What was paid for and could not be saved is still at the provider.
local function not_saved(stage, job, e)
  return err.new(e.code, ("the %s has been made and paid for (%s credits, task %s), but"
    .. " could not be saved: %s"):format(stage.name == "motion" and "clip" or "still",
    job.credits, job.id, e.message), { cause = e, id = job.id, status = e.status })
end

local function land(take, stage, job)
  local show = take.shot.show
  local motion = stage.name == "motion"
  local ending = extension(job.outputs[1], motion and "mp4" or "png")
  local name = ("%s_%s%s.%s"):format(take.shot.name, take.number,
    motion and "" or "_" .. stage.name, ending)
  local path, e = job:download(fs.join(show.output, name))
  if path then return path end
  return nil, not_saved(stage, job, e)
end

local function shoot(take)
  local frame
  for i, stage in ipairs(take.stages) do
    local job, e = buy(take, stage, i, frame)
    if not job then return nil, e end
    local path
    path, e = land(take, stage, job)
    if not path then return nil, e end
    if stage.name == "motion" then take.file = path else take.still = path end
    frame = path
  end
  return true
end

--- Give back what stages that were never sent still hold.
local function release_rest(take)
  for _, job in ipairs(take.jobs) do
    if job.state == "planned" then job:release() end
  end
  take:count()
end

--- Buy and download the planned stages. Waits; spends. Never raises but for cancellation:
--- what goes wrong is the take's `err`, so that one failure does not end the others.
---@async
---@return rushes.Take
function Take:shoot()
  self.status = "running"
  local ok, e = task.try(shoot, self)
  release_rest(self)
  if not ok then
    return self:fail(err.is(e, "stopped") and "stopped" or "failed", e)
  end
  self.status, self.state, self.progress = "landed", "landed", 1
  tell(self, "landed")
  return self
end

return M
