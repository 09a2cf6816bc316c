local lu = require "luaunit"
local db = require "rt.db"
local fs = require "rt.fs"
local proc = require "rt.proc"
local task = require "rt.task"

local database = require "lua.database"

local in_dir, with_table, refused = database.in_dir, database.with_table, database.refused
local insert, ids, SCHEMA = database.insert, database.ids, database.SCHEMA

local PROGRAM = require("lua.folder").PROGRAM

local T = {}

-- ---- values ----

T.test_values_come_back_as_they_were = with_table(function(conn)
  local values = { math.maxinteger, math.mininteger, 0, 1.5, -0.1, 1e300, "", "héro",
    ("\0\255x"):rep(1000), 2.0 }
  for i, v in ipairs(values) do assert(conn:write { insert(i, v) }) end
  for i, row in ipairs(assert(conn:rows "SELECT * FROM t ORDER BY id")) do
    lu.assertTrue(row.v == values[i], tostring(values[i]))
    lu.assertEquals(math.type(row.v), math.type(values[i]))
  end
  assert(conn:write { { "INSERT INTO t VALUES (99, CAST(? AS BLOB))", "a\0b\0" } })
  local row = conn:rows("SELECT v, typeof(v) AS type FROM t WHERE id = 99")[1]
  lu.assertEquals(row, { v = "a\0b\0", type = "blob" })
end)

T.test_nil_is_null_and_null_is_absent = with_table(function(conn)
  assert(conn:write { { "INSERT INTO t VALUES (?, ?)", 1, nil, n = 2 } })
  assert(conn:write { { "INSERT INTO t (v, id) VALUES (?, ?)", nil, 2 } })
  lu.assertEquals(conn:rows "SELECT * FROM t ORDER BY id", { { id = 1 }, { id = 2 } })
  lu.assertEquals(#conn:rows("SELECT 1 WHERE ? IS NULL AND ? = 2", nil, 2), 1)
  lu.assertEquals(#conn:rows("SELECT 1 WHERE ? = 2 AND ? IS NULL", 2, nil), 1)
end)

T.test_booleans_are_one_and_zero = with_table(function(conn)
  assert(conn:write { insert(1, true), insert(2, false) })
  lu.assertEquals(conn:rows "SELECT v FROM t ORDER BY id", { { v = 1 }, { v = 0 } })
end)

T.test_an_answer_without_rows_is_an_empty_list = with_table(function(conn)
  lu.assertEquals(conn:rows "SELECT * FROM t", {})
end)

T.test_many_different_statements_take_turns_in_the_cache = with_table(function(conn)
  for round = 1, 2 do
    for i = 1, 150 do
      local sql = ("SELECT ? + %d AS n"):format(i)
      lu.assertEquals(conn:rows(sql, round)[1].n, round + i)
    end
  end
end)

T.test_what_cannot_be_stored_is_raised_where_the_script_stands = with_table(function(conn)
  local function raised(words, ...)
    local ok, e = pcall(...)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(e), words)
    lu.assertStrContains(tostring(e), "db_test.lua:")
  end
  local function write(list) local r = conn:write(list) return r end
  raised("value 2 of a statement is a table", write, { { "x", 1, {} } })
  raised("value 1 of a statement is not a number (NaN)", write, { { "x", 0 / 0 } })
  raised("begins with its SQL text", write, { { 5 } })
  raised("this one is empty", write, {})
  raised("not one with a string in it", write, { "INSERT" })
  raised("n of a statement", write, { { "x", n = -1 } })
  raised("n of a statement", write, { { "x", n = "many" } })
  raised("value 1 of a statement is a function",
    function() local r = conn:rows("SELECT ?", print) return r end)
  raised("value 1 of a statement is a table",
    function() conn:later { { "x", {} } } end)
  lu.assertEquals(ids(conn), {}, "and the connection still works")
end)

-- ---- atomicity ----

T.test_a_failing_statement_in_the_middle_undoes_the_write = with_table(function(conn)
  assert(conn:write { insert(5) })
  local e = refused("exists", { "UNIQUE constraint failed: t.id" },
    conn:write { insert(1), insert(5), insert(2) })
  lu.assertEquals(e.sqlite, 1555)
  lu.assertFalse(e.retryable)
  lu.assertEquals(ids(conn), { 5 })
end)

T.test_a_failing_write_spares_those_that_share_its_commit = with_table(function(conn)
  local before, failed = conn:stats(), 0
  task.scope(function(s)
    for i = 1, 100 do
      s:spawn(function()
        local ok, e = conn:write { insert(i), insert(i % 10 == 0 and 1 or i + 1000) }
        if not ok then
          failed = failed + 1
          refused("exists", {}, ok, e)
        end
      end)
    end
  end)
  local after = conn:stats()
  lu.assertEquals(failed, 10)
  lu.assertEquals(after.commits - before.commits, 1)
  lu.assertEquals(after.writes - before.writes, 90)
  lu.assertEquals(#ids(conn), 180)
end)

T.test_a_statement_that_rolls_everything_back_harms_nobody_else = with_table(function(conn)
  local results = {}
  task.scope(function(s)
    for i = 1, 20 do
      s:spawn(function()
        local sql = i == 10 and "INSERT OR ROLLBACK INTO t VALUES (1, 2)"
          or ("INSERT INTO t VALUES (%d, 0)"):format(i)
        results[i] = conn:write { { sql } } or false
      end)
    end
  end)
  for i = 1, 20 do lu.assertEquals(results[i], i ~= 10) end
  lu.assertEquals(#ids(conn), 19)
end)

T.test_or_fail_leaves_nothing_behind_either = with_table(function(conn)
  assert(conn:write { insert(3) })
  refused("exists", {}, conn:write { { "INSERT OR FAIL INTO t VALUES (1, 0), (2, 0), (3, 0)" } })
  lu.assertEquals(ids(conn), { 3 })
end)

T.test_foreign_keys_hold_also_when_they_are_deferred = with_table(function(conn)
  assert(conn:write { { [[CREATE TABLE child (t INTEGER REFERENCES t DEFERRABLE
    INITIALLY DEFERRED)]] }, { "CREATE TABLE strict (t INTEGER REFERENCES t)" } })
  refused("invalid", { "FOREIGN KEY" }, conn:write { { "INSERT INTO strict VALUES (7)" } })
  local good, bad
  task.scope(function(s)
    s:spawn(function() good = conn:write { insert(1) } end)
    s:spawn(function() bad = { conn:write { { "INSERT INTO child VALUES (7)" } } } end)
    s:spawn(function() assert(conn:write { { "INSERT INTO child VALUES (8)" }, insert(8) }) end)
  end)
  lu.assertTrue(good)
  refused("invalid", { "FOREIGN KEY" }, table.unpack(bad))
  lu.assertEquals(ids(conn), { 1, 8 })
  lu.assertEquals(#conn:rows "SELECT * FROM child", 1)
end)

-- ---- one commit for many ----

T.test_writes_of_many_tasks_share_commits = with_table(function(conn)
  local before = conn:stats()
  task.scope(function(s)
    for i = 1, 200 do
      s:spawn(function()
        for k = 1, 5 do assert(conn:write { insert(i * 10 + k) }) end
      end)
    end
  end)
  local after = conn:stats()
  lu.assertEquals(after.writes - before.writes, 1000)
  lu.assertEquals(after.statements - before.statements, 1000)
  lu.assertTrue(after.commits - before.commits <= 100, after.commits - before.commits)
  lu.assertEquals(#ids(conn), 1000)
end)

-- ---- later ----

T.test_rows_see_what_later_was_given = with_table(function(conn)
  for i = 1, 10 do conn:later { insert(i) } end
  lu.assertEquals(#ids(conn), 10)
end)

T.test_later_and_write_are_applied_in_the_order_given = with_table(function(conn)
  assert(conn:write { insert(1, 0) })
  task.scope(function(s)
    for i = 1, 50 do
      conn:later { { "UPDATE t SET v = (v * 3 + ?) % 1000003", i % 7 } }
      if i % 10 == 0 then
        s:spawn(function() assert(conn:write { { "UPDATE t SET v = -v" } }) end)
        task.yield()
      end
    end
  end)
  local v = 0
  for i = 1, 50 do
    v = math.fmod(v * 3 + i % 7, 1000003)
    if i % 10 == 0 then v = -v end
  end
  lu.assertEquals(conn:rows("SELECT v FROM t")[1].v, v)
end)

T.test_later_joins_the_commit_of_the_next_write = with_table(function(conn)
  local before = conn:stats()
  conn:later { insert(1) }
  conn:later { insert(2) }
  assert(conn:write { insert(3) })
  local after = conn:stats()
  lu.assertEquals(after.commits - before.commits, 1)
  lu.assertEquals(after.writes - before.writes, 3)
end)

T.test_later_is_committed_without_anybody_waiting = with_table(function(conn, path)
  local other <close> = assert(db.open(path))
  conn:later { insert(1) }
  task.timeout(30, function()
    while #ids(other) == 0 do task.sleep(0.01) end
  end)
  lu.assertEquals(ids(other), { 1 })
end)

T.test_the_failure_of_later_goes_to_the_next_that_waits = with_table(function(conn)
  assert(conn:write { insert(1) })
  conn:later { insert(1) }
  conn:later { insert(2) }
  refused("exists", { "t.id" }, conn:write { insert(3) })
  lu.assertEquals(ids(conn), { 1, 2 }, "such a write is not applied")
  assert(conn:write { insert(3) })
  conn:later { insert(1) }
  refused("exists", {}, conn:sync())
  assert(conn:sync())
  conn:later { insert(1) }
  lu.assertEquals(#ids(conn), 3)
  refused("exists", {}, conn:sync())
end)

T.test_later_that_no_transaction_takes_is_given_up = with_table(function(conn)
  conn:later { { "PRAGMA wal_checkpoint" } }
  refused("invalid", { "within a transaction" }, conn:write { insert(1) })
  assert(conn:write { insert(2) })
  lu.assertEquals(ids(conn), { 2 })
end)

T.test_close_gives_the_failure_of_later = in_dir(function(dir)
  local path = fs.join(dir, "a.db")
  local conn = assert(db.open(path, { create = true }))
  assert(conn:write(SCHEMA))
  conn:later { insert(1) }
  conn:later { insert(1) }
  refused("exists", {}, conn:close())
  lu.assertTrue(conn:close())
  local ok, e = pcall(function()
    local again <close> = assert(db.open(path))
    again:later { insert(1) }
  end)
  lu.assertFalse(ok)
  lu.assertEquals(e.code, "exists")
  ok, e = pcall(function()
    local again <close> = assert(db.open(path))
    again:later { insert(1) }
    error "of its own"
  end)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(e), "of its own")
end)

-- ---- ends ----

T.test_close_waits_for_what_is_pending = in_dir(function(dir)
  local path = fs.join(dir, "a.db")
  do
    local conn <close> = assert(db.open(path, { create = true }))
    assert(conn:write(SCHEMA))
    for i = 1, 100 do conn:later { insert(i) } end
  end
  local conn <close> = assert(db.open(path))
  lu.assertEquals(#ids(conn), 100)
end)

T.test_a_closed_connection_says_so = in_dir(function(dir)
  local conn = assert(db.open(fs.join(dir, "a.db"), { create = true }))
  assert(conn:close())
  for _, call in ipairs { "write", "later", "rows", "sync", "stats" } do
    local ok, e = pcall(function()
      local r = conn[call](conn, SCHEMA)
      return r
    end)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(e), "this database is closed")
  end
end)

T.test_collected_connections_finish_their_work = in_dir(function(dir)
  local path = fs.join(dir, "a.db")
  local function leave_one(i)
    local conn = assert(db.open(path, { create = true }))
    if i == 1 then assert(conn:write(SCHEMA)) end
    conn:later { insert(i) }
  end
  for i = 1, 5 do leave_one(i) end
  collectgarbage()
  collectgarbage()
  local conn <close> = assert(db.open(path))
  task.timeout(30, function()
    while #ids(conn) < 5 do task.sleep(0.01) end
  end)
  lu.assertEquals(#ids(conn), 5)
end)

--- Run a script in a program of its own; its arguments are strings.
local function run(dir, text, ...)
  local script = fs.join(dir, "x.lua")
  assert(fs.write(script, text))
  return assert(proc.run { PROGRAM, "run", script, ... })
end

T.test_the_end_of_the_program_commits_what_was_given = in_dir(function(dir)
  for i, last in ipairs { "", "os.exit(0, true)", "error 'on purpose'",
    "require('rt.task').sleep(0) os.exit(0)" } do
    local path = fs.join(dir, i .. ".db")
    local r = run(dir, [[
      local conn = assert(require "rt.db".open(arg[1], { create = true }))
      package.loaded.keep = conn -- it is still there when the program ends
      assert(conn:write { { "CREATE TABLE t (id)" } })
      for i = 1, 10 do conn:later { { "INSERT INTO t VALUES (?)", i } } end
      ]] .. last, path)
    lu.assertEquals(r.code == 0, i ~= 3, r.stderr)
    lu.assertEquals(#fs.glob(dir, i .. ".db*"), 1, "the file is closed")
    local conn <close> = assert(db.open(path))
    lu.assertEquals(#ids(conn), 10, last)
  end
end)

T.test_children_do_not_inherit_the_files = in_dir(function(dir)
  local path = fs.join(dir, "a.db")
  local conn <close> = assert(db.open(path, { create = true }))
  assert(conn:write(SCHEMA))
  local fds = assert(proc.run { "ls", "-l", "/proc/self/fd" }).stdout
  lu.assertStrContains(fds, "socket")
  lu.assertNotStrContains(fds, "a.db")
end)

T.test_a_cancelled_write_is_there_whole_or_not_at_all = with_table(function(conn)
  for i = 1, 200 do
    task.scope(function(s)
      s:spawn(function() conn:write { insert(i), insert(i + 1000) } end)
      if i % 2 == 0 then task.yield() end
      if i % 5 == 0 then task.sleep(0) end
      s:cancel()
    end)
  end
  local found = {}
  for _, id in ipairs(ids(conn)) do found[id] = true end
  for i = 1, 200 do lu.assertEquals(found[i], found[i + 1000]) end
end)

T.test_a_long_query_ends_when_it_is_cancelled = with_table(function(conn)
  local ok, e = task.timeout(0.05, conn.rows, conn, [[WITH RECURSIVE n (i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n]])
  refused("timeout", {}, ok, e)
  assert(conn:write { insert(1) })
end)

-- ---- what is not allowed ----

T.test_statements_that_make_no_sense = with_table(function(conn)
  refused("invalid", { "syntax error" }, conn:write { { "INSERT t" } })
  refused("invalid", { "no such table: nope" }, conn:rows "SELECT * FROM nope")
  refused("invalid", { "takes 2 values and was given 1" },
    conn:write { { "INSERT INTO t VALUES (?, ?)", 1 } })
  refused("invalid", { "more than one" },
    conn:write { { "DELETE FROM t; DELETE FROM t" } })
  refused("invalid", { "there is none" }, conn:write { { " -- nothing" } })
  refused("invalid", { "use write" }, conn:rows "DELETE FROM t")
  assert(conn:write { { "DELETE FROM t ; " } })
end)

T.test_transactions_are_not_for_scripts = with_table(function(conn)
  for _, sql in ipairs { "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a",
    "ATTACH '/tmp/x.db' AS x" } do
    refused("invalid", { "not authorized" }, conn:write { { sql } })
    refused("invalid", { "not authorized" }, conn:rows(sql))
  end
  assert(conn:write { insert(1) })
end)

T.test_an_answer_that_is_too_large = with_table(function(conn)
  refused("too_large", { "LIMIT" }, conn:rows "SELECT zeroblob(80000000) AS z")
  lu.assertEquals(#conn:rows("SELECT zeroblob(1000000) AS z")[1].z, 1000000)
end)

--- What is written while another write is being put together: a metamethod does it here,
--- a finalizer may do so at any time.
T.test_writing_within_a_write = with_table(function(conn)
  local nested = setmetatable({ "INSERT INTO t VALUES (1, 'outer')" }, { __index = function()
    conn:later { { "INSERT INTO t VALUES (2, ?)", ("inner"):rep(1000) } }
  end })
  assert(conn:write { nested, { "INSERT INTO t VALUES (3, 'last')" } })
  local rows = assert(conn:rows "SELECT id, length(v) AS n FROM t ORDER BY id")
  lu.assertEquals(rows, { { id = 1, n = 5 }, { id = 2, n = 5000 }, { id = 3, n = 4 } })
end)

T.test_closing_within_a_write = with_table(function(conn)
  local closed
  local closing = setmetatable({ "INSERT INTO t VALUES (1, 'x')" }, { __index = function()
    closed = require("rt.c.db").close(conn.handle)
  end })
  refused("cancelled", {}, conn:write { closing })
  lu.assertErrorMsgContains("this database is closed", conn.later, conn, { closing })
  assert(task.await(closed))
end)

return T
