---@meta rt.task
-- Made by tools/meta.lua: do not edit.

-- Tasks and scopes, as scripts use them. The rules are written down in
-- docs/concurrency.md; the scheduler is rt.sched.
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
local Task = {}

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
local Scope = {}

--- Wait for an operation and return its results (`nil, err` if it failed).
---@async
---@param op table  an operation of a C module
---@return any ...
function M.await(op) end

--- Sleep. Other tasks run meanwhile.
---@async
---@param seconds number  0 to 1e9
function M.sleep(seconds) end

--- Let every other ready task run once.
---@async
function M.yield() end

---@return rt.Task?
function M.current() end

--- Wait in a queue until somebody wakes this task; for what is written in Lua.
---@async
---@param queue rt.Queue
function M.wait_on(queue) end

--- Wake the task that has waited longest.
---@param queue rt.Queue
---@return rt.Task?  which one, if there was one
function M.wake_one(queue) end

--- Wake every task in the queue.
---@param queue rt.Queue
function M.wake_all(queue) end

---@class rt.Semaphore
---@field free integer     slots that nobody holds
---@field size integer
---@field private _queue rt.Queue
local Semaphore = {}

--- At most `n` holders at once; further ones wait, first come first served.
---@param n integer  at least 1
---@return rt.Semaphore
function M.semaphore(n) end

--- Wait for a slot.
---@async
function Semaphore:acquire() end

--- Give a slot back: to the task that has waited longest, if any.
function Semaphore:release() end

--- Call `f(...)` while holding a slot; it is given back whatever happens.
---@async
---@param f async fun(...): ...
---@return any ...
function Semaphore:with(f, ...) end

---@class rt.Channel
---@field closed boolean
---@field private _capacity integer
---@field private _items table     buffered values, from _from to _to
---@field private _senders rt.Queue
---@field private _receivers rt.Queue
local Channel = {}

--- A channel that holds up to `capacity` values nobody has received yet.
---@param capacity? integer  default 0: a send waits for its receiver
---@return rt.Channel
function M.channel(capacity) end

--- Hand a value over; waits while the channel is full.
---@async
---@param v any  not nil
---@return true?
---@return rt.Err? err  code "closed"
function Channel:send(v) end

--- The next value; waits for one. nil when the channel is closed and empty.
---@async
---@return any?
function Channel:recv() end

--- `for v in channel:each() do`: every value until the channel is closed and empty.
---@return async fun(): any?
function Channel:each() end

--- No more sends. Buffered values can still be received.
function Channel:close() end

--- Start a child. It runs when the caller next waits, and sees the caller's values.
---@param fn async fun(...)
---@param ... any  its arguments
---@return rt.Task
function Scope:spawn(fn, ...) end

--- Cancel the body and every child, down to the shields.
---@param why? string  one sentence
function Scope:cancel(why) end

--- Called by the scheduler when the scope's deadline timer has ended.
function Scope:expire() end

--- Run `fn(scope)` and wait for every task that it spawned in the scope. The first
--- failure cancels the others and is raised after the last one has ended.
---@async
---@param fn async fun(s: rt.Scope): ...
---@return any ...  what `fn` returned; nil, err if the scope was cancelled
function M.scope(fn) end

--- Run `fn(...)` with a value that `task.value(key)` gives in it, and in every task
--- that is spawned meanwhile, for as long as that task runs.
---@async
---@param key any    not nil; a table of one's own cannot clash
---@param value any  nil hides an outer one
---@param fn async fun(...): ...
---@return any ...  its results
function M.with(key, value, fn, ...) end

--- The value that the innermost `task.with(key, …)` around the running task gave.
---@param key any
---@return any
function M.value(key) end

--- Run `fn(...)`, cancelling it after `seconds`.
---@async
---@param seconds number  0 to 1e9
---@param fn async fun(...): ...
---@return any ...  its results, or nil and an error with code "timeout"
function M.timeout(seconds, fn, ...) end

--- Run `fn(...)` out of reach of cancellation from outside, for at most `seconds`.
---@async
---@param seconds number  0 to 1e9
---@param fn async fun(...): ...
---@return any ...  its results, or nil and an error with code "timeout"
function M.shield(seconds, fn, ...) end

--- Call `fn(...)`; a raised error comes back as `nil, err`. The task's own
--- cancellation is not caught.
---@async
---@param fn async fun(...): ...
---@return any ...
function M.try(fn, ...) end

--- Run every function in `fns` at once; results in the same order. The first
--- failure cancels the others and is raised.
---@async
---@param fns (async fun(): any)[]
---@return any[]  with `n`, because some may be nil
function M.all(fns) end

--- Has the running task been cancelled (will its next wait raise)?
---@return boolean
function M.cancelled() end

--- Has the task ended?
---@return boolean
function Task:ended() end

--- Wait for the task's end: its results, or its error raised. Observing does not
--- own: the task's scope fails with it all the same.
---@async
---@return any ...
function Task:await() end

--- Wait for a signal to end (Ctrl-C, SIGTERM, SIGHUP). Does not keep the program
--- alive. While a task waits here, signals do nothing by themselves.
---@async
---@param seen? integer  return at once if there have been more than these
---@return integer count   how many there have been; SIGTERM counts twice
---@return integer signal  number of the last one
function M.interrupted(seen) end

--- Forget the signals so far: the next one is the first again, as at a prompt.
function M.forget_interrupts() end

--- For rt.signal: call `fn` after each turn of the loop. It must not wait.
---@param fn fun()
function M.on_turn(fn) end

--- Run `fn(scope)` as the first task and return when it and all its children have
--- ended. Called once, by the host.
---@param fn async fun(s: rt.Scope): any
---@return boolean ok
---@return any ...  results, or the error
function M.run(fn) end

return M
