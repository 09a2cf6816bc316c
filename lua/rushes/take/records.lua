--- The read side of a show's journal, for commands that only look. Opened read-only:
--- a run may write meanwhile. Credits are thousandths, times seconds since 1970.
local err = require "rt.err"
local fs = require "rt.fs"
local json = require "rt.json"
local recovery = require "rushes.take.recovery"
local soundness = require "rushes.take.soundness"
local tail = require "rushes.take.tail"

local M = {}

---@class rushes.Records
---@field folder string
---@field lost? string  a sentence: its end is missing
---@field private conn table
---@field private dead boolean  nobody runs the show: what was under way is not any more
local Records = {}
Records.__index = Records

local NAME = "journal.db"

--- The path of a folder's journal.
---@param folder string
---@return string
function M.path(folder) return fs.join(folder, NAME) end

--- Is there one? Also if only the file is there that holds its end. Waits.
---@async
---@param folder string
---@return boolean
function M.exists(folder)
  local path = M.path(folder)
  return fs.exists(path) or fs.exists(path .. "-wal")
end

--- Open the journal of a folder. Waits.
---@async
---@param folder string
---@param running? boolean  does a run hold the show's lock? Without one, what a crash
---  left half-way is told as the next run will settle it.
---@return rushes.Records?
---@return rt.Err?  not_found, unsupported (a newer rushes has written it), damaged, …
function M.open(folder, running)
  if not M.exists(folder) then
    return nil, err.new("not_found", ("there is no journal in %s: no paid take has been"
      .. " made there yet"):format(folder))
  end
  local conn, e = require("rt.db").open(M.path(folder), { readonly = true })
  if not conn then return nil, e end
  local version
  version, e = recovery.check(conn, folder)
  if version == 0 then
    version, e = nil, err.new("not_found", ("the journal in %s is empty: a run was"
      .. " stopped before it could write anything, and no paid take has been made there")
      :format(folder))
  end
  if not version then
    conn:close()
    return nil, e
  end
  return setmetatable({ folder = folder, conn = conn, dead = not running,
    lost = tail.lost(conn, folder) }, Records)
end

--- Close it. Waits.
---@async
function Records:close() self.conn:close() end

Records.__close = Records.close

--- Rows of a query; the journal is a file of ours, so a failure is raised.
---@async
function Records:rows(sql, ...)
  return assert(soundness.texts(assert(self.conn:rows(sql, ...)), self.folder))
end

-- ---- one by one ----

--- Facts about the journal as a whole: `show`, `base:PROVIDER`, `limit:BUDGET`.
---@async
---@return table<string, string>
function Records:meta()
  local meta = {}
  for _, row in ipairs(self:rows "SELECT key, value FROM meta") do
    meta[row.key] = row.value
  end
  return meta
end

---@class rushes.records.Run
---@field id integer
---@field started number
---@field ended? number
---@field pid integer
---@field host string
---@field script? string
---@field version string
---@field status? integer

--- The run of a script that began last.
---@async
---@return rushes.records.Run?
function Records:last_run()
  return self:rows("SELECT * FROM runs ORDER BY script IS NULL, id DESC LIMIT 1")[1]
end

--- Every shot by name: {name, spec (JSON), seen}.
---@async
---@return table[]
function Records:shots() return self:rows "SELECT * FROM shots ORDER BY name" end

---@class rushes.records.Attempt
---@field id integer
---@field call integer
---@field n integer
---@field state string
---@field held integer
---@field cost? integer
---@field budget string
---@field evidence? integer
---@field task? string
---@field class? string
---@field code? string
---@field failure? string
---@field status? integer
---@field created number
---@field sent? number
---@field accepted? number
---@field ended? number
---@field shot? string   of the take that asked for it first
---@field take? integer  its number
---@field stage string
---@field provider string
---@field endpoint string
---@field model string

local ATTEMPTS = [[SELECT a.id, a.call, a.n, a.state, a.held, a.cost, a.budget,
  a.evidence, a.task, a.class,
  a.code, a.failure, a.status, a.created, a.sent, a.accepted, a.ended,
  c.stage, c.provider, c.endpoint, c.model, t.shot, t.number AS take
  FROM attempts a JOIN calls c ON c.id = a.call LEFT JOIN takes t ON t.id = c.take]]

--- As the next run will settle what a crash has left.
local function settle(record, row)
  return record.dead and recovery.as_recovered(row) or row
end

--- Every attempt, in the order of their making; of one provider only, if it is named.
---@async
---@param provider? string
---@return rushes.records.Attempt[]
function Records:attempts(provider)
  local rows = provider
    and self:rows(ATTEMPTS .. " WHERE c.provider = ? ORDER BY a.id", provider)
    or self:rows(ATTEMPTS .. " ORDER BY a.id")
  for _, row in ipairs(rows) do settle(self, row) end
  return rows
end

--- The submissions whose outcome is not known, and those that may be asked for again
--- although it is not: states `unknown` and `resubmit`.
---@async
---@return rushes.records.Attempt[]
function Records:open_submissions()
  local rows, list = self:rows(ATTEMPTS
    .. " WHERE a.state IN ('unknown', 'sent', 'resubmit') ORDER BY a.id"), {}
  for _, row in ipairs(rows) do
    if settle(self, row).state ~= "sent" then list[#list + 1] = row end
  end
  return list
end

--- What the account has said of itself, in order of time; of one provider.
---@async
---@param provider string
---@return rushes.Evidence[]
function Records:evidence(provider)
  local rows = self:rows("SELECT * FROM evidence WHERE provider = ? ORDER BY at, id",
    provider)
  for _, row in ipairs(rows) do row.models = json.decode(row.models) or {} end
  return rows
end

--- The landed files: {call, attempt, path (from the folder), bytes, mtime, sha256,
--- landed}.
---@async
---@return table[]
function Records:files()
  return self:rows [[SELECT call, id AS attempt, path, bytes, mtime, sha256, landed
    FROM attempts WHERE path IS NOT NULL ORDER BY path]]
end

-- ---- takes ----

---@class rushes.records.Take
---@field call integer    of the stage that `state` tells
---@field shot? string    absent, as `number`: a call that a script made by hand
---@field number? integer
---@field model string
---@field state string    of the stage that is under way, or of the last
---@field stage string
---@field why? string     the policy's
---@field class? string    of the failure
---@field failure? string
---@field task? string
---@field held integer    all stages and attempts together
---@field cost integer
---@field changed number
---@field file? string

local TAKES = [[SELECT t.id, t.shot, t.number, c.model, t.why, c.id AS call, c.stage,
  t.id IS NULL OR c.fingerprint = t.fingerprint AS last, a.state, a.held, a.cost,
  a.task, a.class, a.failure, a.changed, a.path
  FROM calls c JOIN attempts a ON a.call = c.id LEFT JOIN takes t ON t.id = c.take
  ORDER BY t.id IS NULL, t.id, c.id, a.n]]

--- Each take with what has become of it, in the order of their making, and each call by
--- hand. A take shows the state of
--- the first stage that is not on disk; one whose stages all belong to other takes is not
--- listed.
---@async
---@return rushes.records.Take[]
function Records:takes()
  local list, take, last = {}, nil, nil
  for _, row in ipairs(self:rows(TAKES)) do
    settle(self, row)
    local key = row.id or -row.call
    if key ~= last then
      last, take = key, { shot = row.shot, number = row.number, why = row.why, held = 0,
        cost = 0, state = "landed", changed = 0 }
      list[#list + 1] = take
    end
    take.held, take.cost = take.held + row.held, take.cost + (row.cost or 0)
    take.changed = math.max(take.changed, row.changed)
    if take.state == "landed" or take.stage == row.stage then
      take.call, take.stage, take.state = row.call, row.stage, row.state
      take.class, take.failure, take.task = row.class, row.failure, row.task
    end
    take.model = row.model -- in the end that of the last stage
    if row.last == 1 then take.file = row.path end
  end
  return list
end

-- ---- sums ----

---@class rushes.records.Sums
---@field spent integer
---@field held integer
---@field unknown integer     of it, for submissions whose outcome is not known
---@field moderation integer  of the spent: for what moderation refused

local SUMS = [[SELECT SUM(COALESCE(cost, 0)) AS spent,
  SUM(CASE WHEN state = 'intent' AND ?1 THEN 0 ELSE held END) AS held,
  SUM(CASE WHEN state = 'unknown' OR (state = 'sent' AND ?1) THEN held ELSE 0 END)
    AS unknown,
  SUM(CASE WHEN class = 'safety' THEN COALESCE(cost, 0) ELSE 0 END) AS moderation]]

---@async
---@return rushes.records.Sums
function Records:sums()
  local row = self:rows(SUMS .. " FROM attempts", self.dead)[1]
  for _, name in ipairs { "spent", "held", "unknown", "moderation" } do
    row[name] = row[name] or 0
  end
  return row
end

--- The same per path of budgets ("" is none), without what is below it: a list, each with
--- its `budget`.
---@async
---@return rushes.records.Sums[]
function Records:leaves()
  return self:rows(SUMS .. ", budget FROM attempts GROUP BY budget", self.dead)
end

--- The same by path, with what was spent and held below it.
---@async
---@return table<string, rushes.records.Sums>
function Records:budgets()
  local by_path = {}
  for _, row in ipairs(self:leaves()) do
    local path = row.budget
    while path and path ~= "" do
      local sums = by_path[path] or { spent = 0, held = 0, unknown = 0, moderation = 0 }
      by_path[path] = sums
      for name in pairs(sums) do sums[name] = sums[name] + row[name] end
      path = path:match "^(.+)/"
    end
  end
  return by_path
end

--- Submissions that were asked for again although their outcome is not known: what is
--- held for them stays held until they are settled.
---@async
---@return integer n
---@return integer held  thousandths
function Records:asked_again()
  local row = self:rows("SELECT COUNT(*) AS n, COALESCE(SUM(held), 0) AS held"
    .. " FROM attempts WHERE state = 'resubmit'")[1]
  return row.n, row.held
end

--- What the journal says was charged, per model and UTC day of acceptance; what is held
--- for calls under way counts as the provider holds it, too.
---@async
---@param provider string
---@return {date: string, model: string, credits: integer}[]
function Records:days(provider)
  return self:rows([[SELECT date(COALESCE(a.accepted, a.sent), 'unixepoch') AS date,
    c.model AS model, SUM(COALESCE(a.cost, a.held)) AS credits
    FROM attempts a JOIN calls c ON c.id = a.call
    WHERE c.provider = ? AND (a.accepted IS NOT NULL OR a.state = 'charged')
    GROUP BY 1, 2 ORDER BY 1, 2]], provider)
end

-- ---- times ----

local SAMPLES = 3  -- calls of a model that make a median worth more than a typical figure
local LATEST = 1000 -- calls that are looked at

--- Seconds that calls usually took from acceptance to their end: by stage and model.
---@async
---@return table<string, table<string, number>>  model -> stage -> median
function Records:durations()
  local samples, medians = {}, {}
  for _, row in ipairs(self:rows([[SELECT c.model, c.stage, a.ended - a.accepted AS took
    FROM attempts a JOIN calls c ON c.id = a.call
    WHERE a.state = 'landed' AND a.ended > a.accepted ORDER BY a.id DESC LIMIT ?]],
    LATEST)) do
    local key = row.model .. "\0" .. row.stage
    samples[key] = samples[key] or { model = row.model, stage = row.stage }
    table.insert(samples[key], row.took)
  end
  for _, list in pairs(samples) do
    if #list >= SAMPLES then
      table.sort(list)
      medians[list.model] = medians[list.model] or {}
      medians[list.model][list.stage] = list[(#list + 1) // 2]
    end
  end
  return medians
end

--- When the calls of the last 24 hours were accepted, per model.
---@async
---@return table<string, number[]>
function Records:accepted_today() return recovery.accepted_today(self.conn) end

return M
