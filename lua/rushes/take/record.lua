--- One attempt in the journal: what has become of one submission. `sent` and `accepted`
--- wait until the disk has them; docs/internals/journal.md says why.
local core = require "rt.c.core"
local json = require "rt.json"
local log = require "rt.log"

local M = {}

---@class rushes.Record
---@field id integer
---@field made_by rushes.Call
---@field by_hand? boolean  the script chooses the path: it is kept as it was given
---@field intent? table[]   statements that the journal has not got yet
---@field cost? integer     thousandths; not in the journal yet, as the next
---@field succeeded? number  when
local Record = {}
Record.__index = Record

---@param journal rushes.Journal
---@param id integer
---@param made_by rushes.Call
---@param intent? table[]  the statements that make it; the last is that of the attempt
---@return rushes.Record
function M.new(journal, id, made_by, intent)
  return setmetatable({ journal = journal, id = id, made_by = made_by, intent = intent,
    by_hand = nil, cost = nil, succeeded = nil }, Record)
end

--- Give statements to the journal, after an intent that it has not got yet.
local function later(record, statement, another)
  local list = record.intent
  if list then
    record.intent = nil
    list[#list + 1] = statement
    list[#list + 1] = another
  else
    list = { statement, another }
  end
  record.journal:later(list)
end

--- A change of state that has no column of its own.
local function history(record, now, state, detail)
  return { "INSERT INTO history (attempt, at, state, detail) VALUES (?, ?, ?, ?)",
    record.id, now, state, detail, n = 4 }
end

--- It will not be sent at once: note the intent now. Does not wait.
function Record:noted()
  local intent = self.intent
  self.intent = nil
  self.journal:later(intent)
end

--- The request may leave from now on. Waits.
---@async
---@return true?
---@return rt.Err?  then it must not be sent
function Record:sent()
  local now, intent = core.time(), self.intent
  if not intent then
    return self.journal:write { { "UPDATE attempts SET state = 'sent', sent = ?1,"
      .. " changed = ?1 WHERE id = ?2", now, self.id } }
  end
  local attempt = intent[#intent]
  attempt[10], attempt[11], attempt[12] = "sent", now, now -- state, changed, sent
  local ok, e = self.journal:write(intent)
  if ok then self.intent = nil end
  return ok, e
end

--- It surely was not taken and will be sent again. Does not wait.
---@param why string
function Record:withdrawn(why)
  local now = core.time()
  later(self, { "UPDATE attempts SET state = 'intent', failure = ?, changed = ?"
    .. " WHERE id = ?", why, now, self.id }, history(self, now, "intent", why))
end

--- It surely was not taken and is given up. Does not wait.
---@param e rt.Err
function Record:dropped(e)
  later(self, { [[UPDATE attempts SET state = 'dropped', held = 0, cost = 0, class = ?2,
    status = ?3, failure = ?4, changed = ?1, ended = ?1 WHERE id = ?5]], core.time(),
    e.class or e.code, e.status, e.message, self.id, n = 5 })
end

--- A handle is what polls need; most need the task's id only.
local function handle_text(handle)
  if next(handle) == "id" and next(handle, "id") == nil then return nil end
  return json.encode(handle)
end

--- The provider has named a task. Waits; if the disk does not take it, that is told, and
--- it is tried again: the task is paid for.
---@async
---@param handle table      what polls need, as the provider made it
---@param held integer      thousandths, tightened to the provider's estimate
function Record:accepted(handle, held)
  local statements = { { [[UPDATE attempts SET state = 'accepted', task = ?2, handle = ?3,
    held = ?4, failure = NULL, accepted = ?1, changed = ?1 WHERE id = ?5]],
    core.time(), handle.id, handle_text(handle), held, self.id, n = 5 } }
  if self.journal:write(statements) then return end
  self.journal:later(statements)
  log.error("task %s has been accepted and could not be noted; keep this line: the task"
    .. " is followed, but a later run may not know of it", handle.id)
end

--- The provider says in which state the task is. Does not wait.
---@param state string  queued, throttled or running
function Record:state(state)
  local now = core.time()
  later(self, { "UPDATE attempts SET state = ?, changed = ? WHERE id = ?", state, now,
    self.id }, history(self, now, state))
end

--- The task has ended with an output and this is what it cost. Does not wait: after a
--- crash the provider is asked again. It is noted with its file, if that comes first.
---@param cost integer   thousandths
function Record:done(cost)
  self.cost, self.succeeded = cost, core.time()
  self.journal.unsaved[self] = true
end

--- Note a success whose file has not come yet. Does not wait.
function Record:note_success()
  self.journal.unsaved[self] = nil
  later(self, { [[UPDATE attempts SET state = 'succeeded', held = 0, cost = ?2,
    changed = ?1, ended = ?1 WHERE id = ?3]], self.succeeded, self.cost, self.id })
end

--- The task has ended without an output and this is what it cost. Does not wait: after a
--- crash the provider is asked again.
---@param state string   failed or cancelled
---@param cost integer   thousandths
---@param e? rt.Err
function Record:ended(state, cost, e)
  e = e or {}
  later(self, { [[UPDATE attempts SET state = ?2, held = 0, cost = ?3, class = ?4,
    code = ?5, status = ?6, failure = ?7, changed = ?1, ended = ?1 WHERE id = ?8]],
    core.time(), state, cost, e.class, e.failure_code, e.status, e.message, self.id,
    n = 8 })
  local content = e.class == "safety" and self.made_by:content()
  if content then self.journal:moderate(content, self.id, e.failure_code) end
end

--- It was made and paid for, and the provider has it no more: it is not looked for again
--- by itself. Does not wait.
---@param e rt.Err
function Record:gone(e)
  later(self, { [[UPDATE attempts SET class = 'expired', failure = ?, changed = ?
    WHERE id = ?]], e.message, core.time(), self.id })
end

--- Inside the show's folder a file is known by its name there, so that the folder can be
--- moved.
local function name_of(record, path)
  local inside = record.journal.folder:gsub("/+$", "") .. "/"
  if record.by_hand or path:sub(1, #inside) ~= inside then return path end
  return path:sub(#inside + 1)
end

--- The file is on disk. Does not wait: after a crash the file, or a task that has ended,
--- is found all the same.
---@param path string
---@param file {bytes: integer, mtime: number, sha256: string}
function Record:landed(path, file)
  self.journal.unsaved[self] = nil
  later(self, { [[UPDATE attempts SET state = 'landed', path = ?2, bytes = ?3, mtime = ?4,
    sha256 = ?5, landed = ?1, changed = ?1, held = 0, cost = COALESCE(?6, cost),
    ended = COALESCE(?7, ended) WHERE id = ?8]], core.time(), name_of(self, path),
    file.bytes, file.mtime, file.sha256, self.cost, self.succeeded, self.id, n = 8 })
end

--- Nobody knows whether it was taken. Its credits stay held. Does not wait: what is noted
--- as sent is unknown to a later run.
---@param e rt.Err
function Record:unknown(e)
  local now = core.time()
  later(self, { [[UPDATE attempts SET state = 'unknown', status = ?2,
    failure = ?3, changed = ?1 WHERE id = ?4]], now, e.status, e.message, self.id,
    n = 4 },
    history(self, now, "unknown", e.message))
end

--- It may be asked for anew although it may have been charged. Does not wait: the new
--- intent goes with it.
function Record:resubmit()
  local now = core.time()
  later(self, { "UPDATE attempts SET state = 'resubmit', changed = ? WHERE id = ?", now,
    self.id }, history(self, now, "resubmit"))
end

local function nothing() return true end

--- The record of a call that no journal holds.
M.none = setmetatable({}, { __index = function() return nothing end })

return M
