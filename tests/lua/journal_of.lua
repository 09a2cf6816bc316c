--- Journals for tests of what reads them: written with the program's own tables, one row
--- of `attempts` for each entry of a list.
local db = require "rt.db"
local fs = require "rt.fs"
local json = require "rt.json"
local schema = require "rushes.take.schema"

local M = {}

--- When everything in these journals begins.
M.T0 = 1.79e9

local function migrate(conn)
  for version, step in ipairs(schema.migrations) do
    local statements = {}
    for i, sql in ipairs(step) do statements[i] = { sql } end
    statements[#statements + 1] = { ("PRAGMA user_version = %d"):format(version) }
    assert(conn:write(statements))
  end
end

local function write_take(conn, id, a)
  assert(conn:write {
    { "INSERT OR IGNORE INTO shots VALUES (?, '{}', ?)", a.shot, M.T0 },
    { "INSERT INTO takes VALUES (?, ?, ?, 1, ?, ?, NULL, 1, ?)", id, a.shot,
      a.number or 1, "f" .. id, a.model or "gen4.5", M.T0 },
  })
end

local function write_call(conn, id, take, a)
  local fingerprint = (a.stage == "still" or not take) and "s" .. id or "f" .. take
  assert(conn:write { { "INSERT INTO calls VALUES (?, ?, ?, ?, ?, 'text_to_video', ?, '{}',"
    .. " ?)", id, fingerprint, take, a.stage or "motion", a.provider or "runway",
    a.model or "gen4.5", M.T0, n = 7 } })
end

local function time(seconds) return seconds and M.T0 + seconds end

local function write_attempt(conn, id, call, a)
  assert(conn:write { { [[INSERT INTO attempts (id, call, n, run, state, held, cost, budget,
    evidence, task, class, failure, created, changed, sent, accepted, ended)
    VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)]], id, call, a.n or 1, a.state,
    a.held or 0, a.cost, a.budget or "", a.evidence, a.task, a.class, a.failure, M.T0,
    time(a.ended or a.accepted or a.sent or 0), time(a.sent), time(a.accepted),
    time(a.ended), n = 16 } })
  if a.state == "landed" then
    assert(conn:write { { "UPDATE attempts SET path = ?, bytes = 5, mtime = 1.0,"
      .. " sha256 = 'x', landed = ? WHERE id = ?",
      a.shot and ("%s_t%03d.mp4"):format(a.shot, a.number or 1) or "hand.mp4", M.T0,
      id } })
  end
end

--- Make a journal in `folder`. An attempt is {shot (none: a call by hand), number?,
--- stage?, model?, provider?, state, held?, cost?, budget?, evidence?, task?, class?,
--- failure?, n?, sent?, accepted?, ended?}: thousandths, and seconds after T0; entries of
--- one shot, number and stage are attempts of one call.
---@async
---@param folder string
---@param attempts table[]
---@param more? {meta?: table, evidence?: table[], run?: table}
function M.make(folder, attempts, more)
  more = more or {}
  assert(fs.mkdir(folder))
  local conn <close> = assert(db.open(fs.join(folder, "journal.db"), { create = true }))
  migrate(conn)
  local run = more.run or { ended = 100, status = 0 }
  assert(conn:write { { "INSERT INTO runs VALUES (1, ?, ?, 4711, 'here', 'night.lua', '0.1', ?)",
    M.T0, time(run.ended), run.status, n = 3 } })
  for key, value in pairs(more.meta or {}) do
    assert(conn:write { { "INSERT INTO meta VALUES (?, ?)", key, tostring(value) } })
  end
  for i, e in ipairs(more.evidence or {}) do
    assert(conn:write { { "INSERT INTO evidence VALUES (?, ?, ?, ?, ?)", i, time(e.at),
      e.provider or "runway", e.balance, json.encode(json.object(e.models or {})) } })
  end
  local takes, calls, n = {}, {}, { take = 0, call = 0 }
  for id, a in ipairs(attempts) do
    local take_key = (a.shot or "\0" .. id) .. (a.number or 1)
    if a.shot and not takes[take_key] then
      n.take = n.take + 1
      takes[take_key] = n.take
      write_take(conn, n.take, a)
    end
    local call_key = take_key .. (a.stage or "motion")
    if not calls[call_key] then
      n.call = n.call + 1
      calls[call_key] = n.call
      write_call(conn, n.call, takes[take_key], a)
    end
    write_attempt(conn, id, calls[call_key], a)
  end
end

return M
