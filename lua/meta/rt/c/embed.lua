---@meta rt.c.embed
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- load(name) -> chunk | nothing; raises if the chunk is broken.
function M.load(name) end

--- names() -> sorted list of what can be loaded
function M.names() end

return M
