local lu = require "luaunit"
local fs = require "rt.fs"
local proc = require "rt.proc"
local signal = require "rt.signal"
local task = require "rt.task"

local T = {}

--- Run a script in a program of its own.
local function host(dir, text)
  local script = fs.join(dir, "script.lua")
  assert(fs.write(script, text))
  local exe = assert(proc.run { "sh", "-c", "readlink /proc/$PPID/exe" }).stdout
  return assert(proc.spawn { exe:match "[^\n]*", "run", script })
end

local in_dir = require("lua.folder").in_dir

--- To ourselves: $PPID of the shell is this program.
local function send(name) os.execute("kill -" .. name .. " $PPID") end

function T.test_every_task_that_waits_is_woken()
  local got = {}
  assert(task.timeout(20, function()
    task.scope(function(s)
      s:spawn(function() table.insert(got, (signal.wait "SIGUSR1")) end)
      s:spawn(function() table.insert(got, (signal.wait "SIGUSR1")) end)
      local other = s:spawn(function() signal.wait "SIGUSR2" end)
      task.yield()
      send "USR1"
      while #got < 2 do task.sleep(0.001) end
      lu.assertFalse(other:ended())
      send "USR2"
    end)
    return true
  end))
  lu.assertEquals(got, { "SIGUSR1", "SIGUSR1" })
end

function T.test_one_that_comes_between_two_waits_is_not_lost()
  assert(task.timeout(20, function()
    task.scope(function(s)
      s:spawn(function() signal.wait "SIGWINCH" end)
      task.yield()
      send "WINCH"
    end)
    send "WINCH"
    send "WINCH"
    signal.wait "SIGWINCH" -- both at once
    return true
  end))
  lu.assertNil((task.timeout(0.05, signal.wait, "SIGWINCH")))
end

T.test_those_that_end_programs_can_be_waited_for = in_dir(function(dir)
  local p = host(dir, [[
    local signal, task = require "rt.signal", require "rt.task"
    task.scope(function(s)
      local waiter = s:spawn(function() print(signal.wait "SIGHUP") end)
      task.yield()
      io.stdout:write("ready\n")
      io.stdout:flush()
      task.timeout(20, waiter.await, waiter)
    end)]])
  lu.assertEquals(p:read(), "ready\n")
  p:kill "SIGHUP"
  lu.assertEquals(p:read(), "SIGHUP\n")
  p:wait()
end)

T.test_waiting_does_not_keep_a_program_alive = in_dir(function(dir)
  local p = host(dir, [[require "rt.signal".wait "SIGUSR2"]])
  local r = p:wait()
  lu.assertNotEquals(r.code, 0)
  lu.assertStrContains(r.stderr, "waits for another one")
end)

function T.test_only_signals_that_can_be_waited_for()
  lu.assertErrorMsgContains("SIGKILL", signal.wait, "SIGKILL")
  lu.assertErrorMsgContains("one of SIGINT", signal.wait, "USR1")
end

return T
