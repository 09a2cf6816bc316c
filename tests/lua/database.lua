--- What the tests of rt.db share.
local lu = require "luaunit"
local db = require "rt.db"
local err = require "rt.err"
local fs = require "rt.fs"

local M = {}

M.SCHEMA = { { "CREATE TABLE t (id INTEGER PRIMARY KEY, v)" } }

M.in_dir = require("lua.folder").in_dir

--- Run `fn(conn, path)` with an empty table t of a new database.
function M.with_table(fn)
  return M.in_dir(function(dir)
    local path = fs.join(dir, "a.db")
    local conn <close> = assert(db.open(path, { create = true }))
    assert(conn:write(M.SCHEMA))
    fn(conn, path)
  end)
end

function M.insert(id, v) return { "INSERT INTO t VALUES (?, ?)", id, v, n = 2 } end

function M.ids(conn)
  local list = {}
  for i, row in ipairs(assert(conn:rows "SELECT id FROM t ORDER BY id")) do
    list[i] = row.id
  end
  return list
end

--- The call must fail with this code, and say so with all these words.
function M.refused(code, words, ok, e)
  lu.assertNil(ok)
  lu.assertTrue(err.is(e), tostring(e))
  lu.assertEquals(e.code, code, tostring(e))
  for _, word in ipairs(words) do lu.assertStrContains(tostring(e), word) end
  return e
end

return M
