---@meta rt.c.timer
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- sleep(seconds) -> op
function M.sleep(seconds) end

return M
