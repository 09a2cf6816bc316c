--- What is shown of a run: lines, JSON, the live view on a terminal.
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"
local text = require "rushes.cli.text"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local EVENTS = lib.SCRIPTS .. "/events.lua"

local function lines_of(s)
  local list = {}
  for line in s:gmatch "[^\n]+" do list[#list + 1] = line end
  return list
end

local function count(s, part)
  local n, at = 0, 1
  while true do
    local a, b = s:find(part, at, true)
    if not a then return n end
    n, at = n + 1, b + 1
  end
end

-- ---- lines ----

function T.test_without_a_terminal_each_step_is_a_line_on_stderr()
  local r = lib.rushes { "run", EVENTS, "3", "0.2" }
  lib.assert_code(r, 1) -- the third of them fails
  lu.assertEquals(r.stdout, "")
  lu.assertStrContains(r.stderr, "street t001 planned: gen4.5, 26 credits")
  lu.assertEquals(count(r.stderr, "street t001 running\n"), 1)
  lu.assertStrContains(r.stderr, "✓ lobby t001 landed")
  lu.assertStrContains(r.stderr, "✗ rooftop t001 failed")
  lu.assertStrContains(r.stderr, "refused by moderation")
  lu.assertStrContains(r.stderr, "2 of 3 takes landed · 1 failed")
  lu.assertNotStrContains(r.stderr, "\27")
end

function T.test_no_progress_leaves_failures_the_sum_and_how_to_go_on()
  local r = lib.rushes { "run", "--no-progress", EVENTS, "3", "0.2" }
  local lines = lines_of(r.stderr)
  lu.assertEquals(#lines, 3, r.stderr)
  lu.assertStrContains(lines[1], "rooftop t001 failed")
  lu.assertStrContains(lines[2], "2 of 3 takes landed")
  lu.assertStrContains(lines[3], "rushes run --no-progress " .. EVENTS .. " -- 3 0.2")
end

function T.test_when_all_land_the_status_is_0()
  lib.assert_code(lib.rushes { "run", "--no-progress", EVENTS, "2", "0.1" }, 0)
end

-- ---- JSON ----

function T.test_json_lines_decode_and_hold_nothing_else()
  local r = lib.rushes { "run", "--json", EVENTS, "3", "0.2", "print" }
  lib.assert_code(r, 1)
  local seen, last = {}, nil
  for _, line in ipairs(lines_of(r.stdout)) do
    last = assert(json.decode(line))
    lu.assertEquals(last.schema, 1)
    lu.assertEquals(type(last.time), "number")
    seen[last.event] = (seen[last.event] or 0) + 1
    if last.event == "failed" then
      lu.assertEquals(last.err.class, "safety")
      lu.assertEquals(last.shot, "rooftop")
    end
  end
  lu.assertEquals({ seen.show, seen.planned, seen.submitted, seen.landed, seen.failed,
    seen.done }, { 1, 3, 3, 2, 1, 1 })
  lu.assertTrue(seen.progress > 3)
  lu.assertTrue(seen.budget > 0)
  lu.assertEquals({ last.event, last.exit, last.takes, last.landed, last.failed },
    { "end", 1, 3, 2, 1 })
  lu.assertStrContains(r.stderr, "street\tstep\t4") -- what the script printed
end

function T.test_json_tells_a_script_error_too()
  local r = lib.run_source("print 'hello' error 'no light'", { "--json" })
  lib.assert_code(r, 7)
  local last = assert(json.decode(lines_of(r.stdout)[1]))
  lu.assertEquals({ last.event, last.exit, last.err.code }, { "end", 7, "script" })
  lu.assertStrContains(last.err.message, "no light")
  lu.assertStrContains(r.stderr, "hello\n")
end

-- ---- the live view ----

--- Lines that are the view's own.
local function view_lines(lines)
  local n = 0
  for _, line in ipairs(lines) do
    if line:find("█", 1, true) or line:find(" done · ", 1, true) then n = n + 1 end
  end
  return n
end

function T.test_the_view_is_drawn_and_leaves_nothing_behind()
  local r, lines = lib.on_terminal { "run", EVENTS, "3", "0.6" }
  lib.assert_code(r, 1)
  lu.assertTrue(count(r.stdout, "█") > 10)
  lu.assertStrContains(r.stdout, " of 3 done · ")
  lu.assertEquals(view_lines(lines), 0, table.concat(lines, "\n"))
  local all = table.concat(lines, "\n")
  lu.assertEquals(count(all, "landed in"), 2)
  lu.assertEquals(count(all, "failed in"), 1)
  lu.assertStrContains(all, "2 of 3 takes landed")
end

function T.test_prints_go_above_the_view_whole()
  local _, lines = lib.on_terminal { "run", EVENTS, "12", "0.8", "print" }
  local prints, order = 0, {}
  for _, line in ipairs(lines) do
    if line:find "step" then
      prints = prints + 1
      lu.assertStrMatches(line, ".+ step +[48]", nil, nil, line)
      order[#order + 1] = line:match "^%S+"
    end
  end
  lu.assertEquals(prints, 24, table.concat(lines, "\n"))
  lu.assertEquals(view_lines(lines), 0)
end

function T.test_no_drawn_line_is_wider_than_the_terminal()
  for _, columns in ipairs { 30, 61, 100 } do
    local r = lib.on_terminal { "run", EVENTS, "5", "0.4", columns = columns }
    for line in r.stdout:gmatch "[^\r\n]+" do
      local plain = line:gsub("\27%[%??[%d;]*%a", "")
      if plain:find("█", 1, true) or plain:find " done · " then
        lu.assertTrue(text.width(plain) < columns, plain)
      end
    end
  end
end

function T.test_a_flood_of_takes_that_were_not_sent_is_counted()
  studio.with({}, function(s)
    local shots = {}
    for i = 1, 9 do shots[i] = tostring(i) end
    assert(fs.write(s.dir .. "/script.lua", studio.script(shots, "budget = 60")))
    local _, lines = lib.on_terminal { "run", "script.lua", cwd = s.dir, columns = 200,
      env = studio.env(s.sim.url) }
    local all = table.concat(lines, "\n")
    lu.assertEquals(count(all, " needs 60 credits, but show night has 0 left"), 3)
    lu.assertStrContains(all, "\n  and 5 more did not fit either\n")
    local _, printed = all:gsub("\ns%d +failed +0 +budget", "")
    lu.assertEquals(printed, 8)
    lu.assertStrContains(all, "1 of 9 takes landed · 8 failed")
  end)
end

function T.test_more_takes_than_lines_are_counted()
  local r = lib.on_terminal { "run", EVENTS, "30", "0.3", rows = 10 }
  lu.assertStrContains(r.stdout, " more (in all ")
end

function T.test_it_is_drawn_at_most_ten_times_a_second()
  local r = lib.on_terminal { "run", EVENTS, "20", "0.5" }
  local seconds = 0.5 * 0.2 + 10 * 0.5 * (0.05 + 0.01 * 20) + 0.5
  -- besides the ticks, each of the lines above it draws it anew, ten times at most
  lu.assertTrue(count(r.stdout, "\27[?2026h") <= seconds * 20,
    count(r.stdout, "\27[?2026h") .. " drawings")
end

function T.test_no_color_means_no_colour_but_a_view()
  local r = lib.on_terminal { "run", EVENTS, "2", "0.5", env = { NO_COLOR = "1" } }
  lu.assertNil(r.stdout:find "\27%[[%d;]*m")
  lu.assertStrContains(r.stdout, "█")
  r = lib.on_terminal { "run", EVENTS, "2", "0.5" }
  lu.assertNotNil(r.stdout:find "\27%[36m")
end

function T.test_a_dumb_terminal_gets_lines()
  local r = lib.on_terminal { "run", EVENTS, "2", "0.2", env = { TERM = "dumb" } }
  lu.assertNil(r.stdout:find "\27")
  lu.assertStrContains(r.stdout, "street t001 running")
end

function T.test_no_progress_on_a_terminal()
  local r = lib.on_terminal { "run", "--no-progress", EVENTS, "3", "0.2" }
  lu.assertNotStrContains(r.stdout, "█")
  lu.assertNotStrContains(r.stdout, "running")
end

return T
