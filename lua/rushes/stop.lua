--- The flag that says: submit nothing more, but follow what is paid for. Set by the
--- first Ctrl-C; read by the studio before each paid call.
local err = require "rt.err"
local task = require "rt.task"

local M = {}

local reason
local watchers = {}

--- Has a stop been asked for?
---@return boolean
function M.requested() return reason ~= nil end

--- Ask for it. The first reason stays.
---@param why string  "Ctrl-C", "a closed terminal"
function M.request(why)
  if reason then return end
  reason = why
  for fn in pairs(watchers) do fn() end
end

--- Call `fn` when a stop is asked for, to wake who waits to submit. It must not wait.
---@param fn fun()  each function can be given once
---@return fun() off
function M.on_request(fn)
  watchers[fn] = true
  return function() watchers[fn] = nil end
end

--- Sleep, but not beyond the moment when a stop is asked for.
---@async
---@param seconds number
function M.sleep(seconds)
  if reason then return end
  local queue = {}
  local off = M.on_request(function() task.wake_all(queue) end)
  local _ <close> = setmetatable({}, { __close = off })
  task.timeout(seconds, task.wait_on, queue)
end

--- What a call that is not made because of it returns.
---@return rt.Err? err  nil while nobody has asked to stop
function M.err()
  if not reason then return nil end
  return err.new("stopped", ("not submitted: stopped by %s"):format(reason))
end

--- Forget it; for tests and the prompt of `rushes repl`.
function M.reset() reason = nil end

return M
