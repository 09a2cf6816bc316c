---@meta rt.c.proc
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- end_input(child)
function M.end_input(child) end

--- environ() -> {"NAME=value", ...}
function M.environ() end

--- exit(child) -> op -> code, signal's name | nil. Cancelling it ends the
--- child, and the operation is done when it is dead. Once for a child.
function M.exit(child) end

--- kill(child, name | number) -> it was still running
function M.kill(child, name) end

--- pid(child) -> integer
function M.pid(child) end

--- read(child, 1 | 2) -> op -> string | nil at the end | nil, err
function M.read(child, n) end

--- spawn(argv, env, cwd|nil, in, out, err) -> child | nil, err
--- The last three are "null", "pipe" or "inherit".
function M.spawn(argv, env, cwd, stdin, stdout, err) end

--- write(child, string) -> op. Cancelling it closes the input.
function M.write(child, string) end

return M
