--- Tasks and scopes: every coroutine, every wait, every cancellation.
--- The rules are written down in docs/concurrency.md; this file follows them.
local core = require "rt.c.core"
local timer = require "rt.c.timer"
local err = require "rt.err"

local create, running, yield = coroutine.create, coroutine.running, coroutine.yield
local isyieldable = coroutine.isyieldable
local step, where, MARK = core.step, core.where, core.mark
local pop, pack, unpack = core.pop, table.pack, table.unpack

local M = {}

--- A task that waits holds four fields; there may be 100,000 of them.
---@class rt.Task
---@field co thread|false     false once it has ended
---@field scope rt.Scope      the innermost scope that its body is in
---@field from? rt.Spawn      where it was spawned
---@field wait? any           the operation or queue that it waits for
---@field name? string        shown in error reports
---@field hit? boolean        taken off a queue by cancellation
---@field before? rt.Task     neighbours in the queue
---@field after? rt.Task
---@field slot? any           what a queue's other side hands over
---@field out? table          results
---@field failed? any         or the error
---@field watchers? rt.Queue
local Task = { __name = "rt.Task" }
Task.__index = Task

---@class rt.Scope
---@field parent? rt.Scope
---@field owner? rt.Task
---@field n integer           children not yet ended
---@field tasks? table<rt.Task, true>
---@field subs? table<rt.Scope, true>
---@field shielded? boolean   cancellation from outside stops here
---@field seconds? number     the deadline
---@field timer? table
---@field cancelled? rt.Err   what waits raise
---@field reason? rt.Err      why it was cancelled
---@field failed? any         the first error of a child or of the body
---@field joining? rt.Task
---@field closed? boolean
local Scope = { __name = "rt.Scope" }
Scope.__index = Scope

--- Tasks in the order in which they wait, linked through themselves: any of them
--- can leave at once. A plain `{}` is an empty one.
---@class rt.Queue
---@field first? rt.Task
---@field last? rt.Task

local current               -- the task that runs now
local ready_list, spare, tail = {}, {}, 0

local function ready(t)
  tail = tail + 1
  ready_list[tail] = t
end

--- The error that waits in this scope must raise, if any.
local function cancellation(scope)
  repeat
    if scope.cancelled then return scope.cancelled end
    if scope.shielded then return nil end
    scope = scope.parent
  until not scope
end

-- ---- waiting ----

local NO_TASK = "this call waits, so it must run in a task"
local OWN_COROUTINE = "cannot wait inside a coroutine of your own: spawn a task instead"
local IN_C = "cannot wait inside a C function that calls Lua, such as table.sort or "
  .. "string.gsub: wait before or after it"

--- Why nothing may wait here.
local function no_wait(t)
  return not t and NO_TASK or running() ~= t.co and OWN_COROUTINE or IN_C
end

--- The running task, not cancelled, allowed to wait.
local function waiting_task()
  local t = current
  if not t or running() ~= t.co or not isyieldable() then error(no_wait(t), 3) end
  local e = cancellation(t.scope)
  if e then error(e, 0) end
  return t
end

--- An operation that was cancelled because its task was raises; any other result
--- counts, whatever came after it.
local function delivered(t, ...)
  local value, e = ...
  if value == nil and type(e) == "table" and e.code == "cancelled" then
    e = cancellation(t.scope)
    if e then error(e, 0) end
  end
  return ...
end

--- Wait for an operation and return its results (`nil, err` if it failed).
---@async
---@param op table  an operation of a C module
---@return any ...
function M.await(op)
  local t = current
  local e = t and cancellation(t.scope)
  if e or not t or running() ~= t.co or not isyieldable() then
    op:cancel()
    error(e or no_wait(t), e and 0 or 2)
  end
  if not op:done() then
    op:bind(t)
    t.wait = op
    yield(MARK)
    t.wait = nil
  end
  return delivered(t, op:result())
end

--- Sleep. Other tasks run meanwhile.
---@async
---@param seconds number  0 to 1e9
function M.sleep(seconds)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= 1e9) then
    error(("sleep wants seconds from 0 to 1e9, not %s"):format(tostring(seconds)), 2)
  end
  return M.await(timer.sleep(seconds))
end

--- Let every other ready task run once.
---@async
function M.yield()
  local t = waiting_task()
  ready(t)
  yield(MARK)
  local e = cancellation(t.scope)
  if e then error(e, 0) end
end

local function unlink(queue, t)
  local before, after = t.before, t.after
  if before then before.after = after else queue.first = after end
  if after then after.before = before else queue.last = before end
  t.before, t.after, t.wait = nil, nil, nil
end

--- Wait in a queue until somebody wakes this task; for what is written in Lua.
---@async
---@param queue rt.Queue
function M.wait_on(queue)
  local t = waiting_task()
  local last = queue.last
  if last then last.after, t.before = t, last else queue.first = t end
  queue.last, t.wait = t, queue
  yield(MARK)
  if t.hit then
    t.hit, t.slot = nil, nil
    error(cancellation(t.scope), 0)
  end
end

--- Wake the task that has waited longest.
---@param queue rt.Queue
---@return rt.Task?  which one, if there was one
function M.wake_one(queue)
  local t = queue.first
  if t then
    unlink(queue, t)
    ready(t)
  end
  return t
end

--- Wake every task in the queue.
---@param queue rt.Queue
function M.wake_all(queue)
  while M.wake_one(queue) do end
end

-- ---- cancelling and failing ----

local function interrupt(t)
  local wait = t.wait
  if not wait or not cancellation(t.scope) then return end
  if type(wait) == "userdata" then return wait:cancel() end
  unlink(wait, t)
  t.hit = true
  ready(t)
end

local function sweep(scope)
  if scope.owner then interrupt(scope.owner) end
  for t in pairs(scope.tasks or {}) do interrupt(t) end
  for sub in pairs(scope.subs or {}) do
    if not sub.shielded then sweep(sub) end
  end
end

local function cancel_scope(scope, reason)
  if scope.cancelled then return end
  scope.reason = reason
  scope.cancelled = err.new("cancelled", "cancelled: " .. tostring(reason),
    { cause = reason })
  sweep(scope)
end

local function keep_also(first, e)
  local also = first.also or {}
  for _, known in ipairs(also) do
    if known == e then return end
  end
  also[#also + 1] = e
  first.also = also
end

--- A child or the body failed: keep the first error, cancel the rest.
local function fail_scope(scope, e)
  if not scope.failed then
    scope.failed = e
    cancel_scope(scope, e)
  elseif scope.failed ~= e then
    keep_also(scope.failed, e)
  end
end

--- Message handler of every task body: any value as an error object that knows
--- where it was raised and where its task came from.
local function traced(e)
  e = err.from(e)
  if e.code ~= "cancelled" and not e.traceback then
    e.traceback = debug.traceback("", 2)
    e.task = e.task or current and current.name
    local spawned, from = {}, current and current.from
    while from do
      spawned[#spawned + 1] = from.at
      from = from.up
    end
    e.spawned = spawned
  end
  return e
end

-- ---- running ----

local function finish(t, ok, ...)
  local scope = t.scope
  t.co = false
  if not ok then
    t.failed = ...
  elseif select("#", ...) > 0 then
    t.out = pack(...)
  end
  scope.tasks[t] = nil
  scope.n = scope.n - 1
  if t.watchers then M.wake_all(t.watchers) end -- first: they see its own error
  if not ok and t.failed ~= cancellation(scope) then fail_scope(scope, t.failed) end
  if scope.n == 0 and scope.joining then
    ready(scope.joining)
    scope.joining = nil
  end
end

--- Only C can still yield foreign values (see coroutine.yield below): such a task
--- is ended, and what it was waiting for with it.
local function kill(t, e)
  while t.scope.owner == t do
    cancel_scope(t.scope, e)
    t.scope = t.scope.parent
  end
  coroutine.close(t.co)
  finish(t, false, e)
end

--- `how` and the rest are what core.step returned.
local function stepped(t, how, ...)
  current = nil
  if how == nil then return end
  if how == true then return finish(t, ...) end
  local why = how and "coroutine.yield was called in a task" or (...)
  kill(t, err.from(why))
end

local function run_ready()
  local batch, n = ready_list, tail
  ready_list, spare, tail = spare, nil, 0
  for i = 1, n do
    local t = batch[i]
    batch[i] = nil
    current = t
    stepped(t, step(t.co))
  end
  spare = n < 1000 and batch or {} -- a big one would stay big
end

---@class rt.Spawn
---@field at string       "file:line"
---@field up? rt.Spawn    where the spawning task was spawned
---@field depth integer

local DEPTH = 32 -- spawns remembered; a service that respawns itself goes on for ever
local roots = setmetatable({}, { __mode = "v" })

--- The record of a spawn, one for all tasks that came the same way.
local function spawned_at(at)
  local up = current and current.from
  if up and up.depth >= DEPTH then up = nil end
  local kids = up and up.kids or roots
  local record = kids and kids[at]
  if record then return record end
  record = { at = at, up = up, depth = up and up.depth + 1 or 1 }
  record.kids = setmetatable({}, { __mode = "v" })
  kids[at] = record
  return record
end

--- The body begins with the task's first step: it runs here up to its first line,
--- so that its arguments wait on its own stack.
local function body(fn, ...)
  yield(MARK)
  return xpcall(fn, traced, ...)
end

local function start(scope, from, fn, ...)
  local t = setmetatable({ co = create(body), scope = scope, from = from, wait = nil },
    Task)
  step(t.co, fn, ...)
  local tasks = scope.tasks
  if not tasks then
    tasks = {}
    scope.tasks = tasks
  end
  tasks[t] = true
  scope.n = scope.n + 1
  ready(t)
  return t
end

-- ---- scopes ----

local function new_scope(parent, owner)
  return setmetatable({ parent = parent, owner = owner, n = 0, tasks = nil }, Scope)
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
  return start(self, spawned_at(where(2)), fn, ...)
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
    yield(MARK)
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

local function scope_task(name, fn)
  local t = current
  if not t or running() ~= t.co or not isyieldable() then error(no_wait(t), 3) end
  if type(fn) ~= "function" then
    error(("%s wants a function, not a %s"):format(name, type(fn)), 3)
  end
  return t
end

--- Run `fn(scope)` and wait for every task that it spawned in the scope. The first
--- failure cancels the others and is raised after the last one has ended.
---@async
---@param fn async fun(s: rt.Scope): ...
---@return any ...  what `fn` returned; nil, err if the scope was cancelled
function M.scope(fn)
  local t = scope_task("scope", fn)
  local s = new_scope(t.scope, t)
  return enter(s, t, fn, s)
end

local function with_deadline(name, seconds, fn, ...)
  local t = scope_task(name, fn)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= 1e9) then
    error(("%s wants seconds from 0 to 1e9, not %s"):format(name, tostring(seconds)), 3)
  end
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
  return try_end(scope_task("try", fn), xpcall(fn, traced, ...))
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

--- The task that runs now, or nil outside of one.
---@return rt.Task?
function M.current() return current end

--- Has the running task been cancelled (will its next wait raise)?
---@return boolean
function M.cancelled()
  return current ~= nil and cancellation(current.scope) ~= nil
end

--- Has the task ended?
---@return boolean
function Task:ended() return self.co == false end

--- Wait for the task's end: its results, or its error raised. Observing does not
--- own: the task's scope fails with it all the same.
---@async
---@return any ...
function Task:await()
  if self == current then error("a task cannot wait for itself", 2) end
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

local function take_interrupts(nursery)
  local n, signal = core.interrupts()
  if n == interrupts then return end
  interrupts, last_signal = n, signal
  if interrupt_watchers.first then return M.wake_all(interrupt_watchers) end
  cancel_scope(nursery, err.new("interrupted",
    signal == 2 and "stopped by Ctrl-C" or "stopped by a signal", { signal = signal }))
end

local function pop_all()
  local bound = pop()
  while bound do
    if bound.co then
      ready(bound)
    elseif bound.expire then
      bound:expire()
    end
    bound = pop()
  end
end

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
  local root = start(nursery, nil, M.scope, fn)
  while true do
    run_ready()
    if not root.co then break end
    local alive = core.poll(tail == 0)
    pop_all()
    take_interrupts(nursery)
    if tail == 0 and not alive then deadlock(nursery) end
  end
  local e = root.failed
  if e ~= nil then return false, e == nursery.cancelled and nursery.reason or e end
  if root.out then return true, unpack(root.out, 1, root.out.n) end
  return true
end

--- A yield of the script's own belongs into a coroutine of its own: in a task it
--- would never come back.
coroutine.yield = function(...) -- luacheck: ignore 122
  if current and running() == current.co then
    error("coroutine.yield in a task, outside of a coroutine of your own; "
      .. "task.yield() lets others run, a channel hands values over", 2)
  end
  return yield(...)
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
