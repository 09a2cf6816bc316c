--- What only a whole program shows: a deadlock, an error out of a task.
local lu = require "luaunit"
local fs = require "rt.fs"
local proc = require "rt.proc"

local RUSHES = os.getenv "RUSHES"

local T = {}

---@return rt.proc.Result
local function run(source)
  local dir = assert(fs.tempdir())
  local script = fs.join(dir, "script.lua")
  assert(fs.write(script, 'local task = require "rt.task"\n' .. source))
  local result = assert(proc.run { RUSHES, "run", script })
  fs.remove(dir, { recursive = true })
  return result
end

function T.test_a_deadlock_is_reported_with_the_places()
  local r = run [[
    task.scope(function(s)
      local a, b = task.channel(), task.channel()
      s:spawn(function()
        a:send(1)
      end)
      b:recv()
    end)]]
  lu.assertEquals(r.code, 7)
  lu.assertStrContains(r.stderr, "every task waits for another one")
  lu.assertStrContains(r.stderr, "script.lua:5, ")
  lu.assertStrContains(r.stderr, "script.lua:7)")
end

function T.test_a_deadlock_runs_what_is_to_be_closed_and_cannot_be_caught()
  local r = run [[
    local guard <close> = setmetatable({}, { __close = function() print "closed" end })
    pcall(function() task.channel():recv() end)
    print "goes on"
    task.channel():recv()
    print "not reached"]]
  lu.assertEquals(r.code, 7)
  lu.assertEquals(r.stdout, "goes on\nclosed\n")
end

function T.test_what_a_shield_waits_for_is_no_deadlock_before_its_end()
  local r = run [[
    local _, e = task.shield(0.02, function() task.channel():recv() end)
    print(e.code)]]
  lu.assertEquals(r.code, 0)
  lu.assertEquals(r.stdout, "timeout\n")
end

function T.test_an_error_shows_the_way_through_the_tasks()
  local r = run [[
    task.scope(function(s)
      s:spawn(function()
        task.scope(function(inner)
          inner:spawn(function() error "deep" end)
        end)
      end)
    end)]]
  lu.assertEquals(r.code, 7)
  lu.assertStrContains(r.stderr, "script.lua:5: deep")
  lu.assertStrMatches(r.stderr, ".*started at [^\n]*script.lua:5.*started at [^\n]*script.lua:3.*")
end

function T.test_operations_in_flight_end_with_the_program()
  local r = run [[
    local timer = require "rt.c.timer"
    for _ = 1, 100 do timer.sleep(1e6) end
    local started = task.try(task.scope, function(s)
      s:spawn(task.sleep, 1e6)
      error "leave"
    end)
    print(started)]]
  lu.assertEquals(r.code, 0)
  lu.assertEquals(r.stderr, "")
end

return T
