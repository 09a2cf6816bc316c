local lu = require "luaunit"
local err = require "rt.err"
local report = require "rushes.cli.report"
local task = require "rt.task"

local T = {}

--- The report for code that fails, run as a script would be.
local function report_of(code)
  report.add_source("(test)", code)
  local chunk, why = load(code, "=(test)", "t")
  local _, e = task.try(chunk or function() error(why, 0) end)
  return table.concat(report.lines(e, {}), "\n")
end

function T.test_a_script_error_shows_line_mark_and_way()
  local got = report_of "local function scene(t)\n  return t.camera.lens\nend\nscene {}\n"
  lu.assertStrContains(got, "rushes: (test):2: attempt to index a nil value (field 'camera')")
  lu.assertStrContains(got, "    2 |   return t.camera.lens\n      |            ^^^^^^\n")
  lu.assertStrContains(got, "in function 'scene' ((test):2)")
end

function T.test_a_syntax_error_shows_its_line()
  local got = report_of "local x = 1\nlocal y = = 2\n"
  lu.assertStrContains(got, "(test):2: unexpected symbol near '='")
  lu.assertStrContains(got, "    2 | local y = = 2\n      |         ^")
end

function T.test_an_error_object_is_its_sentence_at_the_scripts_line()
  local got = report_of [[
local config = require "rushes.config"
assert(config.provider { name = "nowhere", base_env = "RUSHES_TEST_NOWHERE" })]]
  lu.assertStrContains(got, "rushes: (test):2: the address of nowhere is not known")
  lu.assertStrContains(got, "    2 | assert(config")
  lu.assertNotStrContains(got, "table: ")
end

function T.test_a_misspelt_method_gets_a_hint()
  require "rushes.event"
  local got = report_of "local e = require 'rushes.event'\ne.subscrbe(print)\n"
  lu.assertStrContains(got, 'did you mean "subscribe"')
end

function T.test_the_way_goes_across_tasks()
  local got = report_of [[
local task = require "rt.task"
task.scope(function(s)
  s:spawn(function()
    error "deep down"
  end)
end)]]
  lu.assertStrContains(got, "(test):4: deep down")
  lu.assertStrContains(got, "in a task started at (test):3")
  lu.assertNotStrContains(got, "rt/task.lua")
end

function T.test_the_query_of_a_url_is_not_shown()
  local got = report_of "error 'cannot read https://out.example/clip.mp4?_jwt=hush now'"
  lu.assertStrContains(got, "https://out.example/clip.mp4?… now\n")
end

function T.test_other_failures_of_the_scope_are_named_and_counted()
  local e = err.new("script", "first")
  e.also = {}
  for i = 1, 9 do e.also[i] = err.new("network", "number " .. i) end
  local got = table.concat(report.lines(e, {}), "\n")
  lu.assertStrContains(got, "also: number 5")
  lu.assertNotStrContains(got, "number 6")
  lu.assertStrContains(got, "and 4 more")
end

function T.test_a_tab_before_the_mark_stays_a_tab()
  local got = report_of "if true then\n\tlocal x = nil + 1\nend"
  lu.assertStrContains(got, "\n      | \t~")
end

return T
