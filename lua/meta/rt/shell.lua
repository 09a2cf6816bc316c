---@meta rt.shell
-- Made by tools/meta.lua: do not edit.

-- Command lines that a person is to type or paste.
local M = {}

--- A word as a POSIX shell takes it: in quotes if it needs them.
---@param word any
---@return string
function M.quote(word) end

return M
