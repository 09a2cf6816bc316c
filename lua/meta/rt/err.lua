---@meta rt.err
-- Made by tools/meta.lua: do not edit.

-- Error objects: what the world's failures look like in Lua.
local M = {}

---@class rt.Err
---@field code string          closed list, docs/errors.md
---@field message string       one sentence, no final dot, no secrets
---@field retryable boolean    the only thing that retry code looks at
---@field retry_after? number  seconds, if the peer said so
---@field status? integer      HTTP status
---@field cause? any           the lower error
---@field also? any[]          other failures of the same scope
---@field traceback? string    where it was raised
---@field spawned? string[]    "file:line" of the spawns that led there, nearest first
---@field task? string         name of the task that raised it

--- Make an error object.
---@param code string
---@param message string
---@param fields? table  copied into the object
---@return rt.Err
function M.new(code, message, fields) end

--- Is `v` an error object (with this code)?
---@param v any
---@param code? string
---@return boolean
function M.is(v, code) end

--- Any raised value as an error object; a plain string becomes code "script".
---@param v any
---@return rt.Err
function M.from(v) end

return M
