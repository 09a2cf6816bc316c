--- The journal of one show: every intent, answer and landing, durable before what depends
--- on it. The only module that writes it; docs/internals/journal.md has its rules.
local core = require "rt.c.core"
local err = require "rt.err"
local fs = require "rt.fs"
local json = require "rt.json"
local log = require "rt.log"
local sys = require "rt.c.sys"
local task = require "rt.task"
local config = require "rushes.config"
local recovery = require "rushes.take.recovery"
local records = require "rushes.take.record"
local readers = require "rushes.take.records"
local stop = require "rushes.stop"
local tail = require "rushes.take.tail"

local M = {}

---@class rushes.Journal
---@field folder string
---@field readonly? boolean
---@field calls table<string, integer>     fingerprint -> id of the call
---@field takes table<string, table>       shot and fingerprint -> {id, number}
---@field last table<string, integer>      shot -> the last number given out
---@field decisions table<string, table>   {decision, redo}
---@field moderated table<string, string>  content hash -> failure code
---@field active table<string, table>      fingerprint -> the call under way in this run
---@field next table<string, integer>      table -> the next id
---@field meta table<string, string>      the show's name, the providers' addresses
---@field spent {budget: string, held: integer, cost: integer}[]  by earlier runs
---@field adopted table<integer, true>    attempts of earlier runs that this one follows
---@field claimed table<integer, true>    attempts of earlier runs that this one asks for
---@field ledger? rushes.Ledger           of the show, once it has opened the journal
---@field new boolean                     no take was ever made
---@field clips table<string, integer>    shot -> the last number that a file there has
---@field surveyed? number                monotonic, when the account was last asked
---@field asked table<string, integer>    fingerprint of a call by hand, were it the first
---                                       -> how often it was asked for so far
---@field ended integer                   calls of this run that are over
---@field run integer
---@field evidence? integer                the account as it was last seen
---@field unsaved table<rushes.Record, true>  successes that are not noted yet
---@field troubled? boolean                it could not be written for a while
local Journal = {}
Journal.__index = Journal

local key = recovery.key

local open, opening = {}, {} -- folder -> journal; folder -> queue of those who wait

local RESERVE = 1 << 20 -- bytes kept back for the hour when the disk is full

local function reserve_path(journal) return fs.join(journal.folder, "journal.reserve") end

--- Room that a full disk cannot take from us: what has been paid for can still be noted.
local function keep_reserve(journal)
  local path = reserve_path(journal)
  if not fs.exists(path) then fs.write(path, ("\0"):rep(1 << 10):rep(RESERVE >> 10)) end
end

local function make_room(journal, e)
  if e.code == "no_space" then os.remove(reserve_path(journal)) end
end

--- The journal cannot be written now. What was given to it is kept and tried again.
local function trouble(journal, e)
  make_room(journal, e)
  if not journal.troubled then
    journal.troubled = true
    stop.request "a journal that cannot be written"
    log.error("the journal of %s cannot be written: %s. Nothing more is submitted; what"
      .. " is paid for is followed to its end", journal.folder, e.message)
  end
end

--- Make statements durable, all or none. Waits; many tasks share one fsync.
---@async
---@param statements table[]  as rt.db's conn:write takes them
---@return true?
---@return rt.Err?
function Journal:write(statements)
  local ok, e = self.conn:write(statements)
  if ok then return true end
  trouble(self, e)
  return self.conn:write(statements) -- it may have told of what was given to `later`
end

--- Give statements to the transaction of the next write; they are kept while nothing can
--- be written. Does not wait.
function Journal:later(statements)
  local ok, e = self.conn:later(statements)
  if not ok then trouble(self, e) end
end

--- Give what waits for something to go with it.
local function give_all(journal)
  for record in pairs(journal.unsaved) do record:note_success() end
end

--- Wait until everything given so far is durable.
---@async
---@return true?
---@return rt.Err?
function Journal:sync()
  give_all(self)
  local ok, e = self.conn:sync()
  if ok then return true end
  trouble(self, e)
  return nil, e
end

function Journal:new_id(name)
  local id = self.next[name]
  self.next[name] = id + 1
  return id
end

-- ---- shots, decisions, takes ----

--- Note what a shot says. Does not wait.
---@param name string
---@param spec table
function Journal:shot(name, spec)
  if self.readonly then return end
  self:later { { [[INSERT INTO shots VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, seen = excluded.seen]],
    name, json.encode(spec), core.time() } }
end

--- Keep a fact about the show for those who look at the journal later. Does not wait.
---@param name string
---@param value? string  nil: it is one no more
function Journal:fact(name, value)
  if self.readonly or self.meta[name] == value then return end
  self.meta[name] = value
  self:later { value and { "INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value }
    or { "DELETE FROM meta WHERE key = ?", name } }
end

--- Keep what may be spent. Does not wait.
---@param path string     of the budget; "" is the show's own
---@param limit? integer  thousandths; nil: without limit
function Journal:limit(path, limit)
  self:fact("limit:" .. path, limit and tostring(limit))
end

--- The pinned decision for the n-th take of a shot, and how often it was made anew.
---@param shot string
---@param stage string
---@param ordinal integer
---@return rushes.Decision?
---@return integer redo
function Journal:decision(shot, stage, ordinal)
  local found = self.decisions[key(shot, stage, ordinal)]
  if not found then return nil, 0 end
  return found.decision, found.redo
end

--- Pin a decision. Does not wait: it is durable with the intents that follow from it.
---@param shot string
---@param stage string
---@param ordinal integer
---@param decision rushes.Decision
---@param redo integer
function Journal:decide(shot, stage, ordinal, decision, redo)
  self.decisions[key(shot, stage, ordinal)] = { decision = decision, redo = redo }
  if self.readonly then return end
  self:later { { "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?)", shot,
    stage, ordinal, redo, json.encode(json.object(decision)), core.time() } }
end

--- The number of the take with this fingerprint, or a new one: the first that neither
--- the journal nor a file in the folder has.
---@param take table  {shot, ordinal, fingerprint, model, why, seed}
---@param in_folder integer  the last number that a file of this shot has
---@return integer number
---@return integer id
function Journal:take(take, in_folder)
  local k = key(take.shot, take.fingerprint)
  local found = self.takes[k]
  if found then return found.number, found.id end
  local number = math.max(self.last[take.shot] or 0, in_folder) + 1
  found = { id = self:new_id "takes", number = number }
  self.takes[k], self.last[take.shot] = found, number
  if not self.readonly then
    self:later { { "INSERT INTO takes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", found.id,
      take.shot, number, take.ordinal, take.fingerprint, take.model, take.why, take.seed,
      core.time(), n = 9 } }
  end
  return number, found.id
end

-- ---- calls ----

local RECALL = [[SELECT c.id, c.stage, c.model, c.take, a.id AS attempt, a.n,
  a.run, a.state, a.held, a.cost, a.budget, a.task, a.handle, a.class, a.code, a.failure,
  a.path, a.bytes, a.mtime, a.sha256, (SELECT COUNT(*) FROM attempts
  WHERE call = c.id AND state = 'failed') AS failures FROM calls c
  LEFT JOIN attempts a ON a.call = c.id
  WHERE c.id = ? ORDER BY a.n DESC LIMIT 1]]

--- What is known of the call with this fingerprint: its last attempt, its file. Waits.
---@async
---@param fingerprint string
---@return table? known
---@return rt.Err?
function Journal:recall(fingerprint)
  local id = self.calls[fingerprint]
  if not id then return nil end
  give_all(self)
  local rows, e = self.conn:rows(RECALL, id)
  if not rows then return nil, e end
  return self.readonly and recovery.as_recovered(rows[1]) or rows[1]
end

local EARLIER = [[SELECT fingerprint, number FROM takes
  WHERE shot = ? AND ordinal = ? AND fingerprint <> ? ORDER BY number DESC]]

--- The take that was made for the same question before the request changed. Waits.
---@async
---@return {request: string, number: integer}?
function Journal:earlier(shot, ordinal, fingerprint)
  local takes = self.conn and self.conn:rows(EARLIER, shot, ordinal, fingerprint)
  for _, take in ipairs(takes or {}) do
    local id = self.calls[take.fingerprint]
    local rows = id and self.conn:rows("SELECT request FROM calls WHERE id = ?", id)
    if rows and rows[1] then
      return { request = rows[1].request, number = take.number }
    end
  end
end

--- Write down the intent to buy a call and the credits held for it. Does not wait: call
--- `sync` before anything is sent.
---@param call rushes.Call  with its take's id and the number of this attempt
---@param held integer  thousandths
---@param budget string
---@return rushes.Record
function Journal:intend(call, held, budget)
  local id, now, first = self.calls[call.fingerprint], core.time(), nil
  if not id then
    id = self:new_id "calls"
    self.calls[call.fingerprint] = id
    first = { "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", id,
      call.fingerprint, call.take, call.stage, call.ctx.account.name, call.endpoint,
      call.spec.model, call.request, now, n = 9 }
  end
  local attempt = { [[INSERT INTO attempts (id, call, n, run, held, budget, evidence,
    created, state, changed, sent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]],
    self:new_id "attempts", id, call.attempts, self.run, held, budget, self.evidence, now,
    "intent", now, nil, n = 11 }
  return records.new(self, attempt[2], call, first and { first, attempt } or { attempt })
end

--- The record of an attempt that an earlier run made.
---@param known table  of `recall`
---@param call rushes.Call
---@return rushes.Record
function Journal:record(known, call)
  return records.new(self, known.attempt, call)
end

-- ---- the account ----

--- Keep what the account says of itself, as evidence for what may get lost. Does not
--- wait.
---@param provider string
---@param organization table  of a provider's `organization`
function Journal:witness(provider, organization)
  local used = {}
  for model, lane in pairs(organization.lanes) do used[model] = lane.used end
  self.evidence = self:new_id "evidence"
  self:later { { "INSERT INTO evidence VALUES (?, ?, ?, ?, ?)", self.evidence,
    core.time(), provider, organization.balance, json.encode(json.object(used)), n = 5 } }
end

--- Remember that moderation refused this content. Does not wait.
function Journal:moderate(content, attempt, code)
  self.moderated[content] = code or "SAFETY"
  self:later { { "INSERT OR IGNORE INTO moderated VALUES (?, ?, ?, ?)", content, attempt,
    code, core.time(), n = 4 } }
end

--- When the calls of the last 24 hours were accepted, per model. Waits.
---@async
---@return table<string, number[]>
function Journal:accepted_today()
  return self.conn and recovery.accepted_today(self.conn) or {}
end

-- ---- opening and closing ----

local function fresh(folder, readonly)
  return setmetatable({ folder = folder, readonly = readonly, calls = {}, takes = {},
    last = {}, decisions = {}, moderated = {}, active = {}, meta = {}, spent = {},
    adopted = {}, claimed = {}, asked = {}, unsaved = {}, new = true, ended = 0, run = 0,
    next = { takes = 1, calls = 1, attempts = 1, evidence = 1, runs = 1 } }, Journal)
end

--- Who runs the show, as its lock says.
local function who()
  local pid, host = sys.process()
  return { pid = pid, host = host, since = math.floor(core.time()),
    script = config.options.script }
end

local function held_by(folder, e)
  local ok, holder = pcall(json.decode, e.holder or "")
  holder = ok and type(holder) == "table" and holder or {}
  return err.new("locked", ("the show in %s is being run by process %s on %s since %s%s;"
    .. " one program at a time may run a show. Wait for it, or stop it. Nothing was sent")
    :format(folder, holder.pid or "?", holder.host or "?", holder.since
    and os.date("%Y-%m-%d %H:%M:%S", math.tointeger(holder.since // 1)) or "?",
    holder.script and (" (%s)"):format(holder.script) or ""), { cause = e })
end

local function open_writer(journal)
  local me = who()
  local e
  journal.lock, e = fs.lock(fs.join(journal.folder, "journal.lock"), json.encode(me))
  if not journal.lock then
    return nil, e.code == "locked" and held_by(journal.folder, e) or e
  end
  journal.conn, e = require("rt.db").open(fs.join(journal.folder, "journal.db"),
    { create = true })
  if not journal.conn then return nil, e end
  local ok
  ok, e = recovery.prepare(journal.conn, journal.folder)
  if ok and config.options.sim then ok, e = recovery.forget_simulator(journal.conn) end
  if ok then ok, e = recovery.load(journal) end
  if not ok then return nil, e end
  keep_reserve(journal)
  journal.run = journal:new_id "runs"
  return journal:write { { [[INSERT INTO runs (id, started, pid, host, script, version)
    VALUES (?, ?, ?, ?, ?, ?)]], journal.run, core.time(), me.pid, me.host, me.script,
    sys.versions().rushes, n = 6 } }
end

local function open_reader(journal)
  if not readers.exists(journal.folder) then return true end
  local e
  journal.conn, e = require("rt.db").open(readers.path(journal.folder),
    { readonly = true })
  if not journal.conn then return nil, e end
  local lost = tail.lost(journal.conn, journal.folder)
  if lost then log.warn("%s", lost) end
  local ok
  ok, e = recovery.check(journal.conn, journal.folder)
  if not ok then return nil, e end
  if ok == 0 then -- it was made, and nothing was written to it
    journal.conn:close()
    journal.conn = nil
    return true
  end
  return recovery.load(journal)
end

local SAID = { locked = true, unsupported = true } -- nothing more to say

local function refusal(folder, e)
  if SAID[e.code] then return e end
  return err.new(e.code, ("the journal of the show in %s cannot be used, so nothing was"
    .. " sent: %s"):format(folder, e.message), { cause = e })
end

--- Note that the run has ended, and with it all that was given to `later`.
local function note_end(journal, status)
  give_all(journal)
  journal.conn:later { { "UPDATE runs SET ended = ?, status = ? WHERE id = ?",
    core.time(), status, journal.run, n = 3 } }
  local ok, e = journal.conn:sync()
  if not ok then make_room(journal, e) end -- closing tries it again
end

local function close(journal, status)
  local conn, ok, e = journal.conn, true, nil
  if conn and not journal.readonly and journal.run > 0 then note_end(journal, status) end
  if conn then ok, e = conn:close() end
  if not ok then
    log.error("the end of this run could not be noted in the journal of %s: %s. The next"
      .. " run asks the provider what has become of the last tasks", journal.folder,
      e.message)
  end
  if journal.lock then journal.lock:release() end
end

local OPENING = 600 -- seconds

local function open_now(folder, readonly)
  local journal = fresh(folder, readonly)
  local ok, e = (readonly and open_reader or open_writer)(journal)
  if not ok then
    close(journal)
    return nil, refusal(folder, e)
  end
  journal.clips = recovery.clips(folder)
  open[folder] = journal
  return journal
end

--- The journal of a folder, which must exist. Takes the show's lock, brings the tables up
--- to date, settles what a crash has left: see docs/internals/journal.md. Waits.
---@async
---@param folder string
---@param readonly? boolean  for planning: no lock, nothing is written
---@return rushes.Journal?
---@return rt.Err?  locked, damaged, unsupported (written by a newer rushes), …
function M.open(folder, readonly)
  while opening[folder] do task.wait_on(opening[folder]) end
  if open[folder] then return open[folder] end
  local queue = {}
  opening[folder] = queue
  local _ <close> = setmetatable({}, { __close = function()
    opening[folder] = nil
    task.wake_all(queue)
  end })
  -- half-opened it would keep its lock, so a cancellation has to wait
  return task.shield(OPENING, open_now, folder, readonly)
end

--- Close every journal of this program. Waits.
---@async
---@param status? integer  the exit status of the run
function M.close_all(status)
  for folder, journal in pairs(open) do
    open[folder] = nil
    close(journal, status)
  end
end

return M
