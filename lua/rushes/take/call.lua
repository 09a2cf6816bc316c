--- One paid call of a take: found in the journal or planned, bought, followed, bought
--- again where the failure was refunded, landed. The still and the motion of a take are
--- two calls.
local err = require "rt.err"
local fs = require "rt.fs"
local hash = require "rt.hash"
local json = require "rt.json"
local log = require "rt.log"
local quote = require("rt.shell").quote
local task = require "rt.task"
local assets = require "rushes.take.assets"
local failures = require "rushes.take.failures"
local fingerprint = require "rushes.take.fingerprint"
local jobs = require "rushes.take.job"
local landing = require "rushes.take.landing"
local ledgers = require "rushes.money.ledger"
local stop = require "rushes.stop"

local M = {}

---@class rushes.Call
---@field ctx rushes.Shooting
---@field stage string        still or motion
---@field name string         in sentences: "shot street (still)"
---@field spec table          the provider's job
---@field endpoint string
---@field request string      as the journal keeps it
---@field seeded boolean      the request has a seed
---@field fingerprint string
---@field price integer       thousandths it may cost at most
---@field todo string         buy, follow, fetch, landed, share, unknown, nothing
---@field why string          the reason for `todo`, in words
---@field known? table        what the journal knows of it
---@field attempts? integer   submissions so far, those of earlier runs included
---@field job? rushes.Job
---@field path? string        of its file
---@field entry? table        what others of the same fingerprint wait for
---@field begun? boolean      `run` has been called
local Call = {}
Call.__index = Call

local BY_HAND = "job" -- the stage of a call that a script makes itself
M.BY_HAND = BY_HAND

--- What a stage asks for and what it may cost. Waits (hashing); sends nothing.
---@async
---@param ctx rushes.Shooting
---@param stage rushes.Stage
---@param before? rushes.Call  whose file will be the first frame
---@return rushes.Call?
---@return rt.Err?
function M.describe(ctx, stage, before)
  local spec = stage.spec
  if before then spec.images[1].made = before.fingerprint end
  local ok, e = assets.load(spec)
  if not ok then return nil, e end
  local price, planned = jobs.price(ctx.account, spec)
  if not price then return nil, planned end
  return setmetatable({ ctx = ctx, stage = stage.name, spec = spec, price = price,
    name = spec.name or ("a call to " .. spec.model), endpoint = planned.endpoint,
    request = fingerprint.request(planned.body), seeded = planned.body.seed ~= nil,
    fingerprint = nil, seen = nil, known = nil, todo = nil, why = nil, entry = nil,
    attempts = nil, job = nil }, Call) -- made in one size
end

--- A call of an earlier run that nobody in this one asks for, from the journal alone. It
--- can be followed and fetched, not bought. Waits; sends nothing.
---@async
---@param ctx rushes.Shooting
---@param name string  in sentences: "shot street"
---@param row {fingerprint: string, stage: string}
---@return rushes.Call?
---@return rt.Err?
function M.recalled(ctx, name, row)
  local call = setmetatable({ ctx = ctx, name = name, fingerprint = row.fingerprint,
    stage = row.stage }, Call)
  local ok, e = call:look()
  if not ok then return nil, e end
  call:resume()
  if call.stage == BY_HAND then call.job.record.by_hand = true end
  return call
end

--- What moderation judges of it, as a hash. Seldom asked for. nil of a call that only
--- the journal knows: what it says there is the provider's request.
---@return string?
function Call:content()
  if not self.spec then return nil end
  self.judged = self.judged or fingerprint.content(self.spec)
  return self.judged
end

--- The n-th call by hand with one request in this run is that of earlier runs.
local function counted(call, print, by_hand)
  local asked = call.ctx.journal.asked
  local n = (asked[print] or 0) + 1
  asked[print] = n
  if n == 1 then return print end
  return fingerprint.of(call.ctx.account.name, by_hand, call.request, n, 0)
end

--- Find out which call it is, and what the journal knows of it. Waits.
---@async
---@param ordinal? integer  the n-th time that it is asked for in this run; not of a call
---                        by hand
---@param redo? integer     how often it was made anew by force
---@param seed? integer|false  of the take, where the script has given none: two shots are
---                        two calls also at a model that takes no seed
---@return true?
---@return rt.Err?
function Call:identify(ordinal, redo, seed)
  local by_hand = self.stage == BY_HAND
  local endpoint = by_hand and self.endpoint .. " by hand" or self.endpoint
  local print = fingerprint.of(self.ctx.account.name, endpoint, self.request,
    ordinal or 1, redo or 0, not self.seeded and seed or nil)
  self.fingerprint = by_hand and counted(self, print, endpoint) or print
  return self:refresh()
end

-- ---- what the journal knows ----

--- Ask the journal, unless nothing has ended since: another take may have made the same
--- call meanwhile. Waits.
---@async
---@return true?
---@return rt.Err?
function Call:refresh()
  local journal = self.ctx.journal
  while self.seen ~= journal.ended do
    self.seen = journal.ended
    local known, e = journal:recall(self.fingerprint)
    if e then return nil, e end
    self.known = known
  end
  return true
end

--- Is the landed file there, and is it the one that landed? Waits.
local function intact(call)
  local file = call.known
  local path = call.stage == BY_HAND and file.path
    or fs.join(call.ctx.journal.folder, file.path)
  local stat = fs.stat(path)
  if not stat or stat.size ~= file.bytes then
    return false, stat and "its size has changed" or "its file is missing"
  end
  if stat.mtime == file.mtime and not call.ctx.options.verify then return true, path end
  if hash.sha256_file(path) == file.sha256 then return true, path end
  return false, "its file has changed"
end

local LIVE = { accepted = true, queued = true, throttled = true, running = true }

--- Is another take of this run at it?
local function shared(call)
  local entry = call.ctx.journal.active[call.fingerprint]
  if not entry or entry.owner == call then return nil end
  call.entry = entry
  return "share", "another take of this run asks for the same"
end

-- What was sent and has no answer may have been taken, as what is known to be unknown.
local UNCERTAIN = { unknown = true, sent = true }

local function classify(call)
  local known = call.known
  local state = known and known.state
  if LIVE[state] then
    return "follow", ("under way at the provider as task %s"):format(known.task)
  elseif state == "succeeded" then
    return "fetch", ("made as task %s, not downloaded yet"):format(known.task)
  elseif state == "landed" then
    local good, said = intact(call)
    if not good then return "fetch", said .. "; it is downloaded again" end
    call.path = said
    return "landed", ("landed as %s"):format(known.path)
  elseif UNCERTAIN[state] and call.ctx.options.on_unknown ~= "resubmit" then
    return "unknown", known.failure or "its outcome is not known"
  end
  return "buy", state and ("attempt %d: %s"):format(known.n, known.failure or state)
    or "not made yet"
end

local WORK = { buy = true, follow = true, fetch = true }

--- Say what is to be done about it. Waits (a look at the file); sends nothing. Calls by
--- hand are shared with nobody.
---@async
---@return true?
---@return rt.Err?
function Call:look()
  local ok, e = self:refresh()
  if not ok then return nil, e end
  local todo, why = shared(self)
  if not todo then
    todo, why = classify(self)
    local late, instead = shared(self) -- while the file was looked at
    if late then todo, why = late, instead end
  end
  self.todo, self.why = todo, why
  self:claim(true)
  local active = self.ctx.journal.active
  if WORK[todo] and self.stage ~= BY_HAND then
    -- its own entry is there when this is another attempt
    self.entry = active[self.fingerprint] or { queue = {}, owner = self }
    active[self.fingerprint] = self.entry
  end
  local known = self.known
  if known and known.task and type(known.handle) ~= "table" then
    known.handle = known.handle and json.decode(known.handle) or { id = known.task }
  end
  return true
end

--- Say whether this run cares for what an earlier one has paid for; what nobody claims is
--- fetched once the script has ended.
---@param claimed boolean
function Call:claim(claimed)
  if self.todo == "follow" or self.todo == "fetch" then
    self.ctx.journal.claimed[self.known.attempt] = claimed or nil
  end
end

--- Ask the journal anew, after an attempt that has failed: `look` comes next. What is
--- reserved and was not sent stays as it is. Does not wait.
function Call:forget()
  if self:reserved() then return end
  self.job, self.seen = nil, nil
end

--- Does it hold credits for something that was not sent?
---@return boolean
function Call:reserved() return self.job ~= nil and self.job.state == "planned" end

--- The call is over, or will not be made: tell those who wait for it.
---@param e? rt.Err
function Call:close(e)
  local entry, active = self.entry, self.ctx.journal.active
  if self.todo == "share" or not entry then return end
  if active[self.fingerprint] ~= entry then return end
  if not self.path and (not e or err.is(e, "cancelled")) then
    e = err.new("stopped", self.name .. ": the take that made it was called off")
  end
  local journal = self.ctx.journal
  journal.ended = journal.ended + 1
  entry.done, entry.path, entry.err = true, self.path, e
  active[self.fingerprint] = nil
  task.wake_all(entry.queue)
end

--- Give back what it holds without having been sent.
---@param e? rt.Err
function Call:release(e)
  if self:reserved() then self.job:release(e) end
  if not self.begun and not self.ctx.journal.readonly then self:claim(false) end
  self:close(e or err.new("stopped", self.name .. " was not sent"))
end

-- ---- credits ----

--- The code with which moderation has refused this content, or this very call.
local function refused_before(call)
  local moderated, known = call.ctx.journal.moderated, call.known
  local code = next(moderated) and moderated[call:content()]
  return code or known and known.class == "safety" and (known.code or "SAFETY")
end

local function moderated(call)
  local ctx = call.ctx
  if ctx.options.allow_moderated then return nil end
  local code = refused_before(call)
  if code then
    ctx.breaker:remembered(ctx.keys, call:content())
    return err.new("moderation", ("%s: moderation has refused this prompt with these"
      .. " pictures and this model before (%s), so it was not sent. Change them, or say"
      .. " --allow-moderated; repeated refusals can cost the account"):format(call.name,
      code))
  end
  return ctx.breaker:check(ctx.keys)
end

--- Hold the credits of one attempt and write down the intent. Does not wait: nothing may
--- be sent before the journal's `sync`.
---@return true?
---@return rt.Err?  budget or moderation
function Call:reserve()
  local ctx = self.ctx
  local e = moderated(self)
  if e then return nil, e end
  local ok
  ok, e = ledgers.reserve(ctx.leaves, self.price, self.name)
  if not ok then return nil, e end
  local record
  if not ctx.journal.readonly then
    if self.known and UNCERTAIN[self.known.state] then
      ctx.journal:record(self.known, self):resubmit()
    end
    self.attempts = (self.attempts or self.known and self.known.n or 0) + 1
    record = ctx.journal:intend(self, self.price, ctx.budget)
    if self.stage ~= BY_HAND then record:noted() end -- it may wait for a lane
  end
  self.job = jobs.new(ctx.account, self.spec, ctx.leaves, self.price, record)
  return true
end

--- Take over what an earlier run has begun: its credits are held already.
function Call:resume()
  local ctx, known = self.ctx, self.known
  local record = not ctx.journal.readonly and ctx.journal:record(known, self) or nil
  local adopted = ctx.journal.adopted
  if known.run ~= ctx.journal.run and not adopted[known.attempt] then
    adopted[known.attempt] = true
    ledgers.root():load(0, known.held) -- this run follows it, so it is this run's
  end
  self.job = jobs.resume(ctx.account, known, ctx:leaves_of(known.budget), record,
    self.name)
end

-- ---- buying ----

--- Follow the task; a throttled one tells that the lane is narrower than we thought.
local function follow(call, on_progress)
  local told
  return call.job:poll { on_progress = function(progress, job)
    if job.state == "throttled" and not told then
      told = true
      call.ctx.lanes:throttled(job.model)
    end
    on_progress(progress, job)
  end }
end

local function send(call, on_accepted)
  local ctx, job = call.ctx, call.job
  local files, e = assets.fill(ctx.account, call.spec)
  if not files then return nil, e end
  job.about = ctx.about
  local slot
  slot, e = ctx.lanes:acquire(job.model, { shot = ctx.about.shot,
    priority = ctx.priority })
  if not slot then return nil, e end
  local _ <close> = slot
  job.files, e = assets.fill(ctx.account, call.spec) -- uploads expire in a long wait
  if not job.files then return nil, e end
  e = ctx.breaker:check(ctx.keys)
  if e then return nil, e end
  local ok
  ok, e = job:submit()
  if not ok then return nil, e end
  slot:accepted()
  on_accepted(call)
  return follow(call, ctx.on_progress)
end

--- What a failure means for those that come after it.
local function learn(call, e)
  local ctx = call.ctx
  if e.daily then
    ctx.lanes:close(call.job.model, ctx.account:pace(e.retry_after), e.message)
  end
  ctx.breaker:failed(ctx.keys, e.class, e.class == "safety" and call:content() or nil)
end

--- Wait and hold the credits of another attempt, if the failure allows one.
local function again(call, e, n)
  local wait = e.daily and 0 or failures.again(e, n)
  if not wait then return nil, e end
  if not e.daily then -- of that the lane has told
    log.info("%s: %s; attempt %d follows%s", call.name, e.message, n + 1,
      wait > 0 and (" in %.0f s"):format(wait) or "")
  end
  stop.sleep(call.ctx.account:pace(wait))
  if stop.requested() then return nil, e end
  local ok, why = call:reserve()
  if ok then ok, why = call.ctx.journal:sync() end
  if not ok then return nil, why end
  return true
end

local function buy(call, on_accepted)
  local n = 0
  while true do
    local ok, e = send(call, on_accepted)
    if ok then return true end
    local refused = not call.job.id and not e.daily
    if refused or err.is(e, "timeout") then return nil, e end
    learn(call, e)
    if not e.daily then n = n + 1 end
    ok, e = again(call, e, n)
    if not ok then return nil, e end
  end
end

-- ---- what there is to do ----

local DO = {}

function DO.landed() return true end

function DO.share(call)
  local entry = call.entry
  if not entry.done then task.wait_on(entry.queue) end
  if not entry.path then return nil, entry.err end
  call.path = entry.path
  return true
end

function DO.unknown(call)
  return nil, err.new("unknown", ("%s was sent and it is not known whether it was taken"
    .. " (%s); its %s credits stay held and it is not sent again. See: rushes reconcile"
    .. " %s"):format(call.name, call.why, ledgers.credits(call.known.held),
    quote(call.ctx.journal.folder)), { unknown = true })
end

function DO.fetch(call) return landing.land(call) end

function DO.follow(call, on_accepted)
  local _ <close> = call.ctx.lanes:occupy(call.job.model)
  on_accepted(call)
  local ok, e = follow(call, call.ctx.on_progress)
  if ok then return landing.land(call) end
  if err.is(e, "timeout") then return nil, e end
  learn(call, e)
  return nil, e, failures.again(e, call.known.failures + 1)
end

function DO.buy(call, on_accepted)
  local ok, e = buy(call, on_accepted)
  if not ok then return nil, e end
  return landing.land(call)
end

--- Do what is to be done until the file is there. Waits; may spend what is reserved.
---@async
---@param frame? string        the file of the stage before
---@param on_accepted fun(call: rushes.Call)
---@return string? path
---@return rt.Err?
---@return number? seconds     after which it may be bought again: an attempt of an
---                            earlier run has failed
function Call:run(frame, on_accepted)
  local e, wait
  self.begun = true
  local _ <close> = setmetatable({}, { __close = function(_, raised)
    if not wait then self:close(e or raised) end
  end })
  if frame and self.todo == "buy" then
    self.spec.images[1].image, e = assets.made(frame)
    if e then return nil, e end
  end
  local ok
  ok, e, wait = DO[self.todo](self, on_accepted)
  if not ok then return nil, e, wait end
  return self.path
end

return M
