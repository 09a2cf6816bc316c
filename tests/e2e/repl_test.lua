--- The prompt, fed through a pipe and typed at on a terminal.
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

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

-- ---- a shoot at a terminal ----

--- Somebody at a prompt that has a terminal of its own.
local Person = {}
Person.__index = Person

local PATIENCE = 30 -- seconds

--- Wait until the terminal has shown these words, after those that were waited for before.
function Person:sees(words)
  local found = task.timeout(PATIENCE, function()
    while true do
      local _, last = self.shown:find(words, self.read, true)
      if last then
        self.read = last + 1
        return true
      end
      self.shown = self.shown .. (self.process:read() or error("it has ended", 0))
    end
  end)
  if not found then lu.fail(("%q is not shown: %s"):format(words, self.shown)) end
end

--- Type a line or a control character, and wait for an answer.
function Person:types(keys, words)
  assert(self.process:write(keys))
  self:sees(words)
end

local SHOOT = "takes = show:shoot()\n"

--- Call `fn(person, s)` at a prompt with a show of three shots.
local function at_prompt(fn)
  studio.with({ speed = 20 }, function(s)
    local env = studio.env(s.sim.url)
    env.TERM, env.LANG, env.NO_COLOR = "xterm", "C.UTF-8", "1"
    -- exec: Ctrl-C is for a shell in between as well, and dash ends with it
    local process = assert(proc.spawn { "script", "-qefc",
      "exec " .. lib.RUSHES .. " repl", "/dev/null",
      stdin = true, env = env, cwd = s.dir })
    local person = setmetatable({ process = process, shown = "", read = 1 }, Person)
    person:sees "> "
    person:types('show = rushes.show { name = "night", policy = rushes.policy.fixed {'
      .. ' model = "gen4.5" } }\n', "> ")
    person:types('for i = 1, 3 do show:shot { name = "s" .. i, prompt = "A street" } end\n',
      "> ")
    fn(person, s)
    process:write "\4"
    local r = process:wait()
    lu.assertEquals(r.code, 0, person.shown)
  end)
end

local function all_submitted(person)
  for _ = 1, 3 do person:sees "submitted" end
end

function T.test_the_first_ctrl_c_follows_what_is_paid_for()
  at_prompt(function(person, s)
    person:types(SHOOT, "planned")
    all_submitted(person)
    person:types("\3", "following 3 takes already paid for (180 credits held)")
    for _ = 1, 3 do person:sees "landed" end
    person:sees "> "
    person:types('print(takes:count "landed", show.ledger.reserved)\n', "3\t0\r\n")
    lu.assertEquals(s:bill().created, 3)
  end)
end

function T.test_the_second_gives_the_prompt_back_and_asking_again_buys_nothing_twice()
  at_prompt(function(person, s)
    person:types(SHOOT, "planned")
    all_submitted(person)
    person:types("\3", "Once more to leave now")
    person:types("\3", "goes on at the provider")
    person:sees "cancelled\r\n> "
    person:types(SHOOT, "s1 t001 planned: gen4.5, 0 credits")
    for _ = 1, 3 do person:sees "landed" end
    person:types('print(takes:count "landed", show.ledger.reserved, show.ledger.spent)\n',
      "3\t0\t180000\r\n")
    lu.assertEquals(s:bill().created, 3)
    lu.assertEquals(studio.files(s.dir .. "/night"), { "s1_t001.mp4", "s2_t001.mp4",
      "s3_t001.mp4" })
  end)
end

function T.test_ctrl_c_clears_a_line_and_leaves_the_background_alone()
  at_prompt(function(person, s)
    person:types("spawn(function() show:shoot() print 'background' end)\n", "submitted")
    person:types("for i = 1, 2 do\n", ">> ")
    person:types("nonsense (\3", "^C")
    person:sees "> "
    person:types("1 + 41\n", "42\r\n")
    person:sees "background\r\n"
    lu.assertEquals(s:bill().succeeded, 3)
  end)
end

return T
