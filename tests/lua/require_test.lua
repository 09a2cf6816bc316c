local lu = require "luaunit"
local fs = require "rt.fs"
local task = require "rt.task"

local T = {}

local dir, saved_path

--- Modules of this test are named t_*, in a folder of its own.
local function module(name, text) assert(fs.write(fs.join(dir, name .. ".lua"), text)) end

function T.setUp()
  dir, saved_path = assert(fs.tempdir()), package.path
  package.path = dir .. "/?.lua;" .. package.path
end

function T.tearDown()
  package.path = saved_path
  for name in pairs(package.loaded) do
    if name:match "^t_" then package.loaded[name] = nil end
  end
  _G.t_log = nil
  assert(fs.remove(dir, { recursive = true }))
end

function T.test_a_module_may_wait_at_its_top_level()
  module("t_waits", 'require("rt.task").sleep(0.002) return { name = ... }')
  lu.assertEquals(require("t_waits").name, "t_waits")
  lu.assertIs(require "t_waits", require "t_waits")
end

function T.test_tasks_that_require_it_at_once_load_it_once()
  _G.t_log = {}
  module("t_once", [[
    t_log[#t_log + 1] = "loading"
    require("rt.task").sleep(0.005)
    return {}
  ]])
  local got = task.all { function() return require "t_once" end,
    function() return require "t_once" end, function() return require "t_once" end }
  lu.assertIsTable(got[1])
  lu.assertIs(got[1], got[2])
  lu.assertIs(got[1], got[3])
  lu.assertEquals(_G.t_log, { "loading" })
end

function T.test_a_circle_is_an_error_that_names_the_module()
  module("t_a", 'return require "t_b"')
  module("t_b", 'local a = require "t_a" return a')
  local ok, e = pcall(require, "t_a")
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(e), "module 't_a' requires itself")
  lu.assertStrContains(tostring(e), "t_b.lua:1:")
end

function T.test_a_circle_over_two_tasks_is_an_error_not_a_deadlock()
  module("t_c", 'require("rt.task").sleep(0.002) return require "t_d"')
  module("t_d", 'require("rt.task").sleep(0.002) return require "t_c"')
  local errors = {}
  task.all {
    function() errors[#errors + 1] = select(2, task.try(require, "t_c")) end,
    function() errors[#errors + 1] = select(2, task.try(require, "t_d")) end,
  }
  lu.assertTrue(#errors >= 1)
  for _, e in ipairs(errors) do lu.assertStrContains(tostring(e), "requires itself") end
end

function T.test_a_circle_through_a_child_task_is_an_error_not_a_deadlock()
  module("t_e", [[
    local task = require "rt.task"
    task.scope(function(s) s:spawn(function() require "t_e" end) end)
  ]])
  local ok, e = task.try(require, "t_e")
  lu.assertNil(ok)
  lu.assertStrContains(tostring(e), "module 't_e' requires itself")
end

function T.test_a_module_that_fails_can_be_tried_again()
  module("t_fails", 'error "not today"')
  local ok, e = task.try(require, "t_fails")
  lu.assertNil(ok)
  lu.assertStrContains(tostring(e), "not today")
  lu.assertStrContains(e.traceback, "t_fails.lua:1")
  module("t_fails", "return 7")
  lu.assertEquals(require "t_fails", 7)
end

function T.test_who_waits_for_a_load_that_fails_loads_it_itself()
  _G.t_log = {}
  module("t_flaky", [[
    t_log[#t_log + 1] = "try"
    require("rt.task").sleep(0.002)
    if #t_log == 1 then error "first" end
    return "second"
  ]])
  local got = task.all {
    function() return (task.try(require, "t_flaky")) end,
    function() return (task.try(require, "t_flaky")) end,
  }
  lu.assertNil(got[1])
  lu.assertEquals(got[2], "second")
end

function T.test_a_cancelled_load_leaves_the_module_loadable()
  _G.t_log = {}
  module("t_slow", [[
    t_log[#t_log + 1] = "loading"
    require("rt.task").sleep(#t_log == 1 and 60 or 0)
    return "slow"
  ]])
  local _, e = task.timeout(0.001, require, "t_slow")
  lu.assertEquals(e.code, "timeout")
  lu.assertEquals(require "t_slow", "slow")
end

function T.test_a_cancelled_waiter_does_not_disturb_the_load()
  module("t_slow2", 'require("rt.task").sleep(0.02) return "slow"')
  local got = task.all {
    function() return require "t_slow2" end,
    function()
      local _, e = task.timeout(0.001, require, "t_slow2")
      return e.code, require "t_slow2"
    end,
  }
  lu.assertEquals(got, { "slow", "timeout", n = 2 })
end

function T.test_false_and_nothing_as_a_modules_value()
  module("t_false", "return false")
  module("t_none", "")
  lu.assertEquals(require "t_false", false)
  lu.assertEquals(require "t_false", false)
  lu.assertEquals(require "t_none", true)
end

function T.test_what_is_not_there_or_no_name()
  lu.assertErrorMsgContains("module 't_nowhere' not found", require, "t_nowhere")
  lu.assertErrorMsgContains("require wants a module's name, not a table", require, {})
end

function T.test_a_syntax_error_names_the_line()
  module("t_syntax", "local x = = 1")
  lu.assertErrorMsgContains("t_syntax.lua:1:", require, "t_syntax")
end

return T
