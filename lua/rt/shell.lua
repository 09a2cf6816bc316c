--- Command lines that a person is to type or paste.
local M = {}

--- A word as a POSIX shell takes it: in quotes if it needs them.
---@param word any
---@return string
function M.quote(word)
  word = tostring(word)
  if word:find "^[%w%._/:=,@%%+-]+$" then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

return M
