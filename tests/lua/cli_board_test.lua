local lu = require "luaunit"
local boards = require "rushes.cli.board"
local err = require "rt.err"
local ledgers = require "rushes.money.ledger"
local lines = require "rushes.cli.lines"
local status = require "rushes.cli.exit_status"
local text = require "rushes.cli.text"
local view = require "rushes.cli.view"

local T = {}

local clock

local function board(limit)
  clock = 100
  return boards.new(function() return clock end, limit)
end

local function take(shot, more)
  local f = { show = "night", shot = shot, take = "t001", model = "gen4_turbo",
    credits = 25, state = "queued" }
  for k, v in pairs(more or {}) do f[k] = v end
  return f
end

local function failure(code, fields)
  return take("x", { state = "failed", err = err.new(code, "it failed", fields) })
end

function T.test_takes_of_earlier_runs_count_for_nothing_else()
  local b = board()
  b:event("submitted", take("old", { earlier = true }))
  b:event("submitted", take("older", { earlier = true }))
  lu.assertEquals({ b.planned, b.active, b:waiting(), b:done() }, { 0, 2, 0, 0 })
  b:event("landed", take("old", { earlier = true }))
  local f = failure "network"
  f.shot, f.earlier = "older", true
  b:event("failed", f)
  lu.assertEquals({ b.active, b.earlier, b.fetched, b.not_fetched }, { 0, 0, 1, 1 })
  lu.assertEquals({ b.landed, b.failed, status.of_takes(b) }, { 0, 0, 0 })
end

local function run_one(b, shot, kind, f)
  b:event("planned", take(shot))
  b:event("submitted", take(shot))
  f = f or take(shot)
  f.shot = shot
  b:event(kind, f)
end

function T.test_counts_follow_the_takes()
  local b = board()
  for _, shot in ipairs { "a", "b", "c" } do
    b:event("planned", take(shot))
    b:event("submitted", take(shot, { id = shot }))
  end
  lu.assertEquals({ b.planned, b.active, b.states.queued }, { 3, 3, 3 })
  b:event("state", take("a", { state = "running" }))
  lu.assertEquals({ b.states.queued, b.states.running }, { 2, 1 })
  b:event("landed", take "a")
  b:event("failed", take("b", { state = "failed" }))
  lu.assertEquals({ b.active, b.landed, b.failed, b:done() }, { 1, 1, 1, 2 })
  lu.assertEquals({ b.states.queued, b.states.running }, { 1, 0 })
end

function T.test_only_a_new_state_is_news()
  local b = board()
  b:event("submitted", take "a")
  local _, changed = b:event("state", take("a", { state = "running" }))
  lu.assertTrue(changed)
  _, changed = b:event("progress", take("a", { state = "running", progress = 0.5 }))
  lu.assertFalse(changed)
end

function T.test_a_second_stage_of_a_take_is_the_same_row()
  local b = board()
  b:event("submitted", take("a", { stage = "still" }))
  b:event("submitted", take("a", { stage = "motion" }))
  lu.assertEquals({ b.active, #b:top(9), b.states.queued }, { 1, 1, 1 })
  lu.assertEquals(b:top(1)[1].stage, "motion")
end

function T.test_a_take_that_failed_before_it_was_planned_counts()
  local b = board()
  b:event("failed", failure "budget")
  lu.assertEquals({ b.planned, b.failed, b:done(), b.active }, { 1, 1, 1, 0 })
end

function T.test_what_the_policy_left_out_is_no_failure()
  local b = board()
  b:event("failed", take("a", { state = "skipped", err = err.new("skipped", "left out") }))
  b:event("failed", take("b", { state = "stopped", err = err.new("stopped", "Ctrl-C") }))
  lu.assertEquals({ b.skipped, b.stopped, b.failed }, { 1, 1, 0 })
  lu.assertEquals(status.of(nil, b), 0)
end

function T.test_a_long_run_does_not_keep_what_has_ended()
  local b = board()
  for i = 1, 1000 do run_one(b, "s" .. i, "landed") end
  lu.assertTrue(#b.rows < 50)
  lu.assertNil(next(b.known))
end

function T.test_the_limit_is_the_nearer_of_flag_and_shows()
  local b = board(100)
  b:event("show", { show = "a", budget = 400 })
  lu.assertEquals(b.limit, 100)
  b = board()
  b:event("show", { show = "a", budget = 40 })
  b:event("show", { show = "b", budget = 60 })
  lu.assertEquals(b.limit, 100)
  b:event("show", { show = "c" })
  lu.assertNil(b.limit)
end

function T.test_what_is_left_counts_what_earlier_runs_have_spent()
  local b, show = board(), ledgers.new("show night", 400, ledgers.root())
  b:event("show", { show = "night", budget = 400, output = "night", ledger = show })
  b:event("show", { show = "night", budget = 400, output = "night", ledger = show })
  lu.assertEquals({ b.shows, b.limit }, { 1, 400 })
  show:load(48000, 0)
  assert(show:reserve(36500, "shot x"))
  lu.assertEquals({ b:money() }, { 0, 36.5, 315.5, 48 })
  lu.assertStrContains(view.lines(b, 100, 24, text.painter(false))[1],
    "48 before, 0 spent, 36.5 held, 315.5 left of 400 credits")
  show:settle(36500, 0)
  b:event("show", { show = "second", output = "second",
    ledger = ledgers.new("show second", nil, ledgers.root()) })
  lu.assertNil((select(3, b:money()))) -- one of them is without limit
end

function T.test_an_unknown_outcome_is_no_failure_and_no_success()
  local b = board()
  run_one(b, "a", "failed", take("a", { state = "unknown",
    err = err.new("unknown", "nobody knows", { unknown = true }) }))
  lu.assertEquals({ b.unknown, b.failed, b:done(), status.of(nil, b) }, { 1, 0, 1, 9 })
  local f = take("a", { state = "unknown", err = err.new("unknown", "nobody knows",
    { unknown = true }) })
  lu.assertEquals(lines.lasting("failed", f, nil, b, text.painter(false)),
    "? a t001 unknown: nobody knows (25 credits held)")
  lu.assertStrContains(lines.summary(b), "0 of 1 take landed · 1 unknown")
end

function T.test_what_goes_on_at_the_provider_is_not_charged_yet()
  local b = board()
  for _, state in ipairs { "stopped", "failed" } do
    local f = take("a", { state = state, err = err.new(state == "stopped" and state
      or "timeout", "task 7 goes on") })
    lu.assertEquals(lines.lasting("failed", f, nil, b, text.painter(false)):match "%(.*",
      "(up to 25 credits)")
  end
end

function T.test_time_left_says_nothing_of_takes_that_were_never_sent()
  local b = board()
  for i = 1, 10 do b:event("planned", take("s" .. i)) end
  for i = 1, 5 do b:event("failed", take("s" .. i, { state = "failed" })) end
  b:event("reused", take "s6")
  clock = 200 -- it begins to count with the first that is sent
  b:event("submitted", take("s7", { progress = 0.5 }))
  b:event("submitted", take("s8", { progress = 0.5 }))
  lu.assertEquals({ b:waiting(), b:done() }, { 2, 6 })
  clock = 210
  lu.assertAlmostEquals(b:remaining(), 30, 1e-6)
end

function T.test_time_left_is_guessed_from_the_shares()
  local b = board()
  lu.assertNil(b:remaining())
  b:event("submitted", take("a", { progress = 0.5 }))
  b:event("submitted", take("b", { progress = 0 }))
  clock = 110
  lu.assertAlmostEquals(b:remaining(), 30, 1e-6)
end

function T.test_running_takes_are_shown_before_waiting_ones()
  local b = board()
  for i = 1, 5 do b:event("submitted", take("s" .. i, { state = "throttled" })) end
  b:event("state", take("s4", { state = "running" }))
  local top = b:top(2)
  lu.assertEquals({ top[1].shot, top[2].shot }, { "s4", "s1" })
end

-- ---- exit statuses ----

function T.test_a_script_error_is_7_and_the_worlds_have_their_own()
  for code, want in pairs { script = 7, auth = 4, budget = 8, network = 6, provider = 5,
    not_found = 3, timeout = 6, interrupted = 130, invalid = 7,
    locked = 1, damaged = 1, no_space = 1, denied = 1, io = 1 } do
    lu.assertEquals(status.of(err.new(code, "x")), want, code)
  end
  lu.assertEquals(status.of(err.new("http", "x", { class = "auth" })), 5)
  lu.assertEquals(status.of(err.new("provider", "x", { unknown = true })), 9)
end

function T.test_some_failed_is_1()
  local b = board()
  run_one(b, "a", "landed")
  run_one(b, "b", "failed", failure "network")
  lu.assertEquals(status.of(nil, b), 1)
end

function T.test_all_failed_for_one_reason_says_the_reason()
  local b = board()
  for _, shot in ipairs { "a", "b" } do run_one(b, shot, "failed", failure "network") end
  lu.assertEquals(status.of(nil, b), 6)
  run_one(b, "c", "failed", failure "provider")
  lu.assertEquals(status.of(nil, b), 1)
end

function T.test_budget_and_unknown_are_told_although_others_landed()
  local b = board()
  run_one(b, "a", "landed")
  run_one(b, "b", "failed", failure "budget")
  lu.assertEquals(status.of(nil, b), 8)
  run_one(b, "c", "failed", failure("unknown", { unknown = true }))
  lu.assertEquals(status.of(nil, b), 9)
end

function T.test_a_raised_error_wins_over_failed_takes()
  local b = board()
  run_one(b, "b", "failed", failure "budget")
  lu.assertEquals(status.of(err.new("script", "x"), b), 7)
end

-- ---- the view ----

local function lines_of(b, columns, rows)
  return view.lines(b, columns, rows, text.painter(false))
end

function T.test_no_line_is_wider_than_the_terminal()
  local b = board(1000)
  for i = 1, 30 do
    b:event("submitted", take("夜の街 in the rain, number " .. i,
      { state = "running", progress = i / 30, credits = 12.5, model = "seedance2_fast" }))
  end
  for columns = 12, 200 do
    for _, line in ipairs(lines_of(b, columns, 12)) do
      lu.assertTrue(text.width(line) < columns, ("%d: %s"):format(columns, line))
    end
  end
end

function T.test_more_takes_than_rows_are_counted()
  local b = board()
  for i = 1, 30 do b:event("submitted", take("s" .. i)) end
  local out = lines_of(b, 80, 10)
  lu.assertTrue(#out <= 9)
  lu.assertStrContains(out[#out - 1], "+ 24 more (in all 30 queued)")
  lu.assertStrContains(out[#out], "0 of 30 done")
end

function T.test_what_is_spent_is_never_cut_away()
  local b = board(1000)
  for i = 1, 9 do b:event("planned", take("s" .. i)) end
  b:event("submitted", take("s1", { progress = 0.5 }))
  b:event("failed", take("s2", { state = "failed" }))
  b.stopping, clock = true, 110
  local money = "0 spent, 0 held, 1000 left of 1000 credits"
  for columns = 50, 120 do
    local out = lines_of(b, columns, 24)
    lu.assertStrContains(table.concat(out, "\n"), money)
    lu.assertStrContains(table.concat(out, "\n"), "7 waiting")
  end
  lu.assertStrContains(lines_of(b, 140, 24)[2], "to go")
end

function T.test_a_name_cannot_move_the_cursor()
  local b = board()
  b:event("submitted", take("a\27[2J\rb", { state = "run\27[1Aning", model = "m\nx" }))
  for _, line in ipairs(lines_of(b, 100, 10)) do lu.assertNil(line:find "%c") end
end

return T
