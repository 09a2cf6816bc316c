---@meta rt.strict
-- Made by tools/meta.lua: do not edit.

-- Strict globals for a studio's own code: a misspelt name is an error where it
-- stands, not a nil later. Libraries from LUA_PATH keep the plain globals, because
-- many of them probe for names that are not there.
local M = {}

--- The environment that scripts, and modules beside them, run in.
---@return table
function M.env() end

return M
