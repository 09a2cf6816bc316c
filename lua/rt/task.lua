--- Tasks and scopes: every coroutine, every wait, every cancellation.
--- The rules are written down in docs/concurrency.md; this file follows them.
local core = require "rt.c.core"
local timer = require "rt.c.timer"
local err = require "rt.err"

local create, running, yield = coroutine.create, coroutine.running, coroutine.yield
local resume, where = core.resume, core.where

local M = {}

---@class rt.Task
---@field co? thread          nil once done
---@field base rt.Scope       the scope that spawned it
---@field scope rt.Scope      the innermost scope that its body is in
---@field op? table           the operation it waits for
---@field unpark? fun(t: rt.Task)  takes it off the Lua-side queue it waits on
---@field at string           "file:line" of the spawn
---@field parent? rt.Task
---@field done? boolean
---@field ok? boolean
---@field values? table       results, or {error}
---@field watchers? table
local Task = {}
Task.__index = Task
Task.__name = "rt.Task"

---@class rt.Scope
---@field parent? rt.Scope
---@field owner rt.Task
---@field tasks table<rt.Task, true>
---@field subs table<rt.Scope, true>
---@field n integer           children not yet done
---@field shielded? boolean   cancellation from outside stops here
---@field cancelled? rt.Err   what awaits raise
---@field reason? rt.Err      why it was cancelled
---@field failed? rt.Err      the first failure of a child or of the body
---@field joining? rt.Task
---@field closed? boolean
local Scope = {}
Scope.__index = Scope
Scope.__name = "rt.Scope"

local MARK = {}             -- what our own yields yield
local current               -- the task that runs now
local queue, tail = {}, 0   -- tasks ready to run

local function ready(t)
  tail = tail + 1
  queue[tail] = t
end

--- The error that awaits in this scope must raise, if any.
local function cancellation(scope)
  while scope do
    if scope.cancelled then return scope.cancelled end
    if scope.shielded then return nil end
    scope = scope.parent
  end
end

local function must_be_task()
  if not current then error("this call waits, so it must run in a task", 3) end
  return current
end

--- Give up the processor until `ready(t)`.
local function suspend(t)
  if running() ~= t.co then
    error("cannot wait inside a coroutine of your own: spawn a task instead", 3)
  end
  yield(MARK)
end

--- Wait on the Lua side. `unpark` must take the task off its queue, and tell whether it
--- was still there.
local function park(t, unpark)
  t.unpark = unpark
  suspend(t)
  t.unpark = nil
  local e = cancellation(t.scope)
  if e then error(e, 0) end
end

local function interrupt(t)
  if not cancellation(t.scope) then return end
  if t.op then
    t.op:cancel()
  elseif t.unpark then
    local unpark = t.unpark
    t.unpark = nil
    if unpark(t) then ready(t) end -- otherwise it has been woken already
  end
end

local function sweep(scope)
  interrupt(scope.owner)
  for t in pairs(scope.tasks) do interrupt(t) end
  for sub in pairs(scope.subs) do
    if not sub.shielded then sweep(sub) end
  end
end

local function cancel_scope(scope, reason)
  if scope.cancelled then return end
  scope.reason = reason
  scope.cancelled = err.new("cancelled", "cancelled: " .. reason.message, { cause = reason })
  sweep(scope)
end

--- A child or the body failed: keep the first error, cancel the rest.
local function fail_scope(scope, e)
  if not scope.failed then
    scope.failed = e
    cancel_scope(scope, e)
  elseif scope.failed ~= e then
    local also = scope.failed.also or {}
    scope.failed.also = also
    also[#also + 1] = e
  end
end

local function traced(e)
  e = err.from(e)
  if e.code ~= "cancelled" and not e.traceback then
    e.traceback = debug.traceback("", 2)
    local spawned, t = {}, current
    while t and t.at do
      spawned[#spawned + 1] = t.at
      t = t.parent
    end
    e.spawned = spawned
  end
  return e
end

local function wake_watchers(list)
  for i = 1, #list do
    local t = list[i]
    list[i] = nil
    ready(t)
  end
end

local function finish(t, ok, ...)
  t.done, t.ok, t.co, t.op = true, ok, nil, nil
  t.values = select("#", ...) > 0 and table.pack(...) or nil
  local scope = t.base
  scope.tasks[t] = nil
  scope.n = scope.n - 1
  local e = ...
  if not ok and e ~= cancellation(scope) then fail_scope(scope, e) end
  if t.watchers then wake_watchers(t.watchers) end
  if scope.n == 0 and scope.joining then ready(scope.joining) end
end

local function body(t, fn, ...)
  finish(t, xpcall(fn, traced, ...))
  return MARK
end

local function first_step(t)
  local args = t.args
  t.args = nil
  local fn = t.fn
  t.fn = nil
  if args then return resume(t.co, t, fn, table.unpack(args, 1, args.n)) end
  return resume(t.co, t, fn)
end

local function step(t)
  current = t
  local ok, mark
  if t.fn then
    ok, mark = first_step(t)
  else
    ok, mark = resume(t.co)
  end
  current = nil
  if ok and mark == MARK then return end
  if ok then
    coroutine.close(t.co)
    mark = "coroutine.yield was called in a task; use task.yield or a channel"
  end
  if not t.done then finish(t, false, err.from(mark)) end
end

local function run_ready()
  local batch, n = queue, tail
  queue, tail = {}, 0
  for i = 1, n do
    local t = batch[i]
    if not t.done then step(t) end
  end
end

local function new_scope(parent, owner)
  return setmetatable(
    { parent = parent, owner = owner, tasks = {}, subs = {}, n = 0 }, Scope)
end

local function start(scope, at, fn, ...)
  local t = setmetatable({ base = scope, scope = scope, co = create(body), fn = fn,
    at = at, parent = current }, Task)
  if select("#", ...) > 0 then t.args = table.pack(...) end
  scope.tasks[t] = true
  scope.n = scope.n + 1
  ready(t)
  return t
end

--- Start a child. It runs when the caller next waits.
---@param fn async fun(...)
---@param ... any  its arguments
---@return rt.Task
function Scope:spawn(fn, ...)
  if self.closed then error("this scope has ended; nothing can be spawned in it", 2) end
  if type(fn) ~= "function" then
    error(("spawn wants a function, not a %s"):format(type(fn)), 2)
  end
  return start(self, where(2), fn, ...)
end

--- Cancel the body and every child, down to the shields.
---@param why? string
function Scope:cancel(why)
  cancel_scope(self, err.new("cancelled", why or "the scope was cancelled"))
end

--- Called by the scheduler when the scope's deadline timer has fired.
function Scope:expire()
  cancel_scope(self, err.new("timeout",
    ("took longer than %g s"):format(self.seconds), { retryable = true }))
end

local function join(s, t)
  s.joining = t
  while s.n > 0 do suspend(t) end
  s.closed, s.joining = true, nil
  if s.timer then
    s.timer:bind(nil)
    s.timer:cancel()
  end
  if s.parent then s.parent.subs[s] = nil end
  t.scope = s.parent
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
  if parent then parent.subs[s] = true end
  t.scope = s
  return leave(s, t, xpcall(fn, traced, ...))
end

--- Run `fn(scope)` and wait for every task that it spawned in the scope. The first
--- failure cancels the others and is raised after the last one has ended.
---@async
---@param fn async fun(s: rt.Scope)
---@return any ...  what `fn` returned; nil, err if the scope was cancelled
function M.scope(fn)
  local t = must_be_task()
  local s = new_scope(t.scope, t)
  return enter(s, t, fn, s)
end

local function with_deadline(shielded, seconds, fn, ...)
  local t = must_be_task()
  local s = new_scope(t.scope, t)
  s.shielded, s.seconds = shielded, seconds
  s.timer = timer.sleep(seconds)
  s.timer:bind(s)
  return enter(s, t, fn, ...)
end

--- Run `fn(...)`, cancelling it after `seconds`.
---@async
---@param seconds number
---@param fn async fun(...)
---@return any ...  its results, or nil and an error with code "timeout"
function M.timeout(seconds, fn, ...)
  return with_deadline(nil, seconds, fn, ...)
end

--- Run `fn(...)` out of reach of cancellation from outside, for at most `seconds`.
---@async
---@param seconds number
---@param fn async fun(...)
---@return any ...
function M.shield(seconds, fn, ...)
  return with_deadline(true, seconds, fn, ...)
end

local function try_end(t, ok, ...)
  if ok then return ... end
  local e = ...
  if e == cancellation(t.scope) then error(e, 0) end
  return nil, e
end

--- Call `fn(...)`; a raised error comes back as `nil, err`. The task's own
--- cancellation is not caught.
---@async
---@param fn async fun(...)
---@return any ...
function M.try(fn, ...)
  return try_end(must_be_task(), xpcall(fn, traced, ...))
end

--- Wait for an operation and return its results (`nil, err` if it failed).
---@async
---@param op table  an operation of a C module
---@return any ...
function M.await(op)
  local t = must_be_task()
  local e = cancellation(t.scope)
  if e then
    op:cancel()
    error(e, 0)
  end
  if not op:done() then
    op:bind(t)
    t.op = op
    suspend(t)
    t.op = nil
    e = cancellation(t.scope)
    if e then error(e, 0) end
  end
  return op:result()
end

--- Sleep. Other tasks run meanwhile.
---@async
---@param seconds number
function M.sleep(seconds) M.await(timer.sleep(seconds)) end

--- Let every other ready task run once.
---@async
function M.yield()
  local t = must_be_task()
  ready(t)
  suspend(t)
  local e = cancellation(t.scope)
  if e then error(e, 0) end
end

--- The task that runs now, or nil outside of one.
---@return rt.Task?
function M.current() return current end

--- Has the running task been cancelled (will its next wait raise)?
---@return boolean
function M.cancelled() return cancellation(must_be_task().scope) ~= nil end

local function without(list)
  return function(t)
    for i = 1, #list do
      if list[i] == t then return table.remove(list, i) end
    end
  end
end

--- Wait until `wake_all(list)`; for queues written in Lua.
---@async
---@param list rt.Task[]
function M.wait_on(list)
  local t = must_be_task()
  local e = cancellation(t.scope)
  if e then error(e, 0) end -- before the list knows of it
  list[#list + 1] = t
  park(t, without(list))
end

--- Wake every task that waits on the list.
---@param list rt.Task[]
function M.wake_all(list) wake_watchers(list) end

--- Wake the one that has waited longest.
---@param list rt.Task[]
---@return boolean  was there one
function M.wake_one(list)
  local t = table.remove(list, 1)
  if t then ready(t) end
  return t ~= nil
end

--- Wait for the task's end: its results, or its error raised. Observing does not
--- own: the task's scope fails with it all the same.
---@async
---@return any ...
function Task:await()
  if not self.done then
    self.watchers = self.watchers or {}
    M.wait_on(self.watchers)
  end
  local values = self.values or { n = 0 }
  if not self.ok then error(values[1], 0) end
  return table.unpack(values, 1, values.n)
end

--- Run every function in `fns` at once; results in the same order. The first
--- failure cancels the others and is raised.
---@async
---@param fns (async fun(): any)[]
---@return any[]
function M.all(fns)
  local results = { n = #fns }
  M.scope(function(s)
    for i, fn in ipairs(fns) do
      s:spawn(function() results[i] = fn() end)
    end
  end)
  return results
end

local interrupts, interrupt_signal, waiting_interrupt = 0, 0, {}

--- Wait for the next Ctrl-C, SIGHUP (each counts as one) or SIGTERM (counts as two).
--- Does not keep the program alive.
---@async
---@return integer count   how many there have been
---@return integer signal  the number of the last one
function M.interrupted()
  M.wait_on(waiting_interrupt)
  return interrupts, interrupt_signal
end

local function pop_all()
  local pop = core.pop
  local op, bound = pop()
  while op do
    if bound then
      if bound.co then
        ready(bound)
      elseif bound.expire then
        bound:expire()
      end
    end
    op, bound = pop()
  end
  local n, signal = core.interrupts()
  if n ~= interrupts then
    interrupts, interrupt_signal = n, signal
    wake_watchers(waiting_interrupt)
  end
end

local function deadlock(root)
  cancel_scope(root.base, err.new("deadlock",
    "every task waits for another one, so none can go on"))
end

--- Run `fn(scope)` as the first task and return when it and all its children have
--- ended. Called once, by the host.
---@param fn async fun(s: rt.Scope): any
---@return boolean ok
---@return any ...  results, or the error
function M.run(fn)
  local nursery = new_scope(nil, nil)
  local root = setmetatable({ scope = nursery, base = nursery, co = create(body) }, Task)
  nursery.owner, nursery.n, nursery.tasks[root] = root, 1, true
  root.fn, root.args = M.scope, table.pack(fn)
  ready(root)
  while true do
    run_ready()
    if root.done then break end
    local alive = core.poll(tail == 0)
    pop_all()
    if tail == 0 and not alive then deadlock(root) end
  end
  local values = root.values or { n = 0 }
  return root.ok, table.unpack(values, 1, values.n)
end

M.Scope, M.Task = Scope, Task

return M
