--- The scheduler: every coroutine, every wait, how failure and cancellation travel.
--- Scopes and what scripts call are in rt.task, the rules in docs/concurrency.md.
local core = require "rt.c.core"
local timer = require "rt.c.timer"
local err = require "rt.err"

local create, running, yield = coroutine.create, coroutine.running, coroutine.yield
local isyieldable = coroutine.isyieldable
local step, MARK = core.step, core.mark
local pop, pack = core.pop, table.pack

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
M.Task = Task

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
---@field swept? boolean      all that waited then have been woken
---@field reason? rt.Err      why it was cancelled
---@field failed? any         the first error of a child or of the body
---@field joining? rt.Task
---@field closed? boolean
---@field key? any            of task.with, with its value
---@field value? any
---@field values? rt.Scope    where values are looked for, if not in the scope around

--- Tasks in the order in which they wait, linked through themselves: any of them
--- can leave at once. A plain `{}` is an empty one.
---@class rt.Queue
---@field first? rt.Task
---@field last? rt.Task

local current               -- the task that runs now
local ready_list, spare, tail = {}, {}, 0

local function ready(t)
  ready_list[tail + 1] = t -- may raise, if memory is out
  tail = tail + 1
end

--- The error that waits in this scope must raise, if any.
---@param scope rt.Scope
---@return rt.Err?
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
  t.hit = true
  ready(t)
  unlink(wait, t) -- last: what raises above leaves it where it is found again
end

local function sweep(scope)
  if scope.owner then interrupt(scope.owner) end
  for t in pairs(scope.tasks or {}) do interrupt(t) end
  for sub in pairs(scope.subs or {}) do
    if not sub.shielded then sweep(sub) end
  end
end

--- Make every wait in the scope raise, and wake those that wait now.
---@param scope rt.Scope
---@param reason rt.Err
local function cancel_scope(scope, reason)
  if scope.swept then return end
  if not scope.cancelled then
    scope.reason = reason
    scope.cancelled = err.new("cancelled", "cancelled: " .. tostring(reason),
      { cause = reason })
  end
  sweep(scope)
  scope.swept = true -- unless memory ran out in between: then the next one goes on
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
---@param scope rt.Scope
---@param e any
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

--- Give up the scopes that the task has not left: it was ended in the middle, or
--- memory ran out while it left one.
local function abandon_scopes(t, e)
  while t.scope.owner == t do
    cancel_scope(t.scope, e)
    t.scope = t.scope.parent
  end
end

local function finish(t, ok, ...)
  if not ok then abandon_scopes(t, (...)) end
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
  abandon_scopes(t, e) -- before what closes with the coroutine looks at them
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

--- Resume every ready task once.
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

-- Runs up to the task's first step at once, so that the arguments wait on its stack.
local body = core.body(traced)

--- Make a task of `fn(...)` in the scope.
---@param scope rt.Scope
---@param at? string  "file:line" of the spawn
---@return rt.Task
local function start(scope, at, fn, ...)
  local t = setmetatable({ co = create(body), scope = scope,
    from = at and spawned_at(at), wait = nil }, Task)
  step(t.co, fn, ...)
  local tasks = scope.tasks
  if not tasks then
    tasks = {}
    scope.tasks = tasks
  end
  tasks[t] = true
  ready(t)
  scope.n = scope.n + 1 -- last: nobody waits for one that will not run
  return t
end

-- ---- for rt.task ----

--- Wake whoever waits for the operations that have finished.
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

--- The running task, if it may wait here; otherwise raises at the caller's caller.
---@return rt.Task
function M.waiter()
  local t = current
  if not t or running() ~= t.co or not isyieldable() then error(no_wait(t), 3) end
  return t
end

--- Give up the processor until somebody calls `ready` for this task.
function M.suspend() yield(MARK) end

---@return rt.Task?
function M.current() return current end

---@return boolean  is no task ready to run
function M.idle() return tail == 0 end

--- A yield of the script's own belongs into a coroutine of its own: in a task it
--- would never come back.
coroutine.yield = function(...) -- luacheck: ignore 122
  if current and running() == current.co then
    error("coroutine.yield in a task, outside of a coroutine of your own; "
      .. "task.yield() lets others run, a channel hands values over", 2)
  end
  return yield(...)
end

M.ready, M.cancellation, M.traced = ready, cancellation, traced
M.cancel_scope, M.fail_scope = cancel_scope, fail_scope
M.start, M.run_ready, M.pop_all = start, run_ready, pop_all

return M
