--- Call again what failed for a reason that may pass: exponential backoff, capped,
--- with full jitter. Knows nothing of HTTP: it looks at `err.retryable` alone.
local core = require "rt.c.core"
local task = require "rt.task"

local M = {}

---@class rt.retry.Opts
---@field attempts? integer  calls in all, default 5
---@field base? number       seconds that the first wait has at most, default 0.5
---@field cap? number        seconds that any wait has at most, default 30; a longer
---                          `retry_after` of the peer ends the trying
---@field deadline? number   seconds for everything, waits included; default none

---@param n integer  calls made so far
---@param opts rt.retry.Opts
---@param e rt.Err
---@return number? seconds  nil: the peer wants more patience than we have
local function pause(n, opts, e)
  local cap = opts.cap or 30
  if e.retry_after then
    if e.retry_after > cap then return nil end
    return e.retry_after
  end
  return math.random() * math.min((opts.base or 0.5) * 2 ^ (n - 1), cap)
end

--- Call `fn` until it gives a value, fails for good, or the tries run out.
---@async
---@generic T
---@param fn async fun(n: integer): T?, rt.Err?  is told the number of the try
---@param opts? rt.retry.Opts
---@return T? value
---@return rt.Err? err  the last one, with `attempts` filled in
function M.call(fn, opts)
  opts = opts or {}
  local limit = opts.attempts or 5
  local ends = opts.deadline and core.now() + opts.deadline
  for n = 1, limit do
    local value, e = fn(n)
    if value ~= nil then return value end
    local wait = e.retryable and n < limit and pause(n, opts, e)
    if not wait or (ends and core.now() + wait > ends) then
      e.attempts = n
      return nil, e
    end
    task.sleep(wait)
  end
end

return M
