local db = require "rt.db"
local fs = require "rt.fs"
local lu = require "luaunit"
local proc = require "rt.proc"
local sys = require "rt.c.sys"

local T = {}

--- A database with one row, and what it is called.
local function with_file(name, fn)
  local dir = assert(fs.tempdir())
  local path = dir .. "/" .. name
  local conn = assert(db.open(path, { create = true }))
  assert(conn:write { { "CREATE TABLE t (n INTEGER)" }, { "INSERT INTO t VALUES (1)" } })
  local ok, e = pcall(fn, path, conn, dir)
  conn:close()
  fs.remove(dir, { recursive = true })
  if not ok then error(e, 0) end
end

local function count(conn) return assert(conn:rows "SELECT COUNT(*) AS n FROM t")[1].n end

function T.test_it_sees_what_a_writer_writes_meanwhile()
  with_file("a.db", function(path, writer)
    local reader <close> = assert(db.open(path, { readonly = true }))
    lu.assertEquals(count(reader), 1)
    assert(writer:write { { "INSERT INTO t VALUES (2)" } })
    lu.assertEquals(count(reader), 2)
  end)
end

function T.test_writing_through_it_is_a_bug_of_the_caller()
  with_file("a.db", function(path)
    local reader <close> = assert(db.open(path, { readonly = true }))
    for _, name in ipairs { "write", "later", "sync" } do
      lu.assertErrorMsgContains("opened for reading only", reader[name], reader,
        { { "INSERT INTO t VALUES (2)" } })
    end
    local rows, e = reader:rows "INSERT INTO t VALUES (2) RETURNING n"
    lu.assertNil(rows)
    lu.assertEquals(e.code, "invalid")
    lu.assertEquals(count(reader), 1)
  end)
end

function T.test_a_file_that_is_not_there_is_not_made()
  local dir = assert(fs.tempdir())
  local conn, e = db.open(dir .. "/none.db", { readonly = true })
  lu.assertNil(conn)
  lu.assertEquals(e.code, "not_found")
  lu.assertFalse(fs.exists(dir .. "/none.db"))
  fs.remove(dir, { recursive = true })
end

function T.test_a_file_that_is_no_database_is_damaged()
  local dir = assert(fs.tempdir())
  assert(fs.write(dir .. "/a.db", ("no database "):rep(100)))
  local conn, e = db.open(dir .. "/a.db", { readonly = true })
  lu.assertNil(conn)
  lu.assertEquals(e.code, "damaged")
  fs.remove(dir, { recursive = true })
end

local COUNT = [[
local db = require "rt.db"
local conn <close> = assert(db.open(..., { readonly = true }))
print(conn:rows("SELECT COUNT(*) AS n FROM t")[1].n)
]]

--- Count the rows as a user who may read the folder and nothing else.
local function as_nobody(path)
  return assert(proc.run { "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
    sys.exe(), "-e", COUNT, "--", path })
end

local function may_become_nobody()
  local r = proc.run { "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
    sys.exe(), "-e", "print(1)" }
  return r and r.stdout == "1\n"
end

function T.test_a_folder_that_may_only_be_read_will_do()
  lu.skipIf(not may_become_nobody(), "cannot become another user here")
  for _, name in ipairs { "a.db", "100% #1?.db" } do
    with_file(name, function(path, writer, dir)
      assert(proc.run { "chmod", "-R", "a+rX", dir })
      local r = as_nobody(path) -- while a writer has it open
      lu.assertEquals(r.stdout, "1\n", r.stderr)
      writer:close()
      lu.assertFalse(fs.exists(path .. "-wal"))
      r = as_nobody(path) -- and alone
      lu.assertEquals(r.stdout, "1\n", r.stderr)
      lu.assertEquals(#assert(fs.list(dir)), 1)
    end)
  end
end

return T
