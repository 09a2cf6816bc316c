-- A database: writes that share a commit, one that fails, rows, a full disk, an open end.
local db = require "rt.db"
local fs = require "rt.fs"
local task = require "rt.task"

local dir = assert(fs.tempdir())
local lock = assert(fs.lock(fs.join(dir, "lock"), "me"))
local conn = assert(db.open(fs.join(dir, "a.db"), { create = true }))
assert(conn:write { { "CREATE TABLE t (id INTEGER PRIMARY KEY, v)" } })
assert(conn:guard())
task.scope(function(s)
  for i = 1, 5 do
    s:spawn(function() assert(conn:write { { "INSERT INTO t VALUES (?, ?)", i, "x" } }) end)
  end
end)
conn:later { { "INSERT INTO t VALUES (6, ?)", nil, n = 1 } }
assert(#assert(conn:rows("SELECT * FROM t WHERE id > ?", 0)) == 6)
assert(conn:write { { "INSERT INTO t VALUES (1, 1)" } } == nil)
assert(conn:write { { "PRAGMA max_page_count = 10" } })
for _ = 1, 2 do
  conn:later { { "INSERT INTO t VALUES (7, ?)", ("x"):rep(50000) } }
  assert(select(2, conn:sync()).code == "no_space")
end
assert(select(2, conn:later { { "DELETE FROM t" } }).code == "no_space")
local _ <close> = assert(db.open(fs.join(dir, "a.db")))
assert(fs.lock(fs.join(dir, "lock")) == nil)
assert(fs.remove(dir, { recursive = true }))
lock:release()
