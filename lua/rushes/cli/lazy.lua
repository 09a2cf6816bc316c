--- A stand-in for a module that is loaded at its first use.
local M = {}

---@param name string
---@return table
function M.module(name)
  return setmetatable({}, {
    __index = function(_, key) return require(name)[key] end,
    __pairs = function() return pairs(require(name)) end,
  })
end

return M
