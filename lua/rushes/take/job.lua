--- One submission to a provider: planned, sent, followed, downloaded. A paid call of
--- DESIGN 4, each step in the journal before the next one depends on it. A script gets
--- one from `provider:generate`; a call of a take makes one for each of its attempts.
local core = require "rt.c.core"
local err = require "rt.err"
local log = require "rt.log"
local task = require "rt.task"
local failures = require "rushes.take.failures"
local ledgers = require "rushes.money.ledger"
local object = require "rushes.studio.object"
local records = require "rushes.take.record"
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
---@field rehearsed? boolean  of `rushes plan`: nothing was sent, nothing comes
---@field landed? {path: string, bytes: integer, sha256: string}  an earlier run has it
local Job = {}

local FIELDS = object.set [[id model state progress credits outputs err held handle
  account leaves spec files what about record landed
  rehearsed]]
local class = object.class("job", Job, FIELDS, FIELDS)

-- How long a submission may take when the script around it has been cancelled: its
-- answer holds the id of something paid for.
local SUBMIT_GRACE = 120

--- What a generation may cost at most; refuses what the provider would refuse. Sends
--- nothing and does not wait.
---@param account rushes.Account
---@param spec table  the provider's job: {mode, model, prompt, ...}
---@return integer? thousandths
---@return rushes.provider.Planned|rt.Err planned
function M.price(account, spec)
  local e, planned = account.provider.check(spec)
  if e then return nil, e end
  local price, why = account.provider.price(spec, planned)
  if not price then return nil, why end
  return price, planned
end

local function make(account, model, leaves, held, what)
  return setmetatable({ account = account, leaves = leaves, held = held, model = model,
    state = "planned", progress = 0, credits = ledgers.credits(held), what = what,
    record = records.none }, class)
end

--- A submission whose credits are held. Sends nothing.
---@param account rushes.Account
---@param spec table
---@param leaves rushes.Ledger[]  where its credits are held
---@param held integer            thousandths
---@param record? rushes.Record   none: no journal holds it
---@return rushes.Job
function M.new(account, spec, leaves, held, record)
  local job = make(account, spec.model, leaves, held,
    spec.name or ("a call to " .. spec.model))
  job.spec, job.record = spec, record or records.none
  return job
end

--- What stands for a job in `rushes plan`: it has succeeded at once and has no file.
---@param account rushes.Account
---@param spec table
---@param price integer  thousandths
---@return rushes.Job
function M.rehearsed(account, spec, price)
  local job = make(account, spec.model, {}, price, spec.name)
  job.state, job.progress, job.rehearsed, job.id = "succeeded", 1, true, "planned"
  return job
end

--- A submission of an earlier run, found in the journal. Sends nothing.
---@param account rushes.Account
---@param known table            of the journal's `recall`, its handle decoded
---@param leaves rushes.Ledger[]
---@param record rushes.Record
---@param what string
---@return rushes.Job
function M.resume(account, known, leaves, record, what)
  local job = make(account, known.model, leaves, known.held, what)
  job.handle, job.id, job.record = known.handle, known.task, record
  job.state = known.state == "accepted" and "queued" or known.state
  if known.cost then job.held, job.credits = nil, ledgers.credits(known.cost) end
  if job.state == "landed" then job.state = "succeeded" end
  return job
end

--- Book what the call cost in the end and stop holding credits for it.
local function settle(job, cost)
  if not job.held then return end
  ledgers.settle(job.leaves, job.held, cost)
  job.held = nil
  job.credits = ledgers.credits(cost)
end

--- Give the held credits back; the call never happened. `e` says why.
---@param e? rt.Err
function Job:release(e)
  if not self.held then return end
  settle(self, 0)
  self.record:dropped(e or err.new("stopped", "it was planned and not sent"))
end

--- Hold what the provider says that the call may cost at most. More than was reserved may
--- pass a limit: it is too late for this call, and in time for those that come after it.
local function hold(job, estimate)
  if estimate > job.held then
    log.warn("%s may cost %s credits, more than the %s of the catalogue of rushes; please"
      .. " report it", job.what, ledgers.credits(estimate), ledgers.credits(job.held))
  end
  ledgers.settle(job.leaves, job.held - estimate, 0)
  job.held, job.credits = estimate, ledgers.credits(estimate)
end

local function accept(job, accepted)
  job.handle, job.id = accepted.handle, accepted.handle.id
  job.state = accepted.state or "queued"
  if accepted.estimate and job.held then hold(job, accepted.estimate) end
  job.record:accepted(job.handle, job.held or 0)
  return true
end

--- Send once. Returns true when it was accepted, else the error, what is to be done
--- about it ("resend", "unknown", "fail") and the seconds to wait before a resend.
local function once(job, n)
  local account, spec = job.account, job.spec
  if stop.requested() then return nil, stop.err(), "fail" end
  local req, e = account.provider.submit(spec, account.cfg)
  if not req then return nil, e, "fail" end
  local ok, resp, accepted
  ok, e = job.record:sent()
  if not ok then return nil, e, "fail" end
  if stop.requested() then return nil, stop.err(), "fail" end -- while that was written
  resp, e = account:submit(req, job.files, job.about)
  if resp then
    accepted, e = account.provider.accept(resp, spec, account.cfg)
    if accepted then return accept(job, accepted) end
  end
  return nil, e, failures.submission(resp, e, n)
end

--- Until it is accepted, or must not be sent again. Between two sendings nothing is
--- under way, so only the sending itself is kept from cancellation.
local function send(job)
  local n = 0
  while true do
    n = n + 1
    local ok, e, verdict, wait = task.shield(SUBMIT_GRACE, once, job, n)
    if verdict ~= "resend" then return ok, e, verdict end
    job.record:withdrawn(e.message)
    stop.sleep(job.account:pace(wait))
  end
end

local function not_known(job, e)
  return err.new("unknown", ("%s: it is not known whether the call was taken (%s); its"
    .. " credits stay held and it is not sent again"):format(job.what, e.message),
    { cause = e, unknown = true, status = e.status })
end

local function not_accepted(job, e, verdict)
  job.state = "failed"
  if verdict == "fail" then
    job:release(e)
  else -- the grace running out has no verdict, and says nothing of the call
    job.record:unknown(e)
    e = not_known(job, e)
  end
  job.err = e
  return nil, e
end

--- Send it. Waits for the answer; spends. It is sent again only where the provider
--- cannot have taken it. An outcome that is not known keeps its credits held.
---@async
---@return rushes.Job?
---@return rt.Err?  `unknown = true` when it may have been taken
function Job:submit()
  local ok, e, verdict = send(self)
  self.spec, self.files, self.about = nil, nil, nil
  if not ok then return not_accepted(self, e, verdict) end
  return self
end

local ENDED = { succeeded = true, failed = true, cancelled = true }

--- Take over what an answer says of the task. Returns whether it has ended.
local function apply(job, update)
  local moved = update.state ~= job.state
  local changed = moved or update.progress ~= job.progress
  job.state = update.state
  job.progress = update.state == "succeeded" and 1 or update.progress or job.progress
  if update.handle then job.handle = update.handle end
  if not ENDED[update.state] then
    if moved then job.record:state(job.state) end
    return false, changed
  end
  job.outputs = update.outputs
  local cost = update.cost or job.held or 0
  if update.state ~= "succeeded" then
    job.err = update.err or err.new("provider", ("%s ended as %s"):format(job.what,
      update.state))
    job.err.id = job.id
    if update.cost and update.cost > 0 then job.err.charged = true end
  end
  if job.held and job.state == "succeeded" then
    job.record:done(cost)
  elseif job.held then
    job.record:ended(job.state, cost, job.err)
  end
  settle(job, cost)
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

local IN_LINE = { queued = true, throttled = true }

local function late(job, seconds)
  return err.new("timeout", ("task %s %s after %g s (last seen %s); it was not cancelled"
    .. " and goes on at the provider, and running the script again follows it further")
    :format(job.id, IN_LINE[job.state] and "had not begun" or "had not ended", seconds,
    job.state), { id = job.id })
end

---@class rushes.PollOpts
---@field every? number     seconds between two looks
---@field first? number     seconds before the first one
---@field deadline? number  seconds of work until we stop following
---@field queue_deadline? number  seconds in line (throttled, queued) until we stop
---  following; `deadline` if only that is given, else a day
---@field on_progress? fun(progress: number, job: rushes.Job)

local POLL = { every = true, first = true, deadline = true, queue_deadline = true,
  on_progress = true }

--- Two clocks: how long a task may wait in line, and how long the work may take.
local function clocks(job, opts)
  local default = job.account.provider.poll
  return { line = opts.queue_deadline or opts.deadline or default.queue,
    work = opts.deadline or default.deadline }
end

--- Start the clock of the state that the task is in, if it is another one.
local function wind(job, limits, clock)
  local which = IN_LINE[job.state] and "line" or "work"
  if clock.which == which then return end
  clock.which, clock.limit = which, limits[which]
  clock.stop_at = core.now() + clock.limit
end

local function first_wait(job, opts, every)
  if opts.first then return job.account:pace(opts.first) end
  return opts.every and every or job.account:pace(job.account.provider.poll.first)
end

--- An answer after which asking again is of no use. Only "there is no such task" says
--- something of the task; a key that is refused says nothing of it, and it goes on.
local function give_up(job, e)
  if e.class ~= "expired" then
    return err.new(e.code, ("task %s is not followed any further: %s. It goes on at the"
      .. " provider, and running the script again follows it"):format(job.id, e.message),
      { cause = e, id = job.id, class = e.class, status = e.status })
  end
  apply(job, { state = "failed", err = e })
end

--- Take over an answer. Returns why the task cannot be followed to its end.
---@return rt.Err?
local function take_over(job, resp, opts)
  local update, e = read(job, resp)
  if not update then return e.final and give_up(job, e) or nil end
  local ended, changed = apply(job, update)
  if changed and not ended and opts.on_progress then
    opts.on_progress(job.progress, job)
  end
end

--- Follow the task to its end. Waits; spends nothing. Passing a deadline stops following
--- and cancels nothing.
---@async
---@param opts? rushes.PollOpts
---@return rushes.Job?  itself, succeeded
---@return rt.Err?
function Job:poll(opts)
  opts = opts or {}
  suggest.check_keys("poll", opts, POLL)
  local account, limits, clock = self.account, clocks(self, opts), {}
  local every = account:pace(opts.every or account.provider.poll.every)
  local wait = { every = every, first = first_wait(self, opts, every) }
  local req = self.handle and account.provider.poll_req(self.handle, account.cfg)
  while not ENDED[self.state] do
    wind(self, limits, clock)
    wait.deadline = math.max(0, clock.stop_at - core.now())
    local resp, e = account:poll(req, wait)
    if not resp then return nil, err.is(e, "timeout") and late(self, clock.limit) or e end
    e = take_over(self, resp, opts)
    if e then return nil, e end
    wait.seen, wait.first = resp.digest, wait.every
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
      .. " downloaded again"):format(job.id), { id = job.id, final = true })
  end
  job.outputs = update.outputs
  return true
end

--- See to it that the outputs have links: a job of an earlier run kept none. Waits.
---@async
---@return true?
---@return rt.Err?
function Job:links()
  if self.outputs then return true end
  return renew(self)
end

local function gone(e)
  return e.status == 401 or e.status == 403 or e.status == 404 or e.status == 410
end

--- Download the first output (or output `opts.n`) to `path`: the whole file or none.
--- Waits; spends nothing. An expired link is renewed by reading the task again.
---@async
---@param path string
---@param opts? {max_bytes?: integer, sha256?: boolean, on_progress?: fun(bytes: integer)}
---@param fetch? async fun(account: rushes.Account, output: table, path: string,
---  opts?: table): table?, rt.Err?  instead of the account's `download`
---@return string? path
---@return table|rt.Err  {path, bytes, sha256, type}, or the error
function Job:download(path, opts, fetch)
  fetch = fetch or self.account.download
  if self.state ~= "succeeded" then
    error(("job:download needs a job that has succeeded; this one is %s (poll it first)")
      :format(self.state), 2)
  end
  suggest.check_keys("download", opts or {}, DOWNLOAD)
  if self.rehearsed then return path, { path = path, bytes = 0 } end
  if self.landed and self.landed.path == path then return path, self.landed end
  local ok, e = self:links()
  if not ok then return nil, e end
  local file
  for _ = 1, FRESH_URLS do
    file, e = fetch(self.account, self.outputs[1], path, opts)
    if file then
      self.record:landed(path, file)
      return path, file
    end
    if not gone(e) then return nil, e end
    local renewed, why = renew(self)
    if not renewed then return nil, why end
  end
  return nil, e
end

--- Ask the provider to cancel. Never done by itself: a cancelled task may be charged,
--- and on a finished one it destroys the output, so one that has ended is left alone.
--- Nobody says what a cancelled one cost: one that had begun is booked in full.
---@async
---@return true?
---@return rt.Err?
function Job:cancel()
  if ENDED[self.state] then return true end
  local account = self.account
  local resp, e = account:request(account.provider.poll_req(self.handle, account.cfg))
  if not resp then return nil, e end
  local update
  update, e = read(self, resp)
  if not update then return nil, e end
  if apply(self, update) then return true end
  local req = account.provider.cancel(self.handle, account.cfg)
  if not req then
    return nil, err.new("unsupported", account.name .. " has no way to cancel a task")
  end
  resp, e = account:request(req)
  if not resp then return nil, e end
  if resp.status >= 400 and resp.status ~= 404 then return nil, account:error(resp) end
  local cost = not IN_LINE[self.state] and self.held or 0
  self.state = "cancelled"
  self.record:ended("cancelled", cost)
  settle(self, cost)
  return true
end

return M
