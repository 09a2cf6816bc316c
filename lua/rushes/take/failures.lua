--- What happens after a failure, as data and pure functions: is a submission sent again,
--- is a paid call that failed bought again, and after how many seconds. docs/errors.md
--- has the same tables for people.
local M = {}

---@class rushes.failures.Rule
---@field count integer  how often at most
---@field wait number    seconds before the first time
---@field growth number  each further wait is so many times as long
---@field jitter number  up to this part of the wait is added to it
---@field cap? number    seconds that a wait has at most, jitter not counted

--- How often a paid call that failed is bought again by itself, by failure class. A
--- class that is not here never is: the same request would fail, and may be charged,
--- again.
---@type table<string, rushes.failures.Rule>
M.AGAIN = {
  internal = { count = 2, wait = 10, growth = 2, jitter = 0.5 },
  unavailable = { count = 3, wait = 30, growth = 2, jitter = 0.5 },
  bad_output = { count = 1, wait = 5, growth = 1, jitter = 0.5 },
}

--- How often a submission that was certainly not taken is sent again.
---@type rushes.failures.Rule
M.RESEND = { count = 4, wait = 1, growth = 2, jitter = 0.5, cap = 20 }

--- Seconds that we wait at most because the provider says so (Retry-After).
M.PATIENCE = 300

---@param rule rushes.failures.Rule
---@param n integer  how often it has failed, from 1 on
---@param random fun(): number
local function pause(rule, n, random)
  local wait = rule.wait * rule.growth ^ (n - 1)
  if rule.cap then wait = math.min(wait, rule.cap) end
  return wait * (1 + rule.jitter * random())
end

--- Seconds until a paid call that has failed is bought again, or nil: leave it failed.
--- What was charged is never bought again by itself.
---@param e rt.Err     of the provider's answer: `class`, `charged`
---@param n integer    how many of the call's attempts have failed, from 1 on
---@param random? fun(): number  from 0 to 1; math.random
---@return number?
function M.again(e, n, random)
  local rule = M.AGAIN[e.class]
  if not rule or e.charged == true or n > rule.count then return nil end
  return pause(rule, n, random or math.random)
end

--- Was the call certainly not taken, so that the same one may be sent?
local function refused(resp, e)
  if not resp then return e.sent == false and e.retryable end
  return e.resend == true and not e.daily
end

--- May the call have been taken, although nobody can name its task?
local function uncertain(resp, e)
  if not resp then return e.sent ~= false end
  if e.unknown then return true end
  local status = e.status or resp.status
  return not e.resend and (type(status) ~= "number" or status < 400 or status >= 500)
end

--- What to do with a submission that brought no task: "resend" after so many seconds;
--- "unknown", it may have been taken, so its credits stay held and it is not sent again;
--- or "fail", it was not taken and sending the same again is of no use (now).
---@param resp? table  the answer; nil when none came
---@param e rt.Err     of `rt.net` (`sent`, `retryable`) when there is no answer, else
---                    of the provider (`unknown`, `resend`, `daily`, `status`,
---                    `retry_after`)
---@param n integer    how often it has been sent, from 1 on
---@param random? fun(): number  from 0 to 1; math.random
---@return "resend"|"unknown"|"fail" verdict
---@return number? seconds  with "resend"
function M.submission(resp, e, n, random)
  if uncertain(resp, e) then return "unknown" end
  if not refused(resp, e) or n > M.RESEND.count then return "fail" end
  local wait = pause(M.RESEND, n, random or math.random)
  if e.retry_after then wait = math.max(wait, math.min(e.retry_after, M.PATIENCE)) end
  return "resend", wait
end

return M
