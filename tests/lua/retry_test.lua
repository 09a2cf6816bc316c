local err = require "rt.err"
local lu = require "luaunit"
local retry = require "rt.retry"

local T = {}

local function failing(times, fields)
  local calls = 0
  return function(n)
    calls = calls + 1
    lu.assertEquals(n, calls)
    if calls <= times then return nil, err.new("network", "no", fields) end
    return calls
  end
end

function T.test_the_first_value_ends_it()
  local value = retry.call(failing(2, { retryable = true }), { base = 0.001 })
  lu.assertEquals(value, 3)
end

function T.test_what_is_not_retryable_is_not_tried_again()
  local value, e = retry.call(failing(2, { retryable = false }), { base = 0.001 })
  lu.assertNil(value)
  lu.assertEquals(e.attempts, 1)
end

function T.test_the_tries_run_out()
  local value, e = retry.call(failing(9, { retryable = true }), { attempts = 3, base = 0.001 })
  lu.assertNil(value)
  lu.assertEquals(e.attempts, 3)
  lu.assertEquals(e.code, "network")
end

function T.test_the_wait_that_the_peer_asks_for_is_taken_up_to_the_cap()
  local value = retry.call(failing(1, { retryable = true, retry_after = 0.01 }), { base = 60 })
  lu.assertEquals(value, 2)
  local none, e = retry.call(failing(1, { retryable = true, retry_after = 31 }))
  lu.assertNil(none)
  lu.assertEquals(e.attempts, 1)
end

function T.test_no_wait_goes_beyond_the_deadline()
  local value, e = retry.call(failing(9, { retryable = true, retry_after = 5 }),
    { deadline = 1 })
  lu.assertNil(value)
  lu.assertEquals(e.attempts, 1)
end

function T.test_false_is_a_value()
  lu.assertEquals(retry.call(function() return false end), false)
end

return T
