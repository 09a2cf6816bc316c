local lu = require "luaunit"
local comparison = require "rushes.money.comparison"

local T = {}

local SPAN = { from = "2026-11-01", before = "2026-12-01" }

local function item(date, credits, model)
  return { date = "2026-11-" .. date, model = model or "gen4.5", credits = credits }
end

local function compare(own, account) return comparison.of(own, account, SPAN) end

function T.test_equal_books_have_no_difference()
  local r = compare({ item("02", 60), item("03", 25) }, { item("03", 25), item("02", 60) })
  lu.assertEquals({ #r.rows, r.rows[1].date, r.unattributed, r.missing, r.total.journal,
    r.total.account }, { 2, "2026-11-02", 0, 0, 85, 85 })
end

function T.test_what_only_the_account_knows_is_unattributed()
  local r = compare({ item("02", 60) }, { item("02", 100), item("04", 7, "gen4_turbo") })
  lu.assertEquals({ r.unattributed, r.missing }, { 47, 0 })
end

function T.test_what_only_the_journal_knows_is_missing_and_not_made_up_for_by_others()
  local r = compare({ item("02", 60) }, { item("02", 25, "gen4_turbo") })
  lu.assertEquals({ r.unattributed, r.missing }, { 25, 60 })
end

function T.test_credits_given_back_on_another_day_come_out_even()
  -- the journal books a refunded call as 0 on the day it was accepted
  local r = compare({ item("02", 0) }, { item("02", 60), item("03", -60) })
  lu.assertEquals({ r.unattributed, r.missing, #r.rows }, { 0, 0, 2 })
end

function T.test_rows_of_a_model_and_day_are_one()
  local r = compare({}, { item("02", 60), item("02", 40) })
  lu.assertEquals({ #r.rows, r.rows[1].account }, { 1, 100 })
end

function T.test_days_outside_are_left_out()
  local r = comparison.of({ { date = "2026-10-31", model = "m", credits = 5 } },
    { { date = "2026-12-01", model = "m", credits = 5 } }, SPAN)
  lu.assertEquals({ #r.rows, r.total.account, r.total.journal }, { 0, 0, 0 })
end

return T
