--- rt.db and its files: which can be opened, by whom, what a bad disk says.
local lu = require "luaunit"
local db = require "rt.db"
local fs = require "rt.fs"
local proc = require "rt.proc"
local task = require "rt.task"

local database = require "lua.database"

local in_dir, refused = database.in_dir, database.refused
local insert, ids, SCHEMA = database.insert, database.ids, database.SCHEMA

local PROGRAM = require("lua.folder").PROGRAM

local T = {}

-- ---- files ----

T.test_a_file_that_is_not_there = in_dir(function(dir)
  local path = fs.join(dir, "a.db")
  refused("not_found", { path }, db.open(path))
  lu.assertFalse(fs.exists(path))
  refused("not_found", { "check the name" },
    db.open(fs.join(dir, "no", "a.db"), { create = true }))
  refused("invalid", { "folder" }, db.open(dir))
end)

T.test_names_that_mean_something_else_to_sqlite = in_dir(function(dir)
  local script = fs.join(dir, "y.lua")
  assert(fs.write(script, [[
    local db = require "rt.db"
    for _, name in ipairs { ":memory:", "file:a?mode=memory" } do
      local conn <close> = assert(db.open(name, { create = true }))
      assert(conn:write { { "CREATE TABLE t (id)" } })
      assert(require "rt.fs".exists(name))
    end]]))
  local r = assert(proc.run { PROGRAM, "run", script, cwd = dir })
  lu.assertEquals(r.code, 0, r.stderr)
end)

T.test_a_lost_end_is_known_if_the_database_was_guarded = in_dir(function(dir)
  local path, copy = fs.join(dir, "a.db"), fs.join(dir, "b.db")
  local conn <close> = assert(db.open(path, { create = true }))
  assert(conn:write(SCHEMA))
  assert(conn:guard())
  assert(conn:write { insert(1) })
  for _, name in ipairs { "", "-wal" } do
    -- by another program: here its locks would be lost
    assert(proc.run { "cp", path .. name, copy .. name })
    local lost = name == ""
    local found <close> = assert(db.open(copy, { readonly = true }))
    lu.assertEquals(found.lost, lost)
    if not lost then lu.assertEquals(ids(found), { 1 }) end
    lu.assertErrorMsgContains("for reading only", found.guard, found)
  end
end)

T.test_a_damaged_file = in_dir(function(dir)
  local path = fs.join(dir, "a.db")
  assert(fs.write(path, ("this is no database\n"):rep(500)))
  refused("damaged", { path, "put a good copy" }, db.open(path))
  lu.assertEquals(fs.read(path), ("this is no database\n"):rep(500))
end)

T.test_a_file_damaged_in_the_middle = in_dir(function(dir)
  local path = fs.join(dir, "a.db")
  do
    local conn <close> = assert(db.open(path, { create = true }))
    assert(conn:write(SCHEMA))
    for i = 1, 300 do conn:later { insert(i, ("x"):rep(500)) } end
  end
  local bytes = assert(fs.read(path))
  assert(fs.write(path, bytes:sub(1, 4096) .. ("\255"):rep(#bytes - 4096)))
  local conn <close> = assert(db.open(path))
  local e = refused("damaged", { path }, conn:rows "SELECT sum(length(v)) FROM t")
  lu.assertEquals(e.sqlite & 0xff, 11)
  refused("damaged", { path }, conn:write { insert(1000) })
end)

--- Run a script with `dir`/disk being a disk of its own, where the machine allows that.
local function run_on_disk(dir, options, text)
  local disk, script = fs.join(dir, "disk"), fs.join(dir, "x.lua")
  assert(fs.mkdir(disk))
  assert(fs.write(script, text))
  local mount = 'mount -t tmpfs -o "$1" none "$2" && exec "$3" run "$4" "$2"'
  local exe = assert(io.popen "readlink /proc/$PPID/exe"):read "l"
  local r = proc.run { "unshare", "-rm", "sh", "-c", mount, "sh", options, disk, exe, script }
  if not r or not r.stdout:find "begun" then lu.skip "no disk can be mounted here" end
  lu.assertEquals(r.code, 0, r.stderr)
  return r.stdout
end

T.test_a_full_disk_keeps_what_was_committed = in_dir(function(dir)
  local out = run_on_disk(dir, "size=512k", [[
    print "begun"
    local db, fs, task = require "rt.db", require "rt.fs", require "rt.task"
    local conn <close> = assert(db.open(arg[1] .. "/a.db", { create = true }))
    assert(conn:write { { "CREATE TABLE t (id INTEGER PRIMARY KEY, v)" } })
    local filler = arg[1] .. "/filler"
    assert(fs.write(filler, ("x"):rep(200000)))
    local text, done, failed = ("x"):rep(2000), {}, nil
    for round = 1, 50 do -- each is a commit of ten, of which none or all must fit
      task.scope(function(s)
        for i = round * 10, round * 10 + 9 do
          s:spawn(function()
            local ok, e = conn:write { { "INSERT INTO t VALUES (?, ?)", i, text } }
            done[i], failed = ok or false, failed or e
          end)
        end
      end)
      if failed then break end
    end
    print(failed.code, failed)
    local there = {}
    for _, row in ipairs(assert(conn:rows "SELECT id FROM t")) do there[row.id] = true end
    for i, ok in pairs(done) do assert(ok == (there[i] or false), i) end
    assert(fs.remove(filler))
    assert(conn:write { { "DELETE FROM t WHERE id > 20" } })]])
  lu.assertStrContains(out, "no_space")
  lu.assertStrContains(out, "the disk is full")
end)

T.test_a_disk_that_may_not_be_written_to = in_dir(function(dir)
  local out = run_on_disk(dir, "size=512k", [[
    print "begun"
    local db, path = require "rt.db", arg[1] .. "/a.db"
    do
      local conn <close> = assert(db.open(path, { create = true }))
      assert(conn:write { { "CREATE TABLE t (id INTEGER PRIMARY KEY, v)" } })
    end
    assert(os.execute("mount -o remount,ro " .. arg[1]))
    local _, e = db.open(path)
    print(e.code, e)
    _, e = db.open(arg[1] .. "/new.db", { create = true })
    print(e.code, e)]])
  local _, n = out:gsub("denied\t", "")
  lu.assertEquals(n, 2, out)
  _, n = out:gsub("the file system is mounted read%-only", "")
  lu.assertEquals(n, 2, out)
end)

T.test_two_programs_share_a_database = in_dir(function(dir)
  local path, script = fs.join(dir, "a.db"), fs.join(dir, "x.lua")
  assert(fs.write(script, [[
    local db, task = require "rt.db", require "rt.task"
    local conn <close> = assert(db.open(arg[1], { create = true, busy = 60 }))
    assert(conn:write { { "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v)" } })
    task.scope(function(s)
      for i = 1, 50 do
        s:spawn(function()
          assert(conn:write { { "INSERT INTO t VALUES (?, 0)", tonumber(arg[2]) + i } })
        end)
      end
    end)]]))
  task.scope(function(s)
    for i = 1, 3 do
      s:spawn(function()
        local r = assert(proc.run { PROGRAM, "run", script, path, tostring(i * 100) })
        lu.assertEquals(r.code, 0, r.stderr)
      end)
    end
  end)
  local conn <close> = assert(db.open(path))
  lu.assertEquals(#ids(conn), 150)
end)

T.test_a_lock_that_is_kept_is_busy = in_dir(function(dir)
  local path = fs.join(dir, "a.db")
  local conn <close> = assert(db.open(path, { create = true, busy = 0.05 }))
  assert(conn:write(SCHEMA))
  local holder = proc.spawn { "sqlite3", path, stdin = true }
  if not holder then lu.skip "sqlite3 is not installed" end
  assert(holder:write "BEGIN IMMEDIATE;\n.print held\n")
  lu.assertEquals(holder:read(), "held\n")
  local e = refused("busy", { path, "another program" }, conn:write { insert(1) })
  lu.assertTrue(e.retryable)
  assert(holder:write "COMMIT;\n")
  holder:end_input()
  holder:wait()
  assert(conn:write { insert(1) })
  lu.assertEquals(ids(conn), { 1 })
end)

return T
