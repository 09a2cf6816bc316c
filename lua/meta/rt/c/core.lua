---@meta rt.c.core
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- body(handler) -> what a task's coroutine is made of
function M.body(handler) end

--- error_meta() -> the metatable of error objects
function M.error_meta() end

--- interrupts([n]) -> how many, number of the last signal
--- With `n` the count starts anew from there: the prompt takes each Ctrl-C as
--- the first.
function M.interrupts(n) end

M.mark = nil

--- now() -> seconds on a clock that never goes back
function M.now() end

--- pending() -> how many operations are in flight
function M.pending() end

--- poll(block) -> something is still in flight
function M.poll(block) end

--- pop() -> what is bound to the next finished operation, or the operation
--- itself | nothing
function M.pop() end

--- resume(co, ...) as coroutine.resume
function M.resume(co, ...) end

--- step(co, ...) -> nothing if it waits, that is, yielded `core.mark`;
--- "yield" if it yielded anything else; true, results... | false, error.
function M.step(co, ...) end

--- time() -> seconds since 1970, with a fraction
function M.time() end

--- where(level) -> "file:line" of a function on the caller's stack.
function M.where(level) end

return M
