--- Ctrl-C reaches scripts that never wait.
local lu = require "luaunit"
local fs = require "rt.fs"
local proc = require "rt.proc"
local task = require "rt.task"

local RUSHES = os.getenv "RUSHES"

local T = {}

--- Run `source` in the binary; once it has printed a line, send it SIGINT, and again
--- every 0.2 s if `again`, until it ends.
---@return integer? code
---@return string stderr
local function interrupted(source, again)
  local dir = assert(fs.tempdir())
  local script = fs.join(dir, "script.lua")
  assert(fs.write(script, 'io.stdout:setvbuf "no" print "ready"\n' .. source))
  local result
  task.scope(function(s)
    local p = assert(proc.spawn { RUSHES, "run", script })
    lu.assertEquals(p:lines()(), "ready")
    p:kill "SIGINT"
    if again then
      s:spawn(function()
        while not p.result do
          task.sleep(0.2)
          p:kill "SIGINT"
        end
      end)
    end
    result = p:wait()
  end)
  assert(fs.remove(dir, { recursive = true }))
  return result.code, result.stderr
end

function T.test_an_endless_loop()
  local code, text = interrupted "while true do end"
  lu.assertEquals(code, 130, text)
  lu.assertStrContains(text, "Ctrl-C")
end

function T.test_an_endless_loop_in_a_coroutine()
  lu.assertEquals(interrupted "coroutine.wrap(function() while true do end end)()", 130)
end

function T.test_an_endless_loop_over_a_coroutine_that_was_there_before()
  lu.assertEquals(interrupted [[
    local co = coroutine.wrap(function() while true do coroutine.yield() end end)
    co()
    while true do co() end
  ]], 130)
end

function T.test_a_loop_that_goes_on_after_the_coroutine_that_was_interrupted()
  lu.assertEquals(interrupted [[
    local t0 = os.clock()
    coroutine.wrap(function() while os.clock() - t0 < 0.3 do end end)()
    while true do end
  ]], 130)
end

function T.test_an_endless_loop_in_a_task()
  lu.assertEquals(interrupted [[
    local task = require "rt.task"
    task.scope(function(s) s:spawn(function() while true do end end) end)
  ]], 130)
end

function T.test_an_endless_loop_after_a_wait()
  lu.assertEquals(interrupted [[
    require("rt.task").sleep(0.01)
    while true do end
  ]], 130)
end

function T.test_a_script_that_catches_the_error_is_ended_by_the_third()
  lu.assertEquals(interrupted(
    "while true do pcall(function() while true do end end) end", true), 130)
end

function T.test_a_script_that_waits_for_ever()
  lu.assertEquals(interrupted 'require("rt.task").sleep(1e6)', 130)
end

return T
