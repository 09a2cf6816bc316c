---@meta rt.c.signal
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- came() -> something has come since this was last asked
function M.came() end

--- count(name) -> how many have come
function M.count(name) end

--- number(name) -> integer | nil
function M.number(name) end

--- watch(name) -> it can be watched
--- From here on the signal is counted and has no other effect.
function M.watch(name) end

return M
