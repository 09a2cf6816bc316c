local lu = require "luaunit"
local verdict = require "rushes.money.verdict"

local T = {}

local HOUR, DAY = 3600, 86400
local T0 = 1.7e9

local next_id

function T.setUp() next_id = 0 end

--- An attempt of gen4.5 at 60 credits; times are seconds after the first look.
local function attempt(state, sent, more)
  next_id = next_id + 1
  local a = { id = next_id, model = "gen4.5", state = state, held = 60000, evidence = 1,
    sent = sent and T0 + sent }
  for k, v in pairs(more or {}) do a[k] = v end
  return a
end

local function unknown(sent, more) return attempt("unknown", sent, more) end

--- One that was accepted after a second and has landed after a minute.
local function landed(sent, more)
  local a = attempt("landed", sent, { held = 0, cost = 60000, accepted = T0 + sent + 1,
    ended = T0 + sent + 61 })
  for k, v in pairs(more or {}) do a[k] = v end
  return a
end

local function look(at, generations, balance, id)
  return { id = id, at = T0 + at, balance = balance and balance * 1000,
    models = type(generations) == "table" and generations or { ["gen4.5"] = generations } }
end

--- The verdict for the first attempt, between a look at 0 and one at `now`.
local function judge(attempts, first, now, between)
  first.id = 1
  local looks = { first }
  for i, e in ipairs(between or {}) do
    e.id = i + 1
    looks[i + 1] = e
  end
  return verdict.judge(attempts[1], { attempts = attempts, evidence = looks, now = now })
end

local function assert_verdict(v, expected, ...)
  lu.assertEquals(v.verdict, expected, v.why)
  for _, part in ipairs { ... } do lu.assertStrContains(v.why, part) end
end

-- ---- one open call ----

function T.test_a_generation_more_and_its_credits_gone_means_taken()
  local v = judge({ unknown(5) }, look(0, 12, 1000), look(300, 13, 940))
  assert_verdict(v, "taken", "gen4.5: 12 generations before, 13 after, 1 of them new and"
    .. " 0 known here, so it was taken", "the balance fell by 60 credits",
    "which is what it costs")
  lu.assertEquals({ v.counts.taken.low, v.counts.taken.high, v.balance.rest.low },
    { 1, 1, 60000 })
end

function T.test_nothing_moved_means_not_taken()
  assert_verdict(judge({ unknown(5) }, look(0, 12, 1000), look(300, 12, 1000)),
    "not_taken", "so it was not taken", "which leaves nothing for it")
end

function T.test_our_own_calls_are_taken_off()
  local mine = { unknown(5), landed(6), landed(7) }
  assert_verdict(judge(mine, look(0, 12, 1000), look(300, 14, 880)), "not_taken")
  assert_verdict(judge(mine, look(0, 12, 1000), look(300, 15, 820)), "taken",
    "3 of them new and 2 known here")
end

function T.test_calls_of_other_models_count_in_the_balance_only()
  local other = landed(6, { model = "gen4_turbo", cost = 25000 })
  assert_verdict(judge({ unknown(5), other }, look(0, 0, 1000), look(300, 0, 975)),
    "not_taken", "calls known here account for 25")
end

function T.test_what_was_sent_before_the_look_is_in_it_already()
  assert_verdict(judge({ unknown(5), landed(-100) }, look(0, 1, 1000), look(300, 2, 940)),
    "taken", "1 of them new and 0 known here")
end

function T.test_a_taken_call_whose_credits_came_back_is_taken()
  assert_verdict(judge({ unknown(5) }, look(0, 12, 1000), look(300, 13, 1000)), "taken",
    "which leaves nothing for it")
end

function T.test_a_call_that_was_never_sent_was_not_taken()
  assert_verdict(judge({ unknown(nil) }, look(0, 0, 1), look(1, 0, 1)), "not_taken",
    "never sent")
end

-- ---- what cannot be told ----

function T.test_without_a_look_before()
  assert_verdict(judge({ unknown(5, { evidence = false }) }, look(0, 0, 1), look(9, 0, 1)),
    "unclear", "not looked at before it was sent")
end

function T.test_without_a_look_since()
  local v = judge({ unknown(5) }, look(0, 12, 1000), nil)
  assert_verdict(v, "unclear", "has not been looked at since")
end

function T.test_more_generations_than_can_be_ours()
  assert_verdict(judge({ unknown(5) }, look(0, 12, 1000), look(300, 15, 820)), "unclear",
    "does not fit one open call", "somebody else")
end

function T.test_fewer_generations_than_are_ours_for_certain()
  assert_verdict(judge({ unknown(5), landed(6) }, look(0, 12, 1000), look(300, 12, 1000)),
    "unclear", "does not fit")
end

function T.test_the_count_says_no_but_its_very_credits_are_gone()
  assert_verdict(judge({ unknown(5) }, look(0, 12, 1000), look(300, 12, 940)), "unclear",
    "so it was not taken", "which is what it costs")
end

function T.test_the_count_says_no_and_others_have_spent()
  assert_verdict(judge({ unknown(5) }, look(0, 12, 1000), look(300, 12, 700)),
    "not_taken", "somebody else uses the account")
end

function T.test_credits_that_were_bought_do_not_disturb_the_count()
  local v = judge({ unknown(5) }, look(0, 12, 1000), look(300, 13, 5940))
  assert_verdict(v, "taken", "the balance rose by 4940 credits", "credits were bought")
end

function T.test_after_a_day_only_the_balance_is_left()
  local attempts = { unknown(5) }
  assert_verdict(judge(attempts, look(0, 12, 1000), look(DAY + 9, 0, 940)), "taken",
    "more than 24 hours")
  assert_verdict(judge(attempts, look(0, 12, 1000), look(DAY + 9, 0, 1000)), "not_taken")
  assert_verdict(judge(attempts, look(0, 12, 1000), look(DAY + 9, 0, 800)), "unclear")
  assert_verdict(judge(attempts, look(0, 12), look(DAY + 9, 0)), "unclear",
    "the balance was not looked at")
end

function T.test_a_model_that_is_not_counted_leaves_the_balance()
  assert_verdict(judge({ unknown(5) }, look(0, {}, 1000), look(300, {}, 940)), "taken",
    "does not count generations of gen4.5")
end

-- ---- several open calls ----

function T.test_all_or_none_of_several()
  local three = { unknown(5), unknown(6), unknown(7) }
  assert_verdict(judge(three, look(0, 0, 1000), look(300, 3, 820)), "taken",
    "so all 3 open ones were taken")
  assert_verdict(judge(three, look(0, 0, 1000), look(300, 0, 1000)), "not_taken",
    "so none of the 3 open ones was taken")
end

function T.test_some_of_several_alike_cannot_be_told_apart()
  assert_verdict(judge({ unknown(5), unknown(6), unknown(7) }, look(0, 0, 1000),
    look(300, 2, 880)), "unclear", "some of the 3 open ones were taken, but not which")
end

function T.test_the_balance_tells_open_calls_of_different_prices_apart()
  local long, short = unknown(5, { held = 120000 }), unknown(6)
  assert_verdict(judge({ long, short }, look(0, 0, 1000), look(300, 1, 880)), "taken",
    "which is what it costs")
  assert_verdict(judge({ short, long }, look(0, 0, 1000), look(300, 1, 880)), "not_taken")
end

function T.test_open_calls_of_several_models_are_judged_by_their_own_counts()
  local a, b = unknown(5), unknown(6, { model = "gen4_turbo" })
  local first = look(0, { ["gen4.5"] = 1, gen4_turbo = 1 }, 1000)
  local now = look(300, { ["gen4.5"] = 1, gen4_turbo = 2 }, 940)
  assert_verdict(judge({ a, b }, first, now), "not_taken")
  assert_verdict(judge({ b, a }, first, now), "taken")
end

function T.test_sums_that_can_be_made_in_two_ways_decide_nothing()
  local a = unknown(5, { held = 100000 })
  local b, c = unknown(6, { held = 60000 }), unknown(7, { held = 40000 })
  local v = judge({ a, b, c }, look(0, {}, 1000), look(300, {}, 900))
  assert_verdict(v, "unclear", "it or another open call")
end

function T.test_hundreds_of_open_calls_are_judged_by_their_count()
  local many = {}
  for i = 1, 300 do many[i] = unknown(i / 100, { held = 1000 * i }) end
  local before = os.clock()
  assert_verdict(judge(many, look(0, 0, 99999), look(300, 300, 60000)), "taken",
    "too many open calls")
  lu.assertTrue(os.clock() - before < 5)
end

function T.test_one_that_was_settled_as_charged_is_no_longer_open()
  local settled = attempt("charged", 6, { held = 0, cost = 60000, ended = T0 + 200 })
  assert_verdict(judge({ unknown(5), settled }, look(0, 0, 1000), look(300, 1, 940)),
    "not_taken", "1 known here")
  local lost = attempt("lost", 6, { held = 0, cost = 0, ended = T0 + 200 })
  assert_verdict(judge({ unknown(5), lost }, look(0, 0, 1000), look(300, 1, 940)), "taken")
end

function T.test_one_that_was_asked_for_again_stays_open()
  local again = attempt("resubmit", 6)
  local v = judge({ unknown(5), again, landed(100) }, look(0, 0, 1000), look(300, 2, 880))
  assert_verdict(v, "unclear", "some of the 2 open ones")
end

-- ---- the rolling window ----

function T.test_our_own_calls_that_left_the_window_are_added_again()
  -- One of 23 hours ago is gone two hours later; the count stands still, so one came.
  local old = landed(-23 * HOUR)
  assert_verdict(judge({ unknown(5), old }, look(0, 1, 1000), look(2 * HOUR, 1, 940)),
    "taken", "1 of them new")
  assert_verdict(judge({ unknown(5), old }, look(0, 1, 1000), look(2 * HOUR, 0, 1000)),
    "not_taken")
end

function T.test_calls_of_others_may_have_left_the_window_unseen()
  -- 12 generations by others: in 300 s hardly one leaves, in 10 hours some may.
  assert_verdict(judge({ unknown(5) }, look(0, 12), look(300, 12)), "not_taken")
  assert_verdict(judge({ unknown(5) }, look(0, 12), look(10 * HOUR, 12)), "unclear",
    "may have been taken or not")
end

function T.test_an_earlier_look_that_decides_is_better_than_the_present()
  local looks = { look(120, 13, 940) }
  local v = judge({ unknown(5) }, look(0, 12, 1000), look(3 * DAY, 0, 100), looks)
  assert_verdict(v, "taken")
  lu.assertEquals(v.after, looks[1])
  -- also when nobody can ask now
  assert_verdict(judge({ unknown(5) }, look(0, 12, 1000), nil, { look(120, 12, 1000) }),
    "not_taken")
end

function T.test_a_clock_that_was_set_back()
  assert_verdict(judge({ unknown(-5) }, look(0, 12, 1000), look(300, 13, 940)), "unclear",
    "the clock was set back")
end

function T.test_a_look_too_soon_after_it_does_not_count()
  local v = judge({ unknown(5) }, look(0, 12, 1000), nil, { look(10, 12, 1000) })
  assert_verdict(v, "unclear", "not been looked at since")
end

-- ---- calls cut by a look ----

function T.test_a_call_that_was_on_its_way_at_the_look_may_be_on_either_side()
  local cut = landed(-1, { accepted = T0 + 1 })
  assert_verdict(judge({ unknown(5), cut }, look(0, 0), look(300, 1)), "unclear")
  assert_verdict(judge({ unknown(5), cut }, look(0, 0), look(300, 0)), "not_taken")
  assert_verdict(judge({ unknown(5), cut }, look(0, 0), look(300, 2)), "taken")
end

function T.test_an_open_call_of_just_before_blurs_the_look()
  assert_verdict(judge({ unknown(5), unknown(-10) }, look(0, 0), look(300, 1)), "unclear")
  assert_verdict(judge({ unknown(5), unknown(-600) }, look(0, 0), look(300, 1)), "taken")
end

function T.test_credits_given_back_for_calls_under_way_leave_the_counts()
  local refunded = attempt("failed", -100, { held = 0, cost = 0, accepted = T0 - 99,
    ended = T0 + 50 })
  local v = judge({ unknown(5), refunded }, look(0, 1, 1000), look(300, 2, 1000))
  assert_verdict(v, "taken", "were given back in between")
end

function T.test_a_call_that_failed_for_nothing_costs_nothing_but_counts()
  local failed = attempt("failed", 6, { held = 0, cost = 0, accepted = T0 + 7,
    ended = T0 + 20 })
  assert_verdict(judge({ unknown(5), failed }, look(0, 0, 1000), look(300, 1, 1000)),
    "not_taken")
end

function T.test_a_call_that_still_runs_holds_its_credits()
  local running = attempt("running", 6, { accepted = T0 + 7 })
  assert_verdict(judge({ unknown(5), running }, look(0, 0, 1000), look(300, 1, 940)),
    "not_taken", "known here account for 60")
end

return T
