local lu = require "luaunit"
local core = require "rt.c.core"
local err = require "rt.err"
local fs = require "rt.fs"
local proc = require "rt.proc"
local task = require "rt.task"

local T = {}

local in_dir = require("lua.folder").in_dir

local function sh(script, more)
  local opts = { "sh", "-c", script }
  for k, v in pairs(more or {}) do opts[k] = v end
  return proc.run(opts)
end

local function refused(code, words, ok, e)
  lu.assertNil(ok)
  lu.assertTrue(err.is(e), tostring(e))
  lu.assertEquals(e.code, code, tostring(e))
  for _, word in ipairs(words) do lu.assertStrContains(tostring(e), word) end
end

--- Is there a process of this number (that is no zombie)?
local function alive(pid)
  local stat = fs.read(("/proc/%d/stat"):format(pid))
  return stat ~= nil and not stat:match "%) [ZX] "
end

local function wait_until(what, fn)
  for _ = 1, 500 do
    if fn() then return end
    task.sleep(0.01)
  end
  lu.fail("never happened: " .. what)
end

function T.test_run_collects_both_outputs_and_the_code()
  local r = assert(sh "printf out; printf err >&2; exit 7")
  lu.assertEquals(r, { code = 7, stdout = "out", stderr = "err" })
end

function T.test_arguments_are_not_seen_by_a_shell()
  local r = assert(proc.run { "printf", "%s|", "a b", "$HOME", "*", 12 })
  lu.assertEquals(r.stdout, "a b|$HOME|*|12|")
end

function T.test_a_signal_is_no_success()
  local r = assert(sh "kill -9 $$")
  lu.assertEquals({ r.code, r.signal }, { 137, "SIGKILL" })
end

function T.test_stdin_is_fed_and_ended()
  local text = ("0123456789"):rep(100000)
  lu.assertTrue(assert(proc.run { "cat", stdin = text }).stdout == text)
  lu.assertEquals(assert(sh "cat").stdout, "", "nothing to read without stdin")
  lu.assertEquals(assert(sh("exit 3", { stdin = text })).code, 3, "it need not read")
end

function T.test_cwd_and_env()
  local r = assert(sh("pwd; echo $A-$B", { cwd = "/", env = { A = "x y", B = 2 } }))
  lu.assertEquals(r.stdout, "/\nx y-2\n")
  r = assert(sh("echo ${HOME-none}", { env = { HOME = false } }))
  lu.assertEquals(r.stdout, "none\n")
end

T.test_secrets_are_not_passed_on = in_dir(function(dir)
  local script = fs.join(dir, "env.lua")
  assert(fs.write(script, [[
    local proc = require "rt.proc"
    proc.hide_env "STUDIO_DOOR"
    print((assert(proc.run { "env", env = { MY_TOKEN = "given" } })).stdout)]]))
  local secrets = { RUNWAYML_API_SECRET = "s1", OPENAI_API_KEY = "s2",
    AWS_ACCESS_KEY_ID = "s3", PGPASSWORD = "s4", gh_token = "s5",
    STUDIO_DOOR = "s6", PLAIN = "visible" }
  local exe = assert(sh "readlink /proc/$PPID/exe").stdout:match "[^\n]*"
  local list = { exe, "run", script, env = secrets }
  local out = assert(proc.run(list)).stdout
  lu.assertStrContains(out, "PLAIN=visible")
  lu.assertStrContains(out, "MY_TOKEN=given", "what the caller sets himself is passed on")
  lu.assertNil(out:find "=s%d", out)
end)

T.test_a_program_that_cannot_be_run_is_a_sentence = in_dir(function(dir)
  local script = fs.join(dir, "s")
  assert(fs.write(script, "#!/no/such/interpreter\n"))
  refused("not_found", { "no-such-program is not installed or not on PATH" },
    proc.run { "no-such-program", "x" })
  refused("not_found", { "there is no such file" }, proc.run { "./no-such-program" })
  refused("denied", { "chmod" }, proc.run { script })
  os.execute("chmod +x " .. script)
  refused("not_found", { "first line" }, proc.run { script })
  refused("not_found", { "no such folder", "/no" }, proc.run { "true", cwd = "/no" })
  refused("too_large", { "arguments" }, proc.run { "true", ("x"):rep(3000000) })
  refused("not_found", { "no-such-program" }, proc.spawn { "no-such-program" })
end)

function T.test_too_much_output_ends_the_program()
  refused("too_large", { "1000 bytes", "max_output", "yes" },
    proc.run { "yes", max_output = 1000 })
  local r = assert(sh("i=0; while [ $i -lt 3000 ]; do echo $i >&2; i=$((i+1)); done",
    { max_output = 1000 }))
  lu.assertEquals({ r.code, #r.stderr }, { 0, 1000 })
  lu.assertStrContains(r.stderr, "2999\n", "of stderr the end is kept")
end

function T.test_spawn_reads_lines_as_they_come()
  local p = assert(proc.spawn { "sh", "-c",
    "printf 'one\\r\\ntwo\\n\\nth'; read x; echo ree$x; printf end", stdin = true })
  local got = {}
  for line in p:lines() do
    got[#got + 1] = line
    if line == "" then assert(p:write "!\n") end -- it waits for us: lines come early
  end
  lu.assertEquals(got, { "one", "two", "", "three!", "end" })
  lu.assertEquals(p:wait().code, 0)
  lu.assertEquals(p:wait().code, 0, "the result stays")
  lu.assertNil(p:read())
end

function T.test_a_conversation()
  local p = assert(proc.spawn { "cat", stdin = true })
  assert(p:write "hello")
  lu.assertEquals(p:read(), "hello")
  p:end_input()
  lu.assertNil(p:read())
  lu.assertEquals(p:wait().code, 0)
  refused("closed", { "standard input" }, p:write "more")
end

function T.test_writing_to_one_that_has_ended()
  local p = assert(proc.spawn { "true", stdin = true })
  p:wait()
  refused("closed", { "does not read" }, p:write "x")
end

function T.test_kill()
  local p = assert(proc.spawn { "sleep", "60" })
  lu.assertTrue(p:kill())
  lu.assertEquals(p:wait().signal, "SIGTERM")
  lu.assertFalse(p:kill(), "it has ended")
end

function T.test_a_cancelled_scope_ends_the_child_and_what_it_started()
  local p, inner
  task.scope(function(s)
    p = assert(proc.spawn { "sh", "-c", "sleep 61 & echo $!; wait" })
    inner = tonumber(p:read())
    s:cancel()
    p:wait()
  end)
  lu.assertFalse(alive(p.pid))
  wait_until("the grandchild has ended", function() return not alive(inner) end)
  lu.assertEquals(p:wait().signal, "SIGTERM")
end

function T.test_a_stubborn_child_is_killed_after_the_grace()
  local before = core.now()
  local p
  task.scope(function(s)
    p = assert(proc.spawn { "sh", "-c",
      "trap '' TERM; echo ready; while :; do sleep 60; done" })
    lu.assertEquals(p:read(), "ready\n")
    s:cancel()
  end)
  lu.assertEquals(p:wait().signal, "SIGKILL")
  local took = core.now() - before
  lu.assertTrue(took > 2.9 and took < 30, ("%g s"):format(took))
end

function T.test_run_is_cancelled()
  local before = core.now()
  refused("timeout", {}, task.timeout(0.2, proc.run, { "sleep", "60" }))
  lu.assertTrue(core.now() - before < 3)
end

function T.test_a_scope_that_is_cancelled_already_starts_nothing_that_stays()
  local p
  task.timeout(30, function()
    task.scope(function(s)
      s:spawn(function()
        s:cancel()
        p = assert(proc.spawn { "sleep", "60" })
      end)
      task.sleep(60)
    end)
  end)
  lu.assertFalse(alive(p.pid))
end

function T.test_no_descriptor_of_ours_reaches_the_child()
  -- one without close-on-exec, as some libraries open them
  local f <close> = assert(io.popen "sleep 60 & echo $!")
  local sleeper = f:read "n"
  local r = assert(proc.run { "ls", "-l", "/proc/self/fd" })
  sh("kill " .. sleeper)
  local fds = {}
  for fd in r.stdout:gmatch " (%d+) %->" do fds[#fds + 1] = fd end
  table.sort(fds)
  lu.assertEquals(fds, { "0", "1", "2", "3" }, r.stdout) -- 3 is the folder that ls reads
end

function T.test_descriptors_are_given_back()
  local function open() return #assert(fs.list "/proc/self/fd") end
  assert(sh "true")
  local before = open()
  for _ = 1, 30 do assert(sh("cat >&2", { stdin = "x" })) end
  lu.assertEquals(open(), before)
end

T.test_the_child_dies_with_us = in_dir(function(dir)
  local script = fs.join(dir, "host.lua")
  assert(fs.write(script, [[
    local proc = require "rt.proc"
    local p = assert(proc.spawn { "sleep", "60" })
    io.stdout:write(p.pid, "\n")
    io.stdout:flush()
    p:wait()]]))
  local exe = assert(sh "readlink /proc/$PPID/exe").stdout:match "[^\n]*"
  local host = assert(proc.spawn { exe, "run", script })
  local pid = tonumber(host:read())
  lu.assertTrue(alive(pid))
  host:kill "SIGKILL"
  lu.assertEquals(host:wait().signal, "SIGKILL")
  wait_until("the child has died", function() return not alive(pid) end)
end)

T.test_a_program_that_ends_early_ends_its_children = in_dir(function(dir)
  local script = fs.join(dir, "host.lua")
  assert(fs.write(script, [[
    local proc = require "rt.proc"
    local task = require "rt.task"
    task.scope(function(s)
      local p = assert(proc.spawn { "sleep", "60" })
      print(p.pid)
      error "this script is wrong"
    end)]]))
  local exe = assert(sh "readlink /proc/$PPID/exe").stdout:match "[^\n]*"
  local r = assert(proc.run { exe, "run", script })
  lu.assertStrContains(r.stderr, "this script is wrong")
  lu.assertNil(r.stderr:find "left open", r.stderr)
  lu.assertFalse(alive(tonumber(r.stdout)))
end)

T.test_output_that_nobody_reads_does_not_outlive_the_program = in_dir(function(dir)
  local script = fs.join(dir, "host.lua")
  assert(fs.write(script, [[
    local p = assert(require "rt.proc".spawn { "echo", "x" })
    package.loaded.kept = p
    p:wait()]]))
  local exe = assert(sh "readlink /proc/$PPID/exe").stdout:match "[^\n]*"
  local r = assert(proc.run { exe, "run", script })
  lu.assertEquals({ r.code, r.stderr }, { 0, "" })
end)

function T.test_many_at_once()
  local sum = 0
  task.scope(function(s)
    for i = 1, 100 do
      s:spawn(function()
        local r = assert(proc.run { "echo", i })
        sum = sum + tonumber(r.stdout)
      end)
    end
  end)
  lu.assertEquals(sum, 5050)
end

function T.test_bugs_of_the_caller_raise()
  lu.assertErrorMsgContains("no program", proc.run, {})
  lu.assertErrorMsgContains("no option \"cdw\"", proc.run, { "true", cdw = "/" })
  lu.assertErrorMsgContains("argument 2", proc.run, { "echo", {} })
  lu.assertErrorMsgContains("argument 3 of the program is missing", proc.run,
    { "echo", "a", nil, "b" })
  lu.assertErrorMsgContains("stdin = true", function()
    local p = assert(proc.spawn { "true" })
    p:write "x"
  end)
end

return T
