--- Is a journal whole? What a failing disk has changed is found before anything is
--- bought, or told, by what it says: damaged pages by SQLite's own check, and values that
--- no rushes has written by what its tables declare.
local err = require "rt.err"
local schema = require "rushes.take.schema"

local M = {}

local STATES = "'intent', 'sent', 'accepted', 'queued', 'throttled', 'running', "
  .. "'succeeded', 'landed', 'failed', 'cancelled', 'dropped', 'unknown', 'lost', "
  .. "'charged', 'resubmit'"

-- What a type allows: 10^15 thousandths of a credit or seconds are far beyond anything.
local ALLOWED = {
  INTEGER = "typeof(%s) = 'integer' AND %s BETWEEN -1e15 AND 1e15",
  REAL = "typeof(%s) = 'real' AND %s BETWEEN -1e15 AND 1e15",
  TEXT = "typeof(%s) = 'text' AND instr(%s, char(0)) = 0",
}

local MORE = {
  attempts = { state = "state IN (" .. STATES .. ")", held = "held >= 0",
    cost = "cost >= 0", handle = "json_valid(handle)" },
  calls = { request = "json_valid(request)" },
  decisions = { decision = "json_valid(decision)" },
  evidence = { models = "json_valid(models)" },
  shots = { spec = "json_valid(spec)" },
}

--- What a column's values must meet.
local function condition(name, column)
  local more = MORE[name] and MORE[name][column.name]
  local allowed = ALLOWED[column.type]:gsub("%%s", column.name)
  if more then allowed = allowed .. " AND " .. more end
  return column.needed and ("(%s)"):format(allowed)
    or ("(%s IS NULL OR %s)"):format(column.name, allowed)
end

--- The columns that a CREATE TABLE of the schema declares.
---@param sql string
---@return string? name  of the table
---@return {name: string, type: string, needed: boolean}[] columns
function M.columns(sql)
  local name, body = sql:match "^CREATE TABLE (%l+) %((.*)%)"
  local columns = {}
  for column, kind, rest in (body or ""):gmatch "([%l_%d]+)%s+(%u+)([^,]*)" do
    if ALLOWED[kind] then
      columns[#columns + 1] = { name = column, type = kind,
        needed = rest:find "NOT%s+NULL" ~= nil or rest:find "PRIMARY KEY" ~= nil }
    end
  end
  return name, columns
end

--- For each table a query that finds a row which breaks its rules.
local function queries(version)
  local list = {}
  for step = 1, version do
    for _, sql in ipairs(schema.migrations[step]) do
      local name, columns = M.columns(sql)
      local parts = {}
      for i, column in ipairs(columns) do parts[i] = condition(name, column) end
      if name then
        list[#list + 1] = { table = name,
          sql = ("SELECT 1 FROM %s WHERE NOT (%s) LIMIT 1"):format(name,
            table.concat(parts, " AND ")) }
      end
    end
  end
  return list
end

local function damaged(folder, what, e)
  return err.new("damaged", ("the journal in %s is damaged: %s. Nothing was changed and"
    .. " nothing was sent: put a good copy of journal.db in its place, or save what can"
    .. " be read with 'sqlite3 journal.db .recover'"):format(folder, what), { cause = e })
end

--- A table or a column that is gone is damage, too; a disk that fails says so itself.
local function refusal(folder, e)
  return e.code == "invalid" and damaged(folder, e.message, e) or e
end

--- Refuse a journal whose content cannot be what a rushes has written. Waits.
---@async
---@param conn table       rt.db connection
---@param folder string
---@param version integer  of its tables
---@return true?
---@return rt.Err?  damaged, …
function M.check(conn, folder, version)
  local rows, e = conn:rows "PRAGMA integrity_check(1)"
  if not rows then return nil, refusal(folder, e) end
  local said = rows[1] and rows[1].integrity_check
  if said ~= "ok" then return nil, damaged(folder, tostring(said)) end
  rows, e = conn:rows "PRAGMA foreign_key_check"
  if not rows then return nil, refusal(folder, e) end
  if rows[1] then
    return nil, damaged(folder, ("a row of %s belongs to none of %s"):format(
      rows[1].table, rows[1].parent))
  end
  for _, query in ipairs(queries(version)) do
    rows, e = conn:rows(query.sql)
    if not rows then return nil, refusal(folder, e) end
    if rows[1] then
      return nil, damaged(folder, ("its table %s holds what no rushes has written")
        :format(query.table))
    end
  end
  return true
end

--- The same rows, unless there is a text in them that is none. SQLite does not look.
---@param rows table[]
---@param folder string
---@return table[]?
---@return rt.Err?  damaged
function M.texts(rows, folder)
  for _, row in ipairs(rows) do
    for name, value in pairs(row) do
      if type(value) == "string" and not utf8.len(value) then
        return nil, damaged(folder, ("the text of a %s is not UTF-8"):format(name))
      end
    end
  end
  return rows
end

return M
