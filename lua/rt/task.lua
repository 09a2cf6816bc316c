--- Tasks and scopes, as scripts use them. The rules are written down in
--- docs/concurrency.md; the scheduler is rt.sched.
local core = require "rt.c.core"
local err = require "rt.err"
local sched = require "rt.sched"
local timer = require "rt.c.timer"

local cancellation, traced, waiter = sched.cancellation, sched.traced, sched.waiter
local cancel_scope, fail_scope = sched.cancel_scope, sched.fail_scope
local Task, unpack = sched.Task, table.unpack

local M = {
  await = sched.await,
  sleep = sched.sleep,
  yield = sched.yield,
  current = sched.current,
  wait_on = sched.wait_on,
  wake_one = sched.wake_one,
  wake_all = sched.wake_all,
}

local Scope = { __name = "rt.Scope" }
Scope.__index = Scope

local function new_scope(parent, owner)
  return setmetatable({ parent = parent, owner = owner, n = 0, tasks = nil }, Scope)
end

--- The nearest scope that carries a value of `task.with`.
local function carrier(scope)
  while scope and scope.key == nil do scope = scope.values or scope.parent end
  return scope
end

local inheriting

--- Start a child. It runs when the caller next waits, and sees the caller's values.
---@param fn async fun(...)
---@param ... any  its arguments
---@return rt.Task
function Scope:spawn(fn, ...)
  if self.closed then error("this scope has ended; nothing can be spawned in it", 2) end
  if type(fn) ~= "function" then
    error(("spawn wants a function, not a %s"):format(type(fn)), 2)
  end
  local t = sched.current()
  local values = t and t.scope ~= self and carrier(t.scope)
  if values and values ~= carrier(self) then
    return sched.start(self, core.where(2), inheriting, values, fn, ...)
  end
  return sched.start(self, core.where(2), fn, ...)
end

--- Cancel the body and every child, down to the shields.
---@param why? string  one sentence
function Scope:cancel(why)
  cancel_scope(self, err.new("cancelled", why or "the scope was cancelled"))
end

--- Called by the scheduler when the scope's deadline timer has ended.
function Scope:expire()
  cancel_scope(self, err.new("timeout", ("took longer than %g s"):format(self.seconds),
    { retryable = true }))
end

local function join(s, t)
  while s.n > 0 do
    s.joining = t
    sched.suspend()
  end
  s.closed = true
  if s.timer then
    s.timer:bind(nil)
    s.timer:cancel()
  end
  t.scope = s.parent
  if s.parent then s.parent.subs[s] = nil end
end

local function leave(s, t, ok, ...)
  if not ok and (...) ~= cancellation(s) then fail_scope(s, (...)) end
  join(s, t)
  if s.failed then error(s.failed, 0) end
  if ok then return ... end
  if s.cancelled == (...) then return nil, s.reason end
  error((...), 0) -- cancelled from outside: pass it on
end

local function enter(s, t, fn, ...)
  local parent = s.parent
  if parent then
    parent.subs = parent.subs or {}
    parent.subs[s] = true
  end
  t.scope = s
  return leave(s, t, xpcall(fn, traced, ...))
end

local function must_be_function(name, fn)
  if type(fn) ~= "function" then
    error(("%s wants a function, not a %s"):format(name, type(fn)), 3)
  end
end

--- Run `fn(scope)` and wait for every task that it spawned in the scope. The first
--- failure cancels the others and is raised after the last one has ended.
---@async
---@param fn async fun(s: rt.Scope): ...
---@return any ...  what `fn` returned; nil, err if the scope was cancelled
function M.scope(fn)
  must_be_function("scope", fn)
  local t = waiter()
  local s = new_scope(t.scope, t)
  return enter(s, t, fn, s)
end

--- The body of a task spawned in a scope outside of the `task.with` around its spawner.
function inheriting(values, fn, ...)
  local t = waiter()
  local s = new_scope(t.scope, t)
  s.values = values
  return enter(s, t, fn, ...)
end

--- Run `fn(...)` with a value that `task.value(key)` gives in it, and in every task
--- that is spawned meanwhile, for as long as that task runs.
---@async
---@param key any    not nil; a table of one's own cannot clash
---@param value any  nil hides an outer one
---@param fn async fun(...): ...
---@return any ...  its results
function M.with(key, value, fn, ...)
  if key == nil then error("with wants a key that is not nil", 2) end
  must_be_function("with", fn)
  local t = waiter()
  local s = new_scope(t.scope, t)
  s.key, s.value = key, value
  return enter(s, t, fn, ...)
end

--- The value that the innermost `task.with(key, …)` around the running task gave.
---@param key any
---@return any
function M.value(key)
  local t = sched.current()
  local s = t and t.scope
  while s do
    if s.key == key then return s.value end
    s = s.values or s.parent
  end
end

local function with_deadline(name, seconds, fn, ...)
  must_be_function(name, fn)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= 1e9) then
    error(("%s wants seconds from 0 to 1e9, not %s"):format(name, tostring(seconds)), 3)
  end
  local t = waiter()
  local s = new_scope(t.scope, t)
  s.shielded, s.seconds = name == "shield", seconds
  s.timer = timer.sleep(seconds)
  s.timer:bind(s)
  return enter(s, t, fn, ...)
end

--- Run `fn(...)`, cancelling it after `seconds`.
---@async
---@param seconds number  0 to 1e9
---@param fn async fun(...): ...
---@return any ...  its results, or nil and an error with code "timeout"
function M.timeout(seconds, fn, ...) return with_deadline("timeout", seconds, fn, ...) end

--- Run `fn(...)` out of reach of cancellation from outside, for at most `seconds`.
---@async
---@param seconds number  0 to 1e9
---@param fn async fun(...): ...
---@return any ...  its results, or nil and an error with code "timeout"
function M.shield(seconds, fn, ...) return with_deadline("shield", seconds, fn, ...) end

local function try_end(t, ok, ...)
  if ok then return ... end
  local e = ...
  if e == cancellation(t.scope) then error(e, 0) end
  return nil, e
end

--- Call `fn(...)`; a raised error comes back as `nil, err`. The task's own
--- cancellation is not caught.
---@async
---@param fn async fun(...): ...
---@return any ...
function M.try(fn, ...)
  must_be_function("try", fn)
  local t = sched.current()
  if not t then error("task.try must be called in a task", 2) end
  return try_end(t, xpcall(fn, traced, ...))
end

--- Run every function in `fns` at once; results in the same order. The first
--- failure cancels the others and is raised.
---@async
---@param fns (async fun(): any)[]
---@return any[]  with `n`, because some may be nil
function M.all(fns)
  local results = { n = #fns }
  M.scope(function(s)
    for i, fn in ipairs(fns) do
      s:spawn(function() results[i] = fn() end)
    end
  end)
  return results
end

-- ---- looking at tasks ----

--- Has the running task been cancelled (will its next wait raise)?
---@return boolean
function M.cancelled()
  local t = sched.current()
  return t ~= nil and cancellation(t.scope) ~= nil
end

--- Has the task ended?
---@return boolean
function Task:ended() return self.co == false end

--- Wait for the task's end: its results, or its error raised. Observing does not
--- own: the task's scope fails with it all the same.
---@async
---@return any ...
function Task:await()
  if self == sched.current() then error("a task cannot wait for itself", 2) end
  if self.co then
    self.watchers = self.watchers or {}
    M.wait_on(self.watchers)
  end
  if self.failed ~= nil then error(self.failed, 0) end
  if self.out then return unpack(self.out, 1, self.out.n) end
end

-- ---- the host's side ----

local interrupts, last_signal, interrupt_watchers = 0, nil, {}

--- Wait for a signal to end (Ctrl-C, SIGTERM, SIGHUP). Does not keep the program
--- alive. While a task waits here, signals do nothing by themselves.
---@async
---@param seen? integer  return at once if there have been more than these
---@return integer count   how many there have been; SIGTERM counts twice
---@return integer signal  number of the last one
function M.interrupted(seen)
  if not seen or interrupts <= seen then M.wait_on(interrupt_watchers) end
  return interrupts, last_signal
end

--- Forget the signals so far: the next one is the first again, as at a prompt.
function M.forget_interrupts()
  core.interrupts(0)
  interrupts = 0
end

local function take_interrupts(nursery)
  local n, signal = core.interrupts()
  local more = n > interrupts
  interrupts, last_signal = n, signal
  if not more then return end
  if interrupt_watchers.first then return M.wake_all(interrupt_watchers) end
  cancel_scope(nursery, err.new("interrupted",
    signal == 2 and "stopped by Ctrl-C" or "stopped by a signal", { signal = signal }))
end

local each_turn -- what rt.signal looks at after every turn of the loop

--- For rt.signal: call `fn` after each turn of the loop. It must not wait.
---@param fn fun()
function M.on_turn(fn) each_turn = fn end

--- "file:line" in the script or library where a task stands.
local function place(t)
  local level, info = 0, debug.getinfo(t.co, 0, "Sl")
  while info do
    if info.currentline > 0 and not info.source:find "^@rt/" then
      return ("%s:%d"):format(info.short_src, info.currentline)
    end
    level = level + 1
    info = debug.getinfo(t.co, level, "Sl")
  end
  return t.from and t.from.at or "?"
end

local function places(scope, list)
  for t in pairs(scope.tasks or {}) do
    if t.wait ~= interrupt_watchers then list[#list + 1] = place(t) end
  end
  for sub in pairs(scope.subs or {}) do places(sub, list) end
  return list
end

local function deadlock(nursery)
  local waiting = places(nursery, {})
  table.sort(waiting)
  cancel_scope(nursery, err.new("deadlock", ("every task waits for another one, so none "
    .. "can go on (%s)"):format(table.concat(waiting, ", ")), { waiting = waiting }))
end

--- Run `fn(scope)` as the first task and return when it and all its children have
--- ended. Called once, by the host.
---@param fn async fun(s: rt.Scope): any
---@return boolean ok
---@return any ...  results, or the error
function M.run(fn)
  local nursery = new_scope(nil, nil)
  local root = sched.start(nursery, nil, M.scope, fn)
  while true do
    sched.run_ready()
    if not root.co then break end
    local alive = core.poll(sched.idle())
    sched.pop_all()
    take_interrupts(nursery)
    if each_turn then each_turn() end
    if sched.idle() and not alive then deadlock(nursery) end
  end
  local e = root.failed
  if e ~= nil and e ~= nursery.cancelled then return false, e end
  -- also when the tasks that were cancelled had nobody to raise it to
  if nursery.cancelled then return false, nursery.reason end
  if root.out then return true, unpack(root.out, 1, root.out.n) end
  return true
end

local in_sync = { semaphore = true, channel = true }

--- Loaded when first used.
setmetatable(M, { __index = function(t, name)
  if not in_sync[name] then return nil end
  local value = require("rt.sync")[name]
  t[name] = value
  return value
end })

return M
