--- The command line as its users type it: statuses, hints, errors, arguments.
local core = require "rt.c.core"
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"
local proc = require "rt.proc"

local lib = require "e2e.lib"

local T = {}

-- ---- usage ----

function T.test_without_a_command_it_helps_and_fails()
  local r = lib.rushes {}
  lib.assert_code(r, 2)
  lu.assertStrContains(r.stderr, "rushes run --sim")
  lu.assertEquals(r.stdout, "")
end

function T.test_help_goes_to_stdout_with_examples_first()
  for _, args in ipairs { { "help" }, { "--help" }, { "help", "run" }, { "run", "--help" },
    { "sim", "-h" }, { "repl", "--help" }, { "models", "--help" }, { "doctor", "--help" },
    { "version", "--help" }, { "-e", "--help" }, { "help", "-e" } } do
    local r = lib.rushes(args)
    lib.assert_code(r, 0)
    local example = r.stdout:find("\n  [r>].-#")
    lu.assertNotNil(example, r.stdout)
    lu.assertTrue(example < (r.stdout:find "Options:" or math.huge))
    lu.assertEquals(r.stderr, "")
  end
end

function T.test_an_unknown_command_is_met_with_a_hint()
  local r = lib.rushes { "modles" }
  lib.assert_code(r, 2)
  lu.assertStrContains(r.stderr, 'did you mean "models"?')
  r = lib.rushes { "night.lua" }
  lib.assert_code(r, 2)
  lu.assertStrContains(r.stderr, "rushes run night.lua")
end

function T.test_an_unknown_flag_is_met_with_a_hint()
  local r = lib.rushes { "run", "--bugdet", "5", "x.lua" }
  lib.assert_code(r, 2)
  lu.assertStrContains(r.stderr, "did you mean '--budget'?")
end

function T.test_a_flag_with_a_bad_value_says_what_is_allowed()
  local r = lib.rushes { "run", "--budget", "lots", "x.lua" }
  lib.assert_code(r, 2)
  lu.assertStrContains(r.stderr, "--budget wants a number of at least 0, not 'lots'")
end

function T.test_a_missing_script_is_3_and_the_nearest_is_named()
  lib.in_folder(function(dir)
    assert(fs.write(dir .. "/night.lua", ""))
    local r = lib.rushes { "run", "nihgt.lua", cwd = dir }
    lib.assert_code(r, 3)
    lu.assertEquals(r.stderr,
      'rushes: there is no script nihgt.lua (did you mean "night.lua"?)\n')
  end)
end

-- ---- arguments, streams, statuses ----

function T.test_arguments_reach_the_script()
  local r = lib.run_source("print(arg[0], #arg, ...)", { "a", "b c" })
  lib.assert_code(r, 0)
  lu.assertEquals(r.stdout, "script.lua\t2\ta\tb c\n")
  r = lib.run_source("print(#arg, ...)", { "--no-progress", "a", "--", "--sim", "-x" })
  lib.assert_code(r, 0)
  lu.assertEquals(r.stdout, "3\ta\t--sim\t-x\n")
end

function T.test_a_script_from_standard_input()
  local r = lib.rushes { "run", "-", "7", stdin = "#!/usr/bin/env rushes\nprint(2, ...)" }
  lib.assert_code(r, 0)
  lu.assertEquals(r.stdout, "2\t7\n")
end

function T.test_standard_streams_may_be_closed()
  for _, closed in ipairs { "<&-", ">&-", "2>&-", "<&- >&- 2>&-" } do
    local r = assert(proc.run { "sh", "-c", ("exec %s run - %s"):format(lib.RUSHES, closed) })
    lib.assert_code(r, 0)
  end
end

function T.test_code_from_the_command_line()
  local r = lib.rushes { "-e", "print(rushes.fs.stem 'a/b.png', ...)", "x" }
  lib.assert_code(r, 0)
  lu.assertEquals(r.stdout, "b\tx\n")
end

function T.test_a_script_that_is_executable()
  lib.in_folder(function(dir)
    local script = dir .. "/hello.lua"
    assert(fs.write(script, "#!/usr/bin/env -S rushes run\nprint('hello', ...)\n"))
    assert(proc.run { "chmod", "+x", script })
    local r = assert(proc.run { script, "you", env = {
      PATH = lib.RUSHES:match "^(.*)/" .. ":" .. os.getenv "PATH" } })
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "hello\tyou\n")
  end)
end

function T.test_os_exit_ends_with_its_status()
  for code, want in pairs { ["0"] = 0, ["3"] = 3, ["true"] = 0, ["false"] = 1,
    [""] = 0 } do
    lib.assert_code(lib.run_source(("os.exit(%s) print 'not here'"):format(code)), want)
  end
end

function T.test_os_exit_in_a_child_task_cleans_up_everywhere()
  local r = lib.run_source [[
    local task = require "rt.task"
    task.scope(function(s)
      s:spawn(function()
        local _ <close> = setmetatable({}, { __close = function() print "closed" end })
        task.sleep(1000)
      end)
      s:spawn(function() task.sleep(0.01) os.exit(42) end)
      task.sleep(1000)
    end)]]
  lib.assert_code(r, 42)
  lu.assertEquals(r.stdout, "closed\n")
  lu.assertEquals(r.stderr, "")
end

function T.test_os_exit_passes_a_pcall_at_the_next_wait()
  local r = lib.run_source [[
    pcall(os.exit, 5)
    require("rt.task").sleep(1000)]]
  lib.assert_code(r, 5)
end

-- ---- errors ----

function T.test_a_script_error_is_7_with_line_mark_and_traceback()
  local r = lib.run_source [[
local function scene(t)
  return t.camera.lens
end
print "before"
scene {}]]
  lib.assert_code(r, 7)
  lu.assertEquals(r.stdout, "before\n")
  lu.assertStrContains(r.stderr,
    "rushes: script.lua:2: attempt to index a nil value (field 'camera')")
  lu.assertStrContains(r.stderr, "    2 |   return t.camera.lens\n      |            ^^^^^^")
  lu.assertStrContains(r.stderr, "in function 'scene' (script.lua:2)")
  lu.assertStrContains(r.stderr, "called from main chunk (script.lua:5)")
  lu.assertNotStrContains(r.stderr, "rt/task.lua")
  lu.assertNotStrContains(r.stderr, "rushes/cli")
end

function T.test_a_long_path_is_told_whole_with_the_line()
  lib.in_folder(function(dir)
    local deep = dir .. "/" .. ("a-long-name-"):rep(8)
    assert(fs.mkdir(deep))
    assert(fs.write(deep .. "/beside.lua", "return function(x)\n  return x.camera\nend"))
    assert(fs.write(deep .. "/night.lua", 'require "beside" ()'))
    local r = lib.rushes { "run", deep .. "/night.lua" }
    lib.assert_code(r, 7)
    lu.assertStrContains(r.stderr, "rushes: " .. deep .. "/beside.lua:2: attempt to index")
    lu.assertStrContains(r.stderr, "    2 |   return x.camera\n")
    lu.assertStrContains(r.stderr, "called from main chunk (" .. deep .. "/night.lua:1)")
  end)
end

function T.test_verbose_shows_the_whole_traceback()
  local r = lib.run_source("error 'x'", { "--verbose" })
  lib.assert_code(r, 7)
  lu.assertStrContains(r.stderr, "stack traceback:")
end

function T.test_an_error_in_a_task_names_where_it_was_started()
  local r = lib.run_source [[
local task = require "rt.task"
local function lobby()
  task.sleep(0.01)
  error "the door is locked"
end
task.scope(function(s)
  s:spawn(lobby)
end)]]
  lib.assert_code(r, 7)
  lu.assertStrContains(r.stderr, "script.lua:4: the door is locked")
  lu.assertStrContains(r.stderr, "in a task started at script.lua:7")
end

function T.test_a_syntax_error_is_7_and_shows_its_line()
  local r = lib.run_source "print 'never'\nlocal x = = 1\n"
  lib.assert_code(r, 7)
  lu.assertEquals(r.stdout, "")
  lu.assertStrContains(r.stderr, "script.lua:2: unexpected symbol near '='")
  lu.assertStrContains(r.stderr, "    2 | local x = = 1\n      |         ^")
end

function T.test_a_misspelt_global_gets_a_hint()
  local r = lib.run_source "prnit 'x'"
  lib.assert_code(r, 7)
  lu.assertStrContains(r.stderr, 'there is no global "prnit" (did you mean "print"?)')
end

function T.test_an_error_object_is_shown_as_its_sentence()
  local r = lib.run_source [[
local fs = require "rt.fs"
assert(fs.read "nowhere.txt")]]
  lib.assert_code(r, 3)
  lu.assertStrContains(r.stderr, "rushes: script.lua:2: ")
  lu.assertStrContains(r.stderr, "nowhere.txt")
  lu.assertNotStrContains(r.stderr, "table: 0x")
end

function T.test_a_module_beside_the_script_shows_its_own_lines()
  lib.in_folder(function(dir)
    assert(fs.write(dir .. "/lights.lua", "local M = {}\nfunction M.on() error 'dark' end\nreturn M"))
    assert(fs.write(dir .. "/main.lua", 'require("lights").on()'))
    local r = lib.rushes { "run", dir .. "/main.lua" }
    lib.assert_code(r, 7)
    lu.assertStrContains(r.stderr, "lights.lua:2: dark")
    lu.assertStrContains(r.stderr, "    2 | function M.on() error 'dark' end")
  end)
end

function T.test_tasks_that_wait_for_each_other_are_found_out()
  local r = lib.run_source [[
local task = require "rt.task"
local a, b
task.scope(function(s)
  a = s:spawn(function() task.yield() b:await() end)
  b = s:spawn(function() task.yield() a:await() end)
end)]]
  lib.assert_code(r, 7)
  lu.assertStrContains(r.stderr, "every task waits for another one")
end

-- ---- other commands ----

function T.test_version_as_text_and_json()
  local r = lib.rushes { "version" }
  lib.assert_code(r, 0)
  lu.assertStrMatches(r.stdout, "^rushes %d+%.%d+%.%d+\n.*libuv.*")
  r = lib.rushes { "version", "--json" }
  local v = assert(json.decode(r.stdout))
  lu.assertEquals(v.schema, 1)
  lu.assertStrMatches(v.libuv, "%d+%.%d+%.%d+")
end

function T.test_models()
  local r = lib.rushes { "models" }
  lib.assert_code(r, 0)
  lu.assertStrContains(r.stdout, "gen4_turbo")
  r = lib.rushes { "models", "gen4.5" }
  lib.assert_code(r, 0)
  lu.assertStrContains(r.stdout, "1280:720")
  r = lib.rushes { "models", "gen4_tubro" }
  lib.assert_code(r, 3)
  lu.assertStrContains(r.stderr, 'did you mean "gen4_turbo"?')
  r = lib.rushes { "models", "--json" }
  lu.assertTrue(#assert(json.decode(r.stdout)).models > 10)
end

function T.test_doctor_says_what_is_missing_and_to_do()
  local r = lib.rushes { "doctor", "--offline", env = { PATH = "/nowhere" } }
  lib.assert_code(r, 0)
  lu.assertStrContains(r.stdout, "warn  ffmpeg     is not installed")
  lu.assertStrContains(r.stdout, "> apt-get install ffmpeg")
  r = lib.rushes { "doctor", "--offline", "--json", env = { CURL_CA_BUNDLE = "/nowhere" } }
  lib.assert_code(r, 1)
  local found = {}
  for _, check in ipairs(assert(json.decode(r.stdout)).checks) do
    found[check.name] = check.status
  end
  lu.assertEquals(found.tls, "fail")
end

function T.test_lua_path_puts_a_folder_in_front()
  lib.in_folder(function(dir)
    assert(fs.mkdir(dir .. "/rushes/studio"))
    assert(fs.write(dir .. "/rushes/studio/template.lua", "return { new = function() return 'mine' end }"))
    local code = "print(rushes.template 'x')"
    local r = lib.rushes { "-e", "--lua-path", dir, code }
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "mine\n")
    r = lib.rushes { "-e", code, env = { RUSHES_LUA_PATH = dir } }
    lu.assertEquals(r.stdout, "mine\n")
  end)
end

-- ---- start-up ----

local function quickest(...)
  local started = core.now()
  assert(proc.run { ... })
  return core.now() - started
end

function T.test_an_empty_script_takes_less_than_three_times_as_long_as_lua()
  if lib.RUSHES:find "asan" or lib.RUSHES:find "gcstress" then lu.skip "not a release build" end
  lib.in_folder(function(dir)
    local script = dir .. "/empty.lua"
    assert(fs.write(script, ""))
    local lua, ours = math.huge, math.huge
    for _ = 1, 60 do
      lua = math.min(lua, quickest("lua5.4", "-e", ""))
      ours = math.min(ours, quickest(lib.RUSHES, "run", script))
    end
    lu.assertTrue(ours < 3 * lua, ("%.2f ms, lua5.4 %.2f ms"):format(ours * 1e3, lua * 1e3))
  end)
end

return T
