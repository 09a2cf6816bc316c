local lu = require "luaunit"
local ledger = require "rushes.money.ledger"

local T = {}

function T.test_a_reservation_must_fit_every_level()
  local run = ledger.new("this run", 100)
  local show = ledger.new("show a", 80, run)
  lu.assertTrue(show:reserve(60000, "one"))
  lu.assertEquals(show:left(), 20000)
  local ok, e = show:reserve(30000, "shot two")
  lu.assertNil(ok)
  lu.assertEquals(e.code, "budget")
  lu.assertStrContains(e.message, "shot two needs 30 credits, but show a has 20 left of 80")
  local other = ledger.new("show b", nil, run)
  ok, e = other:reserve(50000, "shot three")
  lu.assertNil(ok)
  lu.assertStrContains(e.message, "this run has 40 left of 100")
  lu.assertEquals(other.reserved, 0, "a refused reservation holds nothing anywhere")
end

function T.test_settling_frees_the_rest_and_a_refund_all()
  local run = ledger.new("this run", 100)
  local show = ledger.new("show", 100, run)
  show:reserve(60000, "a")
  show:settle(60000, 25000)
  lu.assertEquals({ show.reserved, show.spent, run.spent }, { 0, 25000, 25000 })
  show:reserve(75000, "b")
  show:settle(75000, 0)
  lu.assertEquals(run:left(), 75000)
end

local function numbers(l) return { l.reserved, l.spent } end

--- A run with a show and two budgets in one another: what a call may count in.
local function nested()
  local run = ledger.new("this run", 100)
  local show = ledger.new("show a", 80, run)
  local sequence = ledger.new("budget seq", 60)
  local arm = ledger.new("budget seq/arm", 30, sequence)
  return run, show, sequence, arm
end

function T.test_several_leaves_hold_a_call_once_in_each_ledger_above_them()
  local run, show, sequence, arm = nested()
  local other = ledger.new("show b", nil, run)
  local leaves = { show, arm, other, sequence, show }
  lu.assertTrue(ledger.reserve(leaves, 25000, "x"))
  for _, l in ipairs { run, show, sequence, arm, other } do
    lu.assertEquals(numbers(l), { 25000, 0 })
  end
  lu.assertEquals(ledger.left(leaves), 5000)
  ledger.settle(leaves, 25000, 20000)
  for _, l in ipairs { run, show, sequence, arm, other } do
    lu.assertEquals(numbers(l), { 0, 20000 })
  end
end

function T.test_all_leaves_or_none_and_the_refusal_names_the_one_that_does_not_fit()
  local run, show, sequence, arm = nested()
  lu.assertTrue(ledger.reserve({ show, arm }, 12500, "one"))
  ledger.settle({ show, arm }, 12500, 10000)
  lu.assertTrue(ledger.reserve({ show, arm }, 5000, "two"))
  local ok, e = ledger.reserve({ show, arm }, 15001, "shot lobby")
  lu.assertNil(ok)
  lu.assertEquals(e.message, "shot lobby needs 15.001 credits, but budget seq/arm has 15"
    .. " left of 30 (10 spent, 5 held for other calls); nothing was sent")
  for _, l in ipairs { run, show, sequence, arm } do
    lu.assertEquals(numbers(l), { 5000, 10000 })
  end
  lu.assertTrue(ledger.reserve({ show, arm }, 15000, "to the last thousandth"))
end

function T.test_what_a_journal_knows_counts_in_that_ledger_only()
  local run, show = nested()
  show:load(30000, 25000)
  lu.assertEquals({ numbers(show), numbers(run) }, { { 25000, 30000 }, { 0, 0 } })
  lu.assertEquals({ show:left(), run:left() }, { 25000, 100000 })
  show:load(20000, -25000) -- the call that was under way has ended
  lu.assertEquals({ numbers(show), numbers(run) }, { { 0, 50000 }, { 0, 0 } })
end

function T.test_an_overrun_leaves_nothing_but_what_is_free()
  local small = ledger.new("budget x", 10)
  lu.assertTrue(small:reserve(10000, "a"))
  small:settle(10000, 12000) -- the provider's word wins
  local _, e = small:reserve(1000, "b")
  lu.assertStrContains(e.message, "budget x has 0 left of 10 (12 spent, 0 held")
  lu.assertTrue(small:reserve(0, "free"))
end

function T.test_no_limit_is_unlimited()
  local l = ledger.new "free"
  lu.assertNil(l:left())
  lu.assertTrue(l:reserve(1 << 50, "x"))
end

function T.test_credits_read_as_a_person_writes_them()
  lu.assertEquals(tostring(ledger.credits(25000)), "25")
  lu.assertEquals(tostring(ledger.credits(12500)), "12.5")
  lu.assertEquals(ledger.thousandths(0.1 + 0.2), 300)
end

return T
