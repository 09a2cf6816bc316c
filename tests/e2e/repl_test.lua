--- The prompt, fed through a pipe and typed at on a terminal.
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local lib = require "e2e.lib"

local T = {}

local function piped(input)
  return lib.rushes { "repl", stdin = input }
end

function T.test_values_are_shown_and_globals_stay()
  local r = piped "1 + 1\n=2, nil\nx = 5\nx\n'a'\n{ 1, b = {} }\n{}\n"
  lib.assert_code(r, 0)
  lu.assertEquals(r.stdout, '2\n2\tnil\n5\n"a"\n{ 1, b = {} }\n{}\n')
  lu.assertEquals(r.stderr, "")
end

function T.test_a_statement_may_take_several_lines()
  local r = piped "for i = 1, 2 do\n  print(i)\nend\n(3\n+ 4)\n"
  lu.assertEquals(r.stdout, "1\n2\n7\n")
end

function T.test_waiting_works_and_tasks_go_on_in_the_background()
  local r = piped [[
spawn(function() task.sleep(0.05) print "background" end)
task.sleep(0.2)
"foreground"
]]
  lu.assertStrMatches(r.stdout, '.*\nbackground\n.*"foreground"\n')
end

function T.test_an_error_does_not_end_it()
  local r = piped "nil + 1\nlocal y = = 2\nfoo\nerror 'x'\nassert(rushes.fs.read '/nowhere/x')\n'alive'\n"
  lib.assert_code(r, 0)
  lu.assertEquals(r.stdout, '"alive"\n')
  lu.assertStrContains(r.stderr, "attempt to perform arithmetic on a nil value")
  lu.assertStrContains(r.stderr, "    1 | local y = = 2\n")
  lu.assertStrContains(r.stderr, 'there is no global "foo"')
  lu.assertStrContains(r.stderr, "/nowhere/x")
end

function T.test_a_failing_background_task_is_reported_and_ends_nothing()
  local r = piped "spawn(function() error 'behind' end)\ntask.sleep(0.02)\n'alive'\n"
  lu.assertStrContains(r.stderr, "behind")
  lu.assertStrContains(r.stdout, '"alive"')
end

function T.test_os_exit_ends_it()
  lib.assert_code(piped "os.exit(4)\n1\n", 4)
end

function T.test_ctrl_c_cancels_what_runs_and_the_prompt_goes_on()
  local r
  task.scope(function()
    local p = assert(proc.spawn { lib.RUSHES, "repl", stdin = true })
    local line = p:lines()
    p:write "print 'first'\n"
    lu.assertEquals(line(), "first")
    for i = 1, 4 do -- each is the first: the prompt counts anew
      p:write(("print 'busy %d' io.stdout:flush() task.sleep(1000)\n"):format(i))
      lu.assertEquals(line():match "busy %d", "busy " .. i)
      p:kill "SIGINT"
    end
    p:write "print 'still here'\n"
    lu.assertEquals(line(), "still here")
    p:end_input()
    r = p:wait()
  end)
  lib.assert_code(r, 0)
  lu.assertStrContains(r.stderr, "cancelled")
end

function T.test_on_a_terminal_it_prompts_and_ctrl_d_ends_it()
  local _, lines = lib.on_terminal { "repl" } -- `script` sends Ctrl-D at the end of its input
  lu.assertStrMatches(lines[1], "rushes, Lua 5.4. Ctrl%-D ends%.")
  lu.assertStrMatches(lines[2], ">.*")
end

return T
