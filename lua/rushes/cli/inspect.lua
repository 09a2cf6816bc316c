--- Values at the prompt of `rushes repl`: short, one level deep.
local text = require "rushes.cli.text"

local M = {}

local WIDE = 76 -- columns, beyond which a table is written over several lines
local MANY = 50 -- fields shown of one table

local function plain(v)
  if type(v) == "string" then return ("%q"):format(v):gsub("\\\n", "\\n") end
  return tostring(v)
end

local function inner(v)
  local meta = getmetatable(v)
  if type(v) ~= "table" or meta and meta.__tostring then return text.clean((plain(v))) end
  return next(v) == nil and "{}" or "{…}"
end

local function key(k)
  if type(k) == "string" and k:find "^[%a_][%w_]*$" then return k .. " = " end
  return "[" .. plain(k) .. "] = "
end

local function fields(t)
  local parts, n = {}, #t
  for i = 1, math.min(n, MANY) do parts[i] = inner(t[i]) end
  local keys = {}
  for k in pairs(t) do
    if not (math.type(k) == "integer" and k >= 1 and k <= n) then keys[#keys + 1] = k end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, k in ipairs(keys) do
    if i > MANY then break end
    parts[#parts + 1] = key(k) .. inner(t[k])
  end
  local hidden = math.max(0, n - MANY) + math.max(0, #keys - MANY)
  if hidden > 0 then parts[#parts + 1] = ("… %d more"):format(hidden) end
  return parts
end

--- A value as text.
---@param v any
---@return string
function M.show(v)
  local meta = getmetatable(v)
  if type(v) ~= "table" then return (plain(v)) end
  if meta and meta.__tostring then return tostring(v) end
  local class = meta and type(meta.__name) == "string" and meta.__name
  if class and class:find "^rt%." then return "<" .. class .. ">" end
  local parts = fields(v)
  local name = class and class .. " " or ""
  if #parts == 0 then return name .. "{}" end
  local line = name .. "{ " .. table.concat(parts, ", ") .. " }"
  if text.width(line) <= WIDE then return line end
  return name .. "{\n  " .. table.concat(parts, ",\n  ") .. "\n}"
end

return M
