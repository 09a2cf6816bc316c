local lu = require "luaunit"
local err = require "rt.err"
local fs = require "rt.fs"
local proc = require "rt.proc"
local task = require "rt.task"

local PROGRAM = require("lua.folder").PROGRAM

local T = {}

local in_dir = require("lua.folder").in_dir

local function names(entries)
  local list = {}
  for i, e in ipairs(entries) do list[i] = e.name end
  return list
end

--- The call must fail with this code, and say so with all these words.
local function refused(code, words, ok, e)
  lu.assertNil(ok)
  lu.assertTrue(err.is(e), tostring(e))
  lu.assertEquals(e.code, code, tostring(e))
  for _, word in ipairs(words) do lu.assertStrContains(tostring(e), word) end
end

T.test_write_then_read_gives_the_bytes_back = in_dir(function(dir)
  local path = fs.join(dir, "a.bin")
  local bytes = ("\0\255x"):rep(200000)
  assert(fs.write(path, bytes))
  lu.assertTrue(fs.read(path) == bytes)
  assert(fs.write(path, ""))
  lu.assertEquals(fs.read(path), "")
  lu.assertEquals(names(fs.list(dir)), { "a.bin" }, "nothing but the file is left")
end)

T.test_write_replaces_whole_files_and_keeps_the_mode = in_dir(function(dir)
  local path = fs.join(dir, "a.txt")
  assert(fs.write(path, "long old text"))
  os.execute("chmod 640 " .. path)
  assert(fs.write(path .. ".part", "left behind by a crash, longer than the new text"))
  assert(fs.write(path, "new"))
  lu.assertEquals(fs.read(path), "new")
  lu.assertEquals(fs.stat(path).mode, tonumber("640", 8))
  lu.assertFalse(fs.exists(path .. ".part"))
end)

T.test_writers_of_one_path_take_turns = in_dir(function(dir)
  local path = fs.join(dir, "a.txt")
  local texts = {}
  task.scope(function(s)
    for i = 1, 30 do
      local text = tostring(i % 10):rep(100000 + i)
      texts[text] = true
      s:spawn(function() assert(fs.write(path, text)) end)
    end
  end)
  lu.assertTrue(texts[fs.read(path)], "one of the texts, whole")
  lu.assertEquals(names(fs.list(dir)), { "a.txt" })
end)

T.test_errors_name_the_path_and_what_to_do = in_dir(function(dir)
  local none, sub = fs.join(dir, "none.txt"), fs.join(dir, "sub")
  assert(fs.mkdir(sub))
  refused("not_found", { none, "check the name" }, fs.read(none))
  refused("not_found", { "fs.mkdir" }, fs.write(fs.join(dir, "no/such/a.txt"), "x"))
  refused("not_found", { "seen from /" }, fs.read "no-such-file-here")
  refused("invalid", { sub, "folder, not a file" }, fs.read(sub))
  refused("invalid", { sub, "folder, not a file" }, fs.write(sub, "x"))
  assert(fs.write(fs.join(sub, "a"), "x"))
  refused("exists", { "recursive = true" }, fs.remove(sub))
  refused("exists", { "in the way" }, fs.mkdir(fs.join(sub, "a")))
  refused("not_found", { "is a file, not a folder" }, fs.read(fs.join(sub, "a", "b")))
end)

T.test_a_full_disk_leaves_the_old_file = in_dir(function(dir)
  local script, disk = fs.join(dir, "full.lua"), fs.join(dir, "disk")
  assert(fs.mkdir(disk))
  assert(fs.write(script, [[
    local fs = require "rt.fs"
    local path = arg[1] .. "/a"
    assert(fs.write(path, "old"))
    local ok, e = fs.write(path, ("x"):rep(1000000))
    print(ok, e.code, e, fs.read(path), #fs.list(arg[1]))]]))
  -- a disk of 64 KB in a mount table of its own, where the machine allows that
  local p = assert(io.popen(([[exe=$(readlink /proc/$PPID/exe)
    unshare -rm sh -c "mount -t tmpfs -o size=64k none %s && $exe run %s %s" 2>&1]])
    :format(disk, script, disk)))
  local out = p:read "a"
  p:close()
  if not out:find "no_space" then lu.skip("no small disk here: " .. out) end
  lu.assertStrContains(out, "nil\tno_space")
  lu.assertStrContains(out, "disk is full")
  lu.assertStrContains(out, "\told\t1", "the old file and no .part")
end)

T.test_denied = in_dir(function(dir)
  local locked = fs.join(dir, "locked")
  assert(fs.mkdir(locked))
  assert(os.execute(("chmod 0 %s"):format(locked)))
  local p = assert(io.popen "id -u")
  local root = p:read "n" == 0
  p:close()
  if root then -- whom no mode stops; the kernel's own files do
    refused("denied", { "/proc/sys/kernel/ostype" }, fs.remove "/proc/sys/kernel/ostype")
  else
    refused("denied", { locked, "permission" }, fs.write(fs.join(locked, "a"), "x"))
    refused("denied", { locked }, fs.exists(fs.join(locked, "a")))
  end
end)

T.test_a_lock_excludes_others_of_this_program_too = in_dir(function(dir)
  local path = fs.join(dir, "run.lock")
  local lock = assert(fs.lock(path, '{"pid":1}'))
  lu.assertEquals(fs.read(path), '{"pid":1}')
  local _, e = fs.lock(path, "another one")
  refused("locked", { path, "still runs" }, _, e)
  lu.assertEquals(e.holder, '{"pid":1}')
  lock:release()
  lock:release()
  lu.assertEquals(fs.read(path), "", "whoever looks is told nothing old")
  do
    local _ <close> = assert(fs.lock(path))
    lu.assertEquals(select(2, fs.lock(path)).holder, "")
  end
  assert(fs.lock(path)):release()
  refused("not_found", { "fs.mkdir makes it" }, fs.lock(fs.join(dir, "no", "x")))
  refused("invalid", { "folder" }, fs.lock(dir))
end)

T.test_a_lock_ends_with_its_program_and_children_do_not_have_it = in_dir(function(dir)
  local path, script = fs.join(dir, "run.lock"), fs.join(dir, "x.lua")
  assert(fs.write(script, [[
    local fs, proc = require "rt.fs", require "rt.proc"
    assert(fs.lock(arg[1], "the other"))
    local open = assert(proc.run { "ls", "-l", "/proc/self/fd" }).stdout
    assert(not open:find("run.lock", 1, true), open)
    print "held"
    io.stdout:flush()
    io.read()]]))
  local p = assert(proc.spawn { PROGRAM, "run", script, path, stdin = true,
    stderr = "inherit" })
  lu.assertEquals(p:read(), "held\n")
  local _, e = fs.lock(path, "mine")
  refused("locked", {}, _, e)
  lu.assertEquals(e.holder, "the other")
  p:kill "SIGKILL"
  p:wait()
  assert(fs.lock(path, "mine")):release()
end)

T.test_many_who_want_a_lock_get_it_one_at_a_time = in_dir(function(dir)
  local path, held, had = fs.join(dir, "run.lock"), 0, 0
  task.scope(function(s)
    for _ = 1, 20 do
      s:spawn(function()
        local lock
        repeat lock = fs.lock(path, "one of us") until lock
        held, had = held + 1, had + 1
        lu.assertEquals(held, 1)
        task.yield()
        held = held - 1
        lock:release()
      end)
    end
  end)
  lu.assertEquals(had, 20)
end)

T.test_read_has_a_limit = in_dir(function(dir)
  local path = fs.join(dir, "a")
  assert(fs.write(path, ("x"):rep(1000)))
  lu.assertEquals(#fs.read(path, { max = 1000 }), 1000)
  refused("too_large", { path, "999 bytes" }, fs.read(path, { max = 999 }))
  refused("too_large", { "/dev/zero" }, fs.read("/dev/zero", { max = 5000000 }))
  lu.assertStrContains(fs.read "/proc/self/status", "Threads:") -- says that it is empty
end)

T.test_mkdir_list_stat_exists = in_dir(function(dir)
  local deep = fs.join(dir, "a/b//c/")
  assert(fs.mkdir(deep))
  assert(fs.mkdir(deep))
  assert(fs.write(fs.join(dir, "z.txt"), "12345"))
  assert(fs.write(fs.join(dir, "Ä.txt"), ""))
  os.execute(("ln -s z.txt %s/link"):format(dir))
  local got = {}
  for _, e in ipairs(fs.list(dir)) do got[#got + 1] = e.name .. "=" .. e.type end
  lu.assertEquals(got, { "a=dir", "link=link", "z.txt=file", "Ä.txt=file" })
  local details = fs.list(dir, { details = true })
  lu.assertEquals({ details[2].type, details[2].size }, { "file", 5 })
  local st = fs.stat(fs.join(dir, "z.txt"))
  lu.assertEquals({ st.type, st.size }, { "file", 5 })
  lu.assertTrue(math.abs(st.mtime - os.time()) < 60)
  lu.assertTrue(fs.exists(deep))
  lu.assertEquals(fs.exists(fs.join(dir, "none")), false)
  lu.assertEquals(fs.exists(fs.join(dir, "z.txt", "below")), false)
end)

T.test_remove_never_follows_links = in_dir(function(dir)
  assert(fs.mkdir(fs.join(dir, "keep")))
  assert(fs.write(fs.join(dir, "keep/a"), "x"))
  assert(fs.mkdir(fs.join(dir, "go/deep")))
  os.execute(("ln -s ../keep %s/go/link"):format(dir))
  assert(fs.write(fs.join(dir, "go/deep/b"), "x"))
  assert(fs.remove(fs.join(dir, "go"), { recursive = true }))
  lu.assertEquals(names(fs.list(dir)), { "keep" })
  lu.assertTrue(fs.exists(fs.join(dir, "keep/a")))
  refused("not_found", { "go" }, fs.remove(fs.join(dir, "go"), { recursive = true }))
end)

T.test_rename_and_copy = in_dir(function(dir)
  local a, b = fs.join(dir, "a"), fs.join(dir, "b")
  assert(fs.write(a, "one"))
  assert(fs.write(b, "two"))
  assert(fs.rename(a, b))
  lu.assertEquals(fs.read(b), "one")
  assert(fs.copy(b, a))
  lu.assertEquals(fs.read(a), "one")
  refused("not_found", { "none", b }, fs.rename(fs.join(dir, "none"), b))
  refused("invalid", { dir }, fs.copy(dir, b))
end)

T.test_rename_between_file_systems = in_dir(function(dir)
  local shm = "/dev/shm"
  if not fs.exists(shm) then lu.skip "no second file system here" end
  local from = fs.join(dir, "rushes-fs-test")
  local to = fs.join(shm, fs.basename(dir))
  assert(fs.write(from, "bytes"))
  assert(fs.rename(from, to))
  lu.assertEquals(fs.read(to), "bytes")
  lu.assertFalse(fs.exists(from))
  assert(fs.remove(to))
end)

function T.test_names()
  lu.assertEquals({ fs.basename "a/b.png", fs.basename "b", fs.basename "a/b/" },
    { "b.png", "b", "b" })
  lu.assertEquals({ fs.stem "a/b.c.png", fs.stem "a.d/b", fs.stem "x/.hidden" },
    { "b.c", "b", ".hidden" })
  lu.assertEquals({ fs.dirname "a/b.png", fs.dirname "b", fs.dirname "/b", fs.dirname "/",
    fs.dirname "a//b/", fs.dirname "" }, { "a", ".", "/", "/", "a", "." })
  lu.assertEquals({ fs.join("a", "b", "c"), fs.join("a/", "b"), fs.join("a", "/b"),
    fs.join("", "b"), fs.join("a", ""), fs.join("/", "b") },
    { "a/b/c", "a/b", "/b", "b", "a", "/b" })
end

function T.test_matcher()
  local function fits(glob, name) return fs.matcher(glob)(name) end
  lu.assertTrue(fits("*.png", "a.png"))
  lu.assertFalse(fits("*.png", "a.pngx"))
  lu.assertFalse(fits("*.png", "apng"))
  lu.assertFalse(fits("*.png", ".a.png"))
  lu.assertTrue(fits(".*.png", ".a.png"))
  lu.assertTrue(fits("*.{png,jpg}", "a.jpg"))
  lu.assertTrue(fits("{a,b{c,d}}", "bd"))
  lu.assertFalse(fits("{a,b{c,d}}", "b"))
  lu.assertTrue(fits("shot_[0-9]?.mov", "shot_1x.mov"))
  lu.assertFalse(fits("[!a-c]", "b"))
  lu.assertTrue(fits("[!a-c]", "d"))
  lu.assertTrue(fits("a+b(1)%.^$", "a+b(1)%.^$"))
  lu.assertTrue(fits("[", "["))
end

T.test_glob = in_dir(function(dir)
  for _, name in ipairs { "b.png", "a.png", "c.jpg" } do
    assert(fs.write(fs.join(dir, name), "x"))
  end
  assert(fs.mkdir(fs.join(dir, "d.png")))
  lu.assertEquals(fs.glob(dir, "*.png"), { fs.join(dir, "a.png"), fs.join(dir, "b.png") })
  refused("not_found", { "none" }, fs.glob(fs.join(dir, "none"), "*"))
end)

T.test_watch_reports_when_the_size_has_settled = in_dir(function(dir)
  assert(fs.write(fs.join(dir, "old.png"), "x"))
  local w = assert(fs.watch(dir, { settle = 0.3 }))
  local path = fs.join(dir, "new.png")
  task.scope(function(s)
    s:spawn(function()
      local f <close> = assert(io.open(path, "w"))
      for _ = 1, 6 do -- written to for longer than it takes to settle
        f:write "bytes"
        f:flush()
        task.sleep(0.1)
      end
    end)
    local e = assert(w:next())
    lu.assertEquals({ e.name, e.kind, e.path }, { "new.png", "created", path })
    lu.assertEquals(fs.read(path), ("bytes"):rep(6), "reported before it was whole")
  end)
end)

T.test_watch_sees_a_save_by_rename_as_one_change = in_dir(function(dir)
  local path = fs.join(dir, "a.lua")
  assert(fs.write(path, "one"))
  local w = assert(fs.watch(dir, { settle = 0.05 }))
  assert(fs.write(fs.join(dir, ".a.lua.swp"), "x"))
  assert(fs.write(fs.join(dir, "a.lua~"), "one"))
  assert(fs.write(path, "two"))
  local e = assert(w:next())
  lu.assertEquals({ e.name, e.kind }, { "a.lua", "changed" })
  assert(fs.remove(path))
  e = assert(w:next())
  lu.assertEquals({ e.name, e.kind }, { "a.lua", "removed" })
end)

T.test_watch_misses_nothing_between_two_calls = in_dir(function(dir)
  for i = 1, 20 do assert(fs.write(fs.join(dir, ("%02d"):format(i)), "x")) end
  local w = assert(fs.watch(dir, { settle = 0, existing = true }))
  for i = 21, 40 do assert(fs.write(fs.join(dir, ("%02d"):format(i)), "x")) end
  local got = {}
  for i = 1, 40 do got[i] = assert(w:next()).name end
  lu.assertEquals({ got[1], got[40], #got }, { "01", "40", 40 })
end)

T.test_watch_wakes_up_by_itself = in_dir(function(dir)
  local w = assert(fs.watch(dir, { settle = 0 }))
  task.scope(function(s)
    s:spawn(function()
      task.sleep(0.2) -- so that the watch is asleep
      assert(fs.write(fs.join(dir, "a"), "x"))
    end)
    -- less than the interval at which it looks by itself
    lu.assertEquals(assert(task.timeout(5, function() return w:next() end)).name, "a")
  end)
end)

T.test_watch_can_be_cancelled_and_ends_with_its_folder = in_dir(function(dir)
  local sub = fs.join(dir, "sub")
  assert(fs.mkdir(sub))
  local w = assert(fs.watch(sub))
  refused("timeout", {}, task.timeout(0.05, function() return w:next() end))
  assert(fs.remove(sub))
  refused("not_found", { sub }, w:next())
  refused("not_found", { sub }, fs.watch(sub))
end)

function T.test_bugs_of_the_caller_raise()
  lu.assertErrorMsgContains("zero byte", fs.read, "a\0b")
  lu.assertErrorMsgContains("empty", fs.read, "")
  lu.assertErrorMsgContains("settle", fs.watch, ".", { settle = -1 })
end

return T
