--- One submission against an account that is made up: what is held, what is booked, and
--- what is noted when the task around it is cancelled at a bad moment.
local answer = require "rushes.provider.runway.answer"
local core = require "rt.c.core"
local err = require "rt.err"
local jobs = require "rushes.take.job"
local ledgers = require "rushes.money.ledger"
local lu = require "luaunit"
local stop = require "rushes.stop"
local task = require "rt.task"

local T = {}

local HELD = 60000

function T.tearDown() stop.reset() end

--- An account whose functions can be replaced.
local function account(provider)
  local p = { submit = function() return { method = "POST" } end,
    accept = function() return { handle = { id = "t1" }, state = "queued" } end,
    poll_req = function() return { method = "GET" } end,
    cancel = function() return { method = "DELETE" } end }
  for name, fn in pairs(provider) do p[name] = fn end
  local sent = {}
  return { provider = p, cfg = {}, sent = sent, pace = function() return 0 end,
    submit = function() return { status = 200 } end,
    request = function(_, req)
      sent[#sent + 1] = req.method
      return { status = req.method == "DELETE" and 204 or 200 }
    end }
end

--- A record that notes what it is told.
local function record()
  local said = {}
  return setmetatable({ said = said }, { __index = function(_, name)
    return function()
      -- as a write does: raises in a task that was cancelled
      if name == "sent" or name == "accepted" then task.yield() end
      said[#said + 1] = name
      return true
    end
  end })
end

local function job_of(acc, rec)
  local ledger = ledgers.new("show night", 100)
  assert(ledger:reserve(HELD, "shot a"))
  return jobs.new(acc, { name = "shot a", model = "m" }, { ledger }, HELD, rec), ledger
end

function T.test_an_estimate_above_the_price_is_held()
  local job, ledger = job_of(account { accept = function()
    return { handle = { id = "t1" }, estimate = 90000 }
  end })
  assert(job:submit())
  lu.assertEquals({ job.held, ledger.reserved }, { 90000, 90000 })
  local ok, e = ledger:reserve(11000, "shot b")
  lu.assertNil(ok)
  lu.assertEquals(e.code, "budget")
end

function T.test_a_cancelled_task_that_had_begun_is_booked_in_full()
  for state, cost in pairs { running = HELD, queued = 0, throttled = 0 } do
    local job, ledger = job_of(account { update = function() return { state = state } end })
    assert(job:submit())
    assert(job:cancel())
    lu.assertEquals({ ledger.reserved, ledger.spent }, { 0, cost }, state)
  end
end

function T.test_what_cannot_be_read_is_not_cancelled()
  local acc = account { update = function() return nil, err.new("auth", "no") end }
  local job, ledger = job_of(acc)
  assert(job:submit())
  lu.assertEquals(select(2, job:cancel()).code, "auth")
  lu.assertEquals(acc.sent, { "GET" })
  lu.assertEquals(ledger.reserved, HELD)
end

function T.test_a_submission_is_noted_as_unknown_although_its_task_was_cancelled()
  local acc, rec = account {}, record()
  function acc.submit()
    task.sleep(0.1)
    return nil, err.new("network", "it broke", { sent = true })
  end
  local job, ledger = job_of(acc, rec)
  local done = task.timeout(0.02, function()
    job:submit()
    task.yield()
    return true
  end)
  lu.assertNil(done)
  lu.assertEquals(rec.said, { "sent", "unknown" })
  lu.assertEquals({ job.state, ledger.reserved }, { "failed", HELD })
end

function T.test_a_stop_while_the_sending_is_noted_sends_nothing()
  local acc, rec = account {}, record()
  local sent = false
  function acc.submit() sent = true end
  function rec.sent()
    stop.request "Ctrl-C"
    return true
  end
  local job, ledger = job_of(acc, rec)
  lu.assertEquals(select(2, job:submit()).code, "stopped")
  lu.assertFalse(sent)
  lu.assertEquals(rec.said, { "dropped" })
  lu.assertEquals(ledger.reserved, 0)
end

function T.test_a_sleep_ends_with_the_stop()
  local started = core.now()
  task.scope(function(s)
    s:spawn(function() stop.sleep(30) end)
    task.sleep(0.02)
    stop.request "Ctrl-C"
  end)
  stop.sleep(30)
  lu.assertTrue(core.now() - started < 10)
end

function T.test_only_runways_own_404_ends_a_task()
  local gone = answer.update(nil, { status = 404, headers = {},
    body = '{"error":"Could not find Task"}' })
  lu.assertEquals(gone.state, "cancelled")
  local update, e = answer.update(nil, { status = 404, headers = {},
    body = "<html><title>Not found</title></html>" })
  lu.assertNil(update)
  lu.assertTrue(e.final)
  lu.assertNotEquals(e.class, "expired")
end

return T
