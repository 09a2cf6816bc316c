--- Objects that a script holds: a misspelt field is an error that says what was meant.
local suggest = require "rt.suggest"

local M = {}

--- A metatable for objects with these methods and these fields (which may be nil).
---@param what string                 in sentences: "shot"
---@param methods table<string, any>
---@param fields table<string, true>  readable
---@param writable? table<string, true>
---@return table
function M.class(what, methods, fields, writable)
  --- Gathered when they are needed: methods are added after this.
  local function names()
    local list = suggest.keys(methods)
    for k in pairs(fields) do list[#list + 1] = k end
    return list
  end
  return {
    __name = "rushes." .. what,
    __index = function(_, k)
      local method = methods[k]
      if method ~= nil then return method end
      if fields[k] then return nil end
      error(("%s has no field or method %q%s"):format(what, tostring(k),
        suggest.hint(k, names())), 2)
    end,
    __newindex = function(object, k, v)
      if writable and writable[k] then return rawset(object, k, v) end
      error(("%s.%s cannot be set%s"):format(what, tostring(k),
        writable and suggest.hint(k, suggest.keys(writable)) or ""), 2)
    end,
  }
end

--- The set of the given names.
---@param names string  separated by blanks
---@return table<string, true>
function M.set(names)
  local set = {}
  for name in names:gmatch "%S+" do set[name] = true end
  return set
end

return M
