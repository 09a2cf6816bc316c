--- Error objects: what the world's failures look like in Lua.
local core = require "rt.c.core"

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

local meta = core.error_meta()

--- Make an error object.
---@param code string
---@param message string
---@param fields? table  copied into the object
---@return rt.Err
function M.new(code, message, fields)
  local e = { code = code, message = message, retryable = false }
  if fields then
    for k, v in pairs(fields) do e[k] = v end
  end
  return setmetatable(e, meta)
end

--- Is `v` an error object (with this code)?
---@param v any
---@param code? string
---@return boolean
function M.is(v, code)
  return getmetatable(v) == meta and (code == nil or v.code == code)
end

--- Any raised value as an error object; a plain string becomes code "script".
---@param v any
---@return rt.Err
function M.from(v)
  if M.is(v) then return v end
  local message = v
  if type(v) ~= "string" then
    message = ("an error value of type %s was raised: %s"):format(type(v), tostring(v))
  end
  return M.new("script", message, { cause = v })
end

return M
