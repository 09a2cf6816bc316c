--- One attempt in the journal: what has become of one submission. Each method says
--- whether it waits until the disk has it; docs/internals/journal.md says why.
local core = require "rt.c.core"
local json = require "rt.json"
local log = require "rt.log"
local task = require "rt.task"

local M = {}

---@class rushes.Record
---@field id integer
---@field call integer
---@field made_by rushes.Call
---@field cost? integer     thousandths, once the task has ended
---@field by_hand? boolean  the script chooses the path: it is kept as it was given
---@field backlog? table[]  statements that could not be written yet
local Record = {}
Record.__index = Record

---@param journal rushes.Journal
---@param id integer
---@param call integer
---@param made_by rushes.Call
---@return rushes.Record
function M.new(journal, id, call, made_by)
  return setmetatable({ journal = journal, id = id, call = call, made_by = made_by },
    Record)
end

--- Write and wait. What could not be written is tried again with the next statement:
--- a disk that has room again must still learn of a task that is paid for.
local function durable(record, statement, another)
  local list = record.backlog or {}
  list[#list + 1] = statement
  list[#list + 1] = another
  local ok, e = record.journal:write(list)
  record.backlog = not ok and list or nil
  return ok, e
end

local PATIENCE = 30 -- seconds for a backlog, also in a task that is being cancelled

local function later(record, statement, another)
  if record.backlog then
    return task.shield(PATIENCE, durable, record, statement, another)
  end
  record.journal:later { statement, another }
end

--- A change of state that has no column of its own.
local function history(record, now, state, detail)
  return { "INSERT INTO history (attempt, at, state, detail) VALUES (?, ?, ?, ?)",
    record.id, now, state, detail, n = 4 }
end

--- The request may leave from now on. Waits.
---@async
---@return true?
---@return rt.Err?  then it must not be sent
function Record:sent()
  local now = core.time()
  return durable(self, { "UPDATE attempts SET state = 'sent', sent = ?1, changed = ?1"
    .. " WHERE id = ?2", now, self.id })
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

--- The provider has named a task. Waits; a failure is told and tried again, because the
--- task is paid for.
---@async
---@param handle table      what polls need, as the provider made it
---@param held integer      thousandths, tightened to the provider's estimate
function Record:accepted(handle, held)
  local ok = durable(self, { [[UPDATE attempts SET state = 'accepted', task = ?2,
    handle = ?3, held = ?4, failure = NULL, accepted = ?1, changed = ?1 WHERE id = ?5]],
    core.time(), handle.id, handle_text(handle), held, self.id, n = 5 })
  if not ok then
    log.error("task %s has been accepted and could not be noted; keep this line: the task"
      .. " is followed, but a later run may not know of it", handle.id)
  end
end

--- The provider says in which state the task is. Does not wait.
---@param state string  queued, throttled or running
function Record:state(state)
  local now = core.time()
  later(self, { "UPDATE attempts SET state = ?, changed = ? WHERE id = ?", state, now,
    self.id }, history(self, now, state))
end

--- The task has ended and this is what it cost. Does not wait: after a crash the
--- provider is asked again.
---@param state string   succeeded, failed or cancelled
---@param cost integer   thousandths
---@param e? rt.Err
function Record:ended(state, cost, e)
  e, self.cost = e or {}, cost
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

--- The file is on disk. Waits. Says the cost again: what `ended` gave to a disk that was
--- full is lost.
---@async
---@param path string
---@param file {bytes: integer, mtime: number, sha256: string}
---@return true?
---@return rt.Err?
function Record:landed(path, file)
  local now = core.time()
  return durable(self, { "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
    self.call, self.id, name_of(self, path), file.bytes, file.mtime, file.sha256, now },
    { [[UPDATE attempts SET state = 'landed', held = 0, cost = COALESCE(cost, ?3),
    changed = ?1 WHERE id = ?2]], now, self.id, self.cost, n = 3 })
end

--- Nobody knows whether it was taken. Its credits stay held. Waits.
---@async
---@param e rt.Err
---@return true?
---@return rt.Err?
function Record:unknown(e)
  local now = core.time()
  return durable(self, { [[UPDATE attempts SET state = 'unknown', status = ?2,
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
