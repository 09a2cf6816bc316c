local lu = require "luaunit"
local breakers = require "rushes.money.breaker"
local exit_status = require "rushes.cli.exit_status"

local T = {}

local STREET, ARM = { "shot:street" }, { "shot:lobby", "budget:exp/arm1" }

function T.test_three_refusals_of_one_shot_hold_back_its_rest_only()
  local breaker = breakers.new()
  for _ = 1, 3 do
    lu.assertNil(breaker:check(STREET))
    breaker:failed(STREET, "safety")
  end
  local e = breaker:check(STREET)
  lu.assertEquals(e.code, "moderation")
  lu.assertEquals(exit_status.of_error(e), 10)
  lu.assertStrContains(e.message,
    "not sent: moderation has refused 3 calls of shot street, so the rest of it is held")
  lu.assertStrContains(e.message, "change what was refused or take it out, or raise the")
  lu.assertStrContains(e.message, "--allow-moderated")
  lu.assertNil(breaker:check(ARM))
end

function T.test_different_shots_of_one_arm_count_together()
  local breaker = breakers.new()
  for _, shot in ipairs { "a", "b", "c" } do
    breaker:failed({ "shot:" .. shot, "budget:exp/arm1" }, "safety")
  end
  lu.assertNil(breaker:check { "shot:a" })
  local e = breaker:check(ARM)
  lu.assertStrContains(e.message, "3 calls of budget exp/arm1")
  lu.assertEquals({ e.key, e.count }, { "budget:exp/arm1", 3 })
end

function T.test_other_failures_do_not_count()
  local breaker = breakers.new(1)
  for _, class in ipairs { "bad_output", "asset", "internal", "unknown", "invalid" } do
    breaker:failed(STREET, class)
  end
  breaker:failed(STREET, nil)
  lu.assertNil(breaker:check(STREET))
  breaker:failed(STREET, "safety")
  lu.assertStrContains(breaker:check(STREET).message, "1 call of shot street")
end

function T.test_what_is_remembered_counts_once_for_each_content()
  local breaker = breakers.new(2)
  breaker:failed(ARM, "safety", "one")
  breaker:remembered(ARM, "one") -- asked for again in the same run
  breaker:remembered(STREET, "one")
  lu.assertNil(breaker:check(ARM))
  breaker:remembered(ARM, "two")
  breaker:remembered(ARM, "two")
  lu.assertEquals(breaker:check(ARM).count, 2)
  lu.assertNil(breaker:check(STREET))
end

function T.test_the_same_content_refused_twice_counts_twice()
  local breaker = breakers.new(2)
  for _ = 1, 2 do breaker:failed(STREET, "safety", "one") end -- both may be charged
  lu.assertEquals(breaker:check(STREET).count, 2)
end

function T.test_it_can_be_switched_off()
  local breaker = breakers.new(false)
  for i = 1, 10 do breaker:failed(STREET, "safety", "content " .. i) end
  lu.assertNil(breaker:check(STREET))
end

function T.test_wrong_limits()
  for _, limit in ipairs { 0, -1, 1.5, "3" } do
    lu.assertErrorMsgContains("whole number from 1 on", breakers.new, limit)
  end
end

return T
