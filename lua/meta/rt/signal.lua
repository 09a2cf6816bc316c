---@meta rt.signal
-- Made by tools/meta.lua: do not edit.

-- Waiting for signals. It does not keep the program alive: where a task waits for a
-- signal and nothing else can go on, that is a deadlock as with any other wait for
-- nothing. A task that serves signals is cancelled with its scope.
local M = {}

--- Those that end a program; the host counts them in any case (see task.interrupted).
local ENDS = {}

--- Wait for the next signal of this name. From the first call on the signal has no other
--- effect, and one that comes between two calls is not lost; several of them then count
--- as one. SIGINT, SIGTERM and SIGHUP are those of task.interrupted.
---@async
---@param name string  "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT", "SIGQUIT", "SIGINT", …
---@return string name
function M.wait(name) end

return M
