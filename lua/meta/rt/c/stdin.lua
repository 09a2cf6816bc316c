---@meta rt.c.stdin
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- open() -> reader | nil, err
function M.open() end

return M
