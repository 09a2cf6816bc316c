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
