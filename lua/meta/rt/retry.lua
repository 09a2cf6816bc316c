---@meta rt.retry
-- Made by tools/meta.lua: do not edit.

-- Call again what failed for a reason that may pass: exponential backoff, capped,
-- with full jitter. Knows nothing of HTTP: it looks at `err.retryable` alone.
local M = {}

---@class rt.retry.Opts
---@field attempts? integer  calls in all, default 5
---@field base? number       seconds that the first wait has at most, default 0.5
---@field cap? number        seconds that any wait has at most, default 30; a longer
---                          `retry_after` of the peer ends the trying
---@field deadline? number   seconds for everything, waits included; default none

--- Call `fn` until it gives a value, fails for good, or the tries run out.
---@async
---@generic T
---@param fn async fun(n: integer): T?, rt.Err?  is told the number of the try
---@param opts? rt.retry.Opts
---@return T? value
---@return rt.Err? err  the last one, with `attempts` filled in
function M.call(fn, opts) end

return M
