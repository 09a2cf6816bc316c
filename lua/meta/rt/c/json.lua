---@meta rt.c.json
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

M.array_meta = nil

function M.encode(...) end

M.object_meta = nil

--- tidy(decoded) -> value
function M.tidy(decoded) end

--- unsafe(text) -> {first, last, first, last, ...} | nothing
--- Positions of the number literals that a double may not hold exactly.
function M.unsafe(text) end

return M
