--- The sentence for a script that is not there, with the nearest name that is.
local suggest = require "rt.suggest"

local M = {}

local function siblings(path)
  local fs = require "rt.fs"
  local dir, names = path:match "^(.*/)" or "", {}
  for _, entry in ipairs(fs.list(dir == "" and "." or dir) or {}) do
    if entry.name:match "%.lua$" then names[#names + 1] = dir .. entry.name end
  end
  table.sort(names)
  return names
end

--- Waits (reads the folder).
---@async
---@param path string
---@return string
function M.sentence(path)
  return ("there is no script %s%s"):format(path, suggest.hint(path, siblings(path)))
end

return M
