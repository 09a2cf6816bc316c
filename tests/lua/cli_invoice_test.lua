local lu = require "luaunit"
local err = require "rt.err"
local forecast = require "rushes.cli.forecast"
local invoice = require "rushes.cli.invoice"
local budgets = require "rushes.money.budget"
local ledgers = require "rushes.money.ledger"
local text = require "rushes.cli.text"

local T = {}

local plain, colour = text.painter(false), text.painter(true)

local show

function T.setUp()
  show = ledgers.new("show night", 400)
end

local function call(shot, kind, credits, more)
  local c = { show = "night", shot = shot, take = "t001", stage = "motion", model = "gen4.5",
    provider = "runway", call = kind, credits = credits, budget = "", why = "not made yet" }
  for k, v in pairs(more or {}) do c[k] = v end
  return c
end

local function plan(calls, accounts)
  for _, c in ipairs(calls) do
    if c.call == "new" or c.call == "stale" then
      show.reserved = show.reserved + ledgers.thousandths(c.credits)
    end
  end
  return { calls = calls, shows = { { show = "night", ledger = show, output = "night" } },
    accounts = accounts or {} }
end

local function bill(calls, accounts) return invoice.of(plan(calls, accounts)) end

local function page(b, columns, paint)
  return table.concat(invoice.lines(b, columns, paint or plain), "\n")
end

local MIXED = function()
  return { call("a", "new", 60), call("b", "stale", 25.5, { model = "gen4_turbo" }),
    call("c", "cached", 0), call("d", "unknown", 60),
    call("e", "blocked", 120, { err = err.new("budget", "too much"), why = "too much" }) }
end

function T.test_only_new_and_stale_calls_are_to_be_paid()
  local b = bill(MIXED())
  lu.assertEquals(b.total, 85500)
  lu.assertEquals(b.states, { { name = "new", calls = 1, credits = 60000 },
    { name = "stale", calls = 1, credits = 25500 }, { name = "cached", calls = 1, credits = 0 },
    { name = "unknown", calls = 1, credits = 60000 },
    { name = "blocked", calls = 1, credits = 120000 } })
  lu.assertEquals(b.models, { { name = "gen4.5", calls = 1, credits = 60000 },
    { name = "gen4_turbo", calls = 1, credits = 25500 } })
end

function T.test_budgets_tell_what_is_left_afterwards()
  show.spent, show.reserved = 100000, 60000 -- of earlier runs
  local row = bill(MIXED()).budgets[1]
  lu.assertEquals({ row.name, row.limit, row.spent, row.held, row.plan, row.left },
    { "show night", 400000, 100000, 60000, 85500, 154500 })
end

function T.test_a_budget_that_was_lowered_below_what_is_spent_has_nothing_left()
  show.spent = 500000
  lu.assertEquals(bill(MIXED()).budgets[1].left, 0)
end

function T.test_nested_budgets_count_what_is_below_them()
  local inner = budgets.at "plan_seq/arm1"
  budgets.at("plan_seq").limit = 300000
  inner.reserved, inner.parent.reserved = 60000, 60000
  local b = bill { call("a", "new", 60, { budget = "plan_seq/arm1" }), call("b", "new", 60) }
  local names = {}
  for i, row in ipairs(b.budgets) do names[i] = ("%s %d %d"):format(row.name, row.depth, row.plan) end
  lu.assertEquals(names, { "show night 0 120000", "plan_seq 1 60000", "arm1 2 60000" })
  lu.assertEquals({ b.budgets[2].left, b.budgets[3].left }, { 240000, nil })
end

function T.test_a_script_without_paid_calls_says_so()
  lu.assertEquals(page(bill {}), "the script asks for nothing that is paid for")
end

function T.test_lines_fit_the_screen_and_reasons_are_whole()
  local calls = MIXED()
  calls[5].why = ("so it goes on and on "):rep(12) .. "to the very end"
  for _, columns in ipairs { 60, 80, 120 } do
    local lines = invoice.lines(bill(calls), columns, colour)
    for _, line in ipairs(lines) do
      lu.assertTrue(text.width((line:gsub("\27%[%d+m", ""))) <= columns, line)
    end
    lu.assertStrContains(table.concat(lines, " "), "end")
  end
end

function T.test_an_account_without_enough_credits_is_told()
  local lanes = { ["gen4.5"] = { at_once = 3, used = 0 } }
  local p = page(bill({ call("a", "new", 60) },
    { runway = { provider = "runway", balance = 50, lanes = lanes } }))
  lu.assertStrContains(p, "the account at runway has 50 credits: 10 too few for this plan")
  p = page(bill({ call("a", "new", 60) },
    { runway = { provider = "runway", err = err.new("auth", "no key") } }))
  lu.assertStrContains(p, "lanes of runway not known: no key")
end

-- ---- when ----

local function when(calls, lanes)
  local b = bill(calls, lanes and { runway = { provider = "runway", balance = 1000,
    lanes = lanes } })
  return b.forecast and forecast.sentence(b.forecast, b.now), b.forecast
end

function T.test_the_finish_is_told_with_its_lanes()
  local said, f = when({ call("a", "new", 60), call("b", "new", 60), call("c", "new", 60) },
    { ["gen4.5"] = { at_once = 2, used = 0 } })
  lu.assertEquals(f.finish.seconds, 128)
  lu.assertStrContains(said, "(in 2 min) on 1 lane: gen4.5 2 at once (typical times")
end

function T.test_stills_and_frames_have_their_own_times()
  local _, f = when { call("a", "new", 5, { stage = "still", model = "gen4_image" }),
    call("a", "new", 25, { after = "still" }) }
  lu.assertEquals(f.finish.seconds, 41 + 64)
  _, f = when { call("a", "new", 25, { to_last_frame = true }) }
  lu.assertEquals(f.finish.seconds, 256)
end

function T.test_unknown_lanes_are_admitted()
  lu.assertStrContains((when { call("a", "new", 60) }), "because the lanes are not known")
end

function T.test_nothing_to_send_has_no_finish()
  lu.assertNil((when({ call("a", "cached", 0) }, {})))
end

function T.test_the_daily_cap_is_told()
  local said = when({ call("a", "new", 60), call("b", "new", 60) },
    { ["gen4.5"] = { daily = 50, used = 49 } })
  lu.assertStrContains(said, "1 of gen4.5 wait for the daily limit")
  lu.assertStrContains(said, "as if what others have made")
  said = when({ call("a", "new", 60) }, { ["gen4.5"] = { daily = 0, used = 0 } })
  lu.assertEquals(said, "cannot finish: the account may make none of gen4.5")
end

-- ---- data ----

function T.test_data_has_credits_as_numbers()
  local d = invoice.data(bill(MIXED(), { runway = { provider = "runway", balance = 1000,
    lanes = { ["gen4.5"] = { at_once = 3, daily = 0, used = 0 } } } }))
  lu.assertEquals({ d.schema, d.credits, #d.calls, d.calls[2].credits, d.budgets[1].plan },
    { 1, 85.5, 5, 25.5, 85.5 })
  lu.assertEquals(d.calls[5].err.code, "budget")
  lu.assertFalse(d.finish.possible)
  lu.assertNotNil(require("rt.json").encode(d))
end

return T
