--- What happens to a journal when it is opened: its tables are made or brought up to
--- date, what a crash has left is settled, the indexes are loaded.
local core = require "rt.c.core"
local err = require "rt.err"
local fs = require "rt.fs"
local json = require "rt.json"
local schema = require "rushes.take.schema"
local soundness = require "rushes.take.soundness"
local tail = require "rushes.take.tail"

local M = {}

--- What tables of the journal in memory are indexed by.
---@param ... string|integer
---@return string
function M.key(...) return table.concat({ ... }, "\0") end

local function version_of(conn)
  local rows, e = conn:rows "PRAGMA user_version"
  return rows and rows[1].user_version, e
end

--- Refuse a journal that is damaged, or that a newer program has written.
---@async
---@param conn table  rt.db connection
---@param folder string
---@return integer? version
---@return rt.Err?
function M.check(conn, folder)
  local version, e = version_of(conn)
  if not version then return nil, e end
  if version > schema.version then
    return nil, err.new("unsupported", ("the journal in %s was written by a newer rushes"
      .. " (its tables are version %d, this program knows %d); run that one. Nothing was"
      .. " changed and nothing was sent"):format(folder, version, schema.version),
      { class = "journal" })
  end
  local ok
  ok, e = soundness.check(conn, folder, version)
  return ok and version, e
end

local function migrate(conn, version)
  for step = version + 1, schema.version do
    local statements = {}
    for i, sql in ipairs(schema.migrations[step]) do statements[i] = { sql } end
    statements[#statements + 1] = { ("PRAGMA user_version = %d"):format(step) }
    local ok, e = conn:write(statements)
    if not ok then return nil, e end
  end
  return true
end

local NO_ANSWER = "the program ended before the answer came"

-- A submission whose answer nobody has seen may have been taken; one that was only
-- intended was not.
local AFTER_A_CRASH = {
  { [[UPDATE attempts SET state = 'dropped', held = 0, cost = 0, changed = ?1, ended = ?1,
    failure = 'the program ended before it was sent' WHERE state = 'intent']], n = 1 },
  { ([[UPDATE attempts SET state = 'unknown', changed = ?1, failure = '%s'
    WHERE state = 'sent']]):format(NO_ANSWER), n = 1 },
  { [[INSERT INTO history (attempt, at, state, detail) SELECT id, changed, state, failure
    FROM attempts WHERE changed = ?1 AND state = 'unknown']], n = 1 },
}

--- Make or update the tables and settle what a crash has left. For the one who holds the
--- lock.
---@async
---@return true?
---@return rt.Err?
function M.prepare(conn, folder)
  local ok, e = tail.allow(conn, folder)
  if not ok then return nil, e end
  local version
  version, e = M.check(conn, folder)
  if not version then return nil, e end
  ok, e = migrate(conn, version)
  if not ok then return nil, e end
  local now = core.time()
  for _, statement in ipairs(AFTER_A_CRASH) do statement[2] = now end
  ok, e = conn:write(AFTER_A_CRASH)
  if not ok then return nil, e end
  return conn:guard()
end

local OF_ANOTHER_SIMULATOR = [[UPDATE attempts SET state = 'dropped', held = 0,
  cost = COALESCE(cost, 0), changed = ?1, ended = ?1, failure =
  'the simulator that had it has ended' WHERE state IN
  ('accepted', 'queued', 'throttled', 'running', 'succeeded', 'unknown', 'resubmit')]]

--- Each run with --sim has a simulator of its own, which knows nothing of earlier tasks.
---@async
---@return true?
---@return rt.Err?
function M.forget_simulator(conn)
  return conn:write { { OF_ANOTHER_SIMULATOR, core.time() } }
end

--- A row of an attempt as `prepare` would leave it; for a reader, who may not write.
---@param row? table
---@return table? row  the same
function M.as_recovered(row)
  if row and row.state == "intent" then
    row.state, row.held, row.cost = "dropped", 0, 0
  elseif row and row.state == "sent" then
    row.state, row.failure = "unknown", row.failure or NO_ANSWER
  end
  return row
end

--- Which takes lie in the folder: a file that is there is never replaced.
---@async
---@param folder string
---@return table<string, integer>  shot -> the last number
function M.clips(folder)
  local last = {}
  for _, entry in ipairs(fs.list(folder) or {}) do
    local shot, n = entry.name:match "^(.+)_t(%d%d%d+)[_.]"
    if shot then last[shot] = math.max(last[shot] or 0, tonumber(n)) end
  end
  return last
end

--- When the calls of the last 24 hours were accepted, per model. Waits; raises, because
--- the journal is a file of ours.
---@async
---@param conn table
---@return table<string, number[]>
function M.accepted_today(conn)
  local times = {}
  for _, row in ipairs(assert(conn:rows([[SELECT c.model, a.accepted FROM attempts a
    JOIN calls c ON c.id = a.call WHERE a.accepted > ?]], core.time() - 86400))) do
    times[row.model] = times[row.model] or {}
    table.insert(times[row.model], row.accepted)
  end
  return times
end

local function each(journal, sql, fn)
  local rows, e = journal.conn:rows(sql)
  if rows then rows, e = soundness.texts(rows, journal.folder) end
  if not rows then return nil, e end
  for _, row in ipairs(rows) do fn(row) end
  return true
end

local LOADS = {
  { "SELECT key, value FROM meta", function(journal, row)
    journal.meta[row.key] = row.value
  end },
  { "SELECT id, fingerprint FROM calls", function(journal, row)
    journal.calls[row.fingerprint] = row.id
  end },
  { "SELECT id, shot, fingerprint, number FROM takes", function(journal, row)
    journal.new = false
    journal.takes[M.key(row.shot, row.fingerprint)] = { id = row.id,
      number = row.number }
    journal.last[row.shot] = math.max(journal.last[row.shot] or 0, row.number)
  end },
  { "SELECT * FROM decisions", function(journal, row)
    journal.decisions[M.key(row.shot, row.stage, row.ordinal)] =
      { decision = json.decode(row.decision), redo = row.redo }
  end },
  { "SELECT content, code FROM moderated", function(journal, row)
    journal.moderated[row.content] = row.code or "SAFETY"
  end },
  -- what was only intended was not sent: a reader finds such rows, `prepare` drops them
  { [[SELECT budget, SUM(IIF(state = 'intent', 0, held)) AS held,
    SUM(COALESCE(cost, 0)) AS cost FROM attempts GROUP BY budget]], function(journal, row)
    table.insert(journal.spent, row)
  end },
}

--- Load what every take of a run asks for: who is known, what was decided.
---@async
---@param journal rushes.Journal
---@return true?
---@return rt.Err?
function M.load(journal)
  local conn = journal.conn
  for _, load in ipairs(LOADS) do
    local ok, e = each(journal, load[1], function(row) load[2](journal, row) end)
    if not ok then return nil, e end
  end
  for name in pairs(journal.next) do
    local rows, e = conn:rows(("SELECT COALESCE(MAX(id), 0) + 1 AS id FROM %s"):format(
      name))
    if not rows then return nil, e end
    journal.next[name] = rows[1].id
  end
  return true
end

return M
