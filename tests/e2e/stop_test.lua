--- Ctrl-C, SIGTERM and a closed terminal while takes are under way.
local core = require "rt.c.core"
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local json = require "rt.json"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local FOLLOW = lib.SCRIPTS .. "/follow.lua"

--- Start the script, send the signals once it is ready, collect the rest.
local function run(seconds, signals)
  local result, out
  task.scope(function()
    local p = assert(proc.spawn { lib.RUSHES, "run", FOLLOW, tostring(seconds) })
    lu.assertEquals(p:lines()(), "ready")
    for i, signal in ipairs(signals) do
      if i > 1 then task.sleep(0.3) end
      p:kill(signal)
    end
    out = p:read() or ""
    result = p:wait()
  end)
  return result, out
end

function T.test_the_first_ctrl_c_follows_what_is_paid_for()
  local r, out = run(0.3, { "SIGINT" })
  lib.assert_code(r, 130)
  lu.assertStrContains(r.stderr, "nothing more is submitted; following 1 take already paid")
  lu.assertStrContains(r.stderr, "✓ street t001 landed")
  lu.assertStrContains(r.stderr, "lobby t001 stopped: not submitted: stopped by Ctrl-C")
  lu.assertEquals(out, "the script went on to its end\n")
  lu.assertStrContains(r.stderr, "1 of 2 takes landed · 1 stopped")
end

function T.test_the_second_leaves_at_once_and_names_what_goes_on()
  local started = core.now()
  local r = run(60, { "SIGINT", "SIGINT" })
  lib.assert_code(r, 130)
  lu.assertTrue(core.now() - started < 20)
  lu.assertStrContains(r.stderr, "leaving: 1 take under way")
  lu.assertStrContains(r.stderr, "street t001 gen4_turbo: task street-id")
  lu.assertStrContains(r.stderr, "to go on; nothing is bought twice: rushes run " .. FOLLOW
    .. " -- 60\n")
end

function T.test_sigterm_is_as_two()
  local r = run(60, { "SIGTERM" })
  lib.assert_code(r, 143)
  lu.assertStrContains(r.stderr, "leaving: 1 take under way")
end

function T.test_a_closed_terminal_is_as_the_first_ctrl_c()
  local r = run(0.2, { "SIGHUP" })
  lib.assert_code(r, 129)
  lu.assertStrContains(r.stderr, "✓ street t001 landed")
  lu.assertStrContains(r.stderr, "lobby t001 stopped: not submitted: stopped by a closed terminal")
end

function T.test_with_nothing_paid_for_the_first_leaves()
  local r
  lib.in_folder(function(dir)
    task.scope(function()
      local script = dir .. "/sleep.lua"
      assert(require("rt.fs").write(script, [[
        print "ready" io.stdout:flush()
        require("rt.task").sleep(1000)]]))
      local p = assert(proc.spawn { lib.RUSHES, "run", script })
      p:lines()()
      p:kill "SIGINT"
      r = p:wait()
    end)
  end)
  lib.assert_code(r, 130)
  lu.assertEquals(r.stderr, "")
end

local MANY = studio.script [[
for i = 1, 400 do show:shot { name = "s" .. i, prompt = tostring(i) } end
]]

--- Leaving calls off hundreds of takes in one turn: that is no script that hangs.
function T.test_many_takes_are_called_off_in_an_orderly_way()
  for _, signals in ipairs { { "SIGINT", "SIGINT" }, { "SIGTERM" } } do
    studio.with({ speed = 1 }, function(s)
      assert(require("rt.fs").write(s.dir .. "/script.lua", MANY))
      local last, r
      local wanted = "submitted" -- before the second one: at once it would be the same one
      task.scope(function()
        local p = assert(proc.spawn { lib.RUSHES, "run", "--json", "script.lua",
          cwd = s.dir, env = studio.env(s.sim.url) })
        for line in p:lines() do
          last = assert(json.decode(line))
          if last.event == wanted and signals[1] then
            p:kill(table.remove(signals, 1))
            wanted = "failed" -- the others were stopped
          end
        end
        r = p:wait()
      end)
      lu.assertEquals(last.exit, r.code)
      lu.assertNil(last.err, r.stderr)
      lu.assertEquals({ last.stopped, last.failed }, { 400, 0 })
      local rows = s:journal "SELECT state FROM attempts WHERE held > 0 AND task IS NULL"
      lu.assertEquals(rows, {})
    end)
  end
end

return T
