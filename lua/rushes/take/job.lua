--- One generation at a provider: planned, sent, followed, downloaded. A paid call of
--- DESIGN 4, in memory. A script gets it from `provider:generate`, a take owns one for
--- each of its stages.
local core = require "rt.c.core"
local err = require "rt.err"
local retry = require "rt.retry"
local task = require "rt.task"
local ledgers = require "rushes.money.ledger"
local object = require "rushes.studio.object"
local stop = require "rushes.stop"
local suggest = require "rt.suggest"

local M = {}

---@class rushes.Job
---@field id? string       the provider's task id, once accepted
---@field model string
---@field state string     planned queued throttled running succeeded failed cancelled
---@field progress number  0 to 1
---@field credits? number  reserved while it runs, charged once it has ended
---@field outputs? table[]
---@field about? {show: string, shot: string, take: string}
---@field pace? number     how many times as fast as ours the simulator's clock runs
local Job = {}

local FIELDS = object.set [[id model state progress credits outputs err held handle
  account ledger spec files what about pace]]
local class = object.class("job", Job, FIELDS, FIELDS)

-- How long a submission may take when the script around it has been cancelled: its
-- answer holds the id of something paid for.
local SUBMIT_GRACE = 120

-- Where refusal is certain: nothing left, or the provider says it took nothing.
local RESEND = { attempts = 5, base = 1, cap = 20 }

--- Check and price a generation and hold its credits. Sends nothing.
---@param account rushes.Account
---@param spec table        the provider's job: {mode, model, prompt, ...}
---@param ledger rushes.Ledger
---@param held? integer     thousandths already held for it
---@return rushes.Job?
---@return rt.Err?
function M.plan(account, spec, ledger, held)
  local e, built = account.provider.check(spec)
  if e then return nil, e end
  local price
  price, e = account.provider.price(spec, built)
  if not price then return nil, e end
  local what = spec.name or ("a call to " .. spec.model)
  if not held then
    local ok
    ok, e = ledger:reserve(price, what)
    if not ok then return nil, e end
    held = price
  end
  return setmetatable({ account = account, spec = spec, ledger = ledger, held = held,
    model = spec.model, state = "planned", progress = 0,
    credits = ledgers.credits(held), what = what }, class)
end

--- Book what the call cost in the end and stop holding credits for it.
local function settle(job, cost)
  if not job.held then return end
  job.ledger:settle(job.held, cost)
  job.held = nil
  job.credits = ledgers.credits(cost)
end

--- Give the held credits back; the call never happened.
function Job:release() settle(self, 0) end

local function once(job)
  local account, spec = job.account, job.spec
  local req, e
  if stop.requested() then
    e = stop.err()
  else
    req, e = account.provider.submit(spec, account.cfg)
  end
  if not req then
    e.sent = false
    return nil, e
  end
  local resp
  resp, e = account:submit(req, job.files, job.about)
  if not resp then
    e.unknown = e.sent ~= false
    e.retryable = not e.unknown
    return nil, e
  end
  local accepted
  accepted, e = account.provider.accept(resp, spec, account.cfg)
  if accepted then
    job.pace = account:pace(resp)
    return accepted
  end
  e.retryable = e.resend == true
  return nil, e
end

local function not_known(job, e)
  return err.new("unknown", ("%s: it is not known whether the call was taken (%s); its"
    .. " credits stay held and it is not sent again"):format(job.what, e.message),
    { cause = e, unknown = true, status = e.status })
end

--- Send it. Waits for the answer; spends. It is sent again only where the provider
--- cannot have taken it. An outcome that is not known keeps its credits held.
---@async
---@return rushes.Job?
---@return rt.Err?  `unknown = true` when it may have been taken
function Job:submit()
  local accepted, e = task.shield(SUBMIT_GRACE, retry.call,
    function() return once(self) end, RESEND)
  self.spec, self.files, self.about = nil, nil, nil
  if not accepted then
    -- the grace running out has neither mark, and says nothing of the call
    if e.unknown or e.sent ~= false and not e.status then
      e = not_known(self, e)
    else
      self:release()
    end
    self.state, self.err = "failed", e
    return nil, e
  end
  self.handle, self.id = accepted.handle, accepted.handle.id
  self.state = accepted.state or "queued"
  if accepted.estimate and self.held and accepted.estimate < self.held then
    self.ledger:settle(self.held - accepted.estimate, 0)
    self.held = accepted.estimate
    self.credits = ledgers.credits(self.held)
  end
  return self
end

local ENDED = { succeeded = true, failed = true, cancelled = true }

--- Take over what an answer says of the task. Returns whether it has ended.
local function apply(job, update)
  local changed = update.state ~= job.state or update.progress ~= job.progress
  job.state = update.state
  job.progress = update.state == "succeeded" and 1 or update.progress or job.progress
  if update.handle then job.handle = update.handle end
  if not ENDED[update.state] then return false, changed end
  job.outputs = update.outputs
  settle(job, update.cost or job.held or 0)
  if update.state ~= "succeeded" then
    job.err = update.err or err.new("provider", ("%s ended as %s"):format(job.what,
      update.state))
    job.err.id = job.id
  end
  return true, true
end

local function read(job, resp)
  local account = job.account
  local update, e = account.provider.update(job.handle, resp, account.cfg)
  while update and update.next do
    if update.handle then job.handle = update.handle end
    resp, e = account:request(update.next)
    if not resp then return nil, e end
    update, e = account.provider.update(job.handle, resp, account.cfg)
  end
  return update, e
end

local function late(job, deadline)
  return err.new("timeout", ("task %s had not ended after %g s (last seen %s); it was not"
    .. " cancelled and goes on at the provider"):format(job.id, deadline, job.state),
    { id = job.id })
end

---@class rushes.PollOpts
---@field every? number     seconds between two looks
---@field first? number     seconds before the first one
---@field deadline? number  seconds until we stop following
---@field on_progress? fun(progress: number, job: rushes.Job)

local POLL = { every = true, first = true, deadline = true, on_progress = true }

local SHORTEST = 0.2 -- seconds between two looks, however fast the simulator's clock

--- Seconds between two looks, in the time of the clock that the task runs on.
local function paced(job, seconds)
  return job.pace and math.max(SHORTEST, seconds / job.pace) or seconds
end

--- Follow the task to its end. Waits; spends nothing. Passing the deadline stops
--- following and cancels nothing.
---@async
---@param opts? rushes.PollOpts
---@return rushes.Job?  itself, succeeded
---@return rt.Err?
function Job:poll(opts)
  opts = opts or {}
  suggest.check_keys("poll", opts, POLL)
  local account = self.account
  local default = account.provider.poll
  local deadline = opts.deadline or default.deadline
  local stop_at = core.now() + deadline
  local every = paced(self, opts.every or default.every)
  local wait = { every = every, deadline = deadline,
    first = opts.first and paced(self, opts.first) or opts.every and every
      or paced(self, default.first) }
  local req = account.provider.poll_req(self.handle, account.cfg)
  while not ENDED[self.state] do
    local resp, e = account:poll(req, wait)
    if not resp then return nil, err.is(e, "timeout") and late(self, deadline) or e end
    local update
    update, e = read(self, resp)
    if not update and e.final then
      self.state, self.err = "failed", e
      settle(self, self.held or 0)
      break
    end
    if update then
      local ended, changed = apply(self, update)
      if changed and not ended and opts.on_progress then
        opts.on_progress(self.progress, self)
      end
    end
    wait.seen, wait.first = resp.digest, wait.every
    wait.deadline = math.max(0, stop_at - core.now())
  end
  if self.state == "succeeded" then return self end
  return nil, self.err
end

local DOWNLOAD = { max_bytes = true, sha256 = true, on_progress = true }
local FRESH_URLS = 3 -- how often an expired link is renewed

--- Read the task again: links in its outputs expire and are made anew by each reading.
local function renew(job)
  local account = job.account
  local resp, e = account:request(account.provider.poll_req(job.handle, account.cfg))
  if not resp then return nil, e end
  local update
  update, e = read(job, resp)
  if not update then return nil, e end
  if update.state ~= "succeeded" then
    return nil, err.new("expired", ("task %s is no longer there: its output cannot be"
      .. " downloaded again"):format(job.id), { id = job.id })
  end
  job.outputs = update.outputs
  return true
end

local function gone(e)
  return e.status == 401 or e.status == 403 or e.status == 404 or e.status == 410
end

--- Download the first output (or output `opts.n`) to `path`: the whole file or none.
--- Waits; spends nothing. An expired link is renewed by reading the task again.
---@async
---@param path string
---@param opts? {max_bytes?: integer, sha256?: boolean, on_progress?: fun(bytes: integer)}
---@return string? path
---@return table|rt.Err  {path, bytes, sha256, type}, or the error
function Job:download(path, opts)
  if self.state ~= "succeeded" then
    error(("job:download needs a job that has succeeded; this one is %s (poll it first)")
      :format(self.state), 2)
  end
  suggest.check_keys("download", opts or {}, DOWNLOAD)
  local file, e
  for _ = 1, FRESH_URLS do
    file, e = self.account:download(self.outputs[1], path, opts)
    if file then return path, file end
    if not gone(e) then return nil, e end
    local ok, why = renew(self)
    if not ok then return nil, why end
  end
  return nil, e
end

--- Ask the provider to cancel. Never done by itself: a cancelled task may be charged,
--- and on a finished one it destroys the output, so one that has ended is left alone.
---@async
---@return true?
---@return rt.Err?
function Job:cancel()
  if ENDED[self.state] then return true end
  local account = self.account
  local resp, e = account:request(account.provider.poll_req(self.handle, account.cfg))
  if not resp then return nil, e end
  local update = read(self, resp)
  if update and apply(self, update) then return true end
  local req = account.provider.cancel(self.handle, account.cfg)
  if not req then
    return nil, err.new("unsupported", account.name .. " has no way to cancel a task")
  end
  resp, e = account:request(req)
  if not resp then return nil, e end
  if resp.status >= 400 and resp.status ~= 404 then return nil, account:error(resp) end
  self.state = "cancelled"
  settle(self, 0)
  return true
end

return M
