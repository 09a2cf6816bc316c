--- Words and numbers for people: counting text as the APIs count it, finding what was
--- probably meant, and showing a value without spilling it.
local suggest = require "rt.suggest"

local M = {}

--- Length in UTF-16 code units, the unit in which Runway limits text.
---@param s string
---@return integer? units  nil when the bytes are not UTF-8
---@return integer? at     position of the first bad byte, when there is one
function M.utf16_length(s)
  local points, at = utf8.len(s)
  if not points then return nil, at end
  if #s == points then return points end
  -- Only what takes four bytes in UTF-8 takes two units in UTF-16.
  local _, pairs_needed = s:gsub("[\xF0-\xF4]", "")
  return points + pairs_needed
end

local function width_height(s)
  local w, h = tostring(s):match "^%s*(%d+%.?%d*)%s*[:xX/]%s*(%d+%.?%d*)%s*$"
  w, h = tonumber(w), tonumber(h)
  if w and h and w > 0 and h > 0 then return w, h end
end

--- The allowed value with the smallest score; the first one wins a draw.
local function best(allowed, score)
  local choice, low
  for _, candidate in ipairs(allowed) do
    local s = score(candidate)
    if s and (not low or s < low) then choice, low = candidate, s end
  end
  return choice, low
end

--- The nearest shape; of equal shapes the one nearest in area, so that "16:9" finds
--- 1280:720 and not 3840:2160.
local function nearest_ratio(value, allowed)
  local w, h = width_height(value)
  if not w then return nil end
  return (best(allowed, function(candidate)
    local cw, ch = width_height(candidate)
    if not cw then return nil end
    local shape = math.abs(math.log(w / h) - math.log(cw / ch))
    if shape < 1e-9 then shape = 0 end
    return shape * 1e6 + math.abs(math.log(w * h) - math.log(cw * ch))
  end))
end

local function nearest_number(value, allowed)
  return (best(allowed, function(candidate)
    return type(candidate) == "number" and math.abs(candidate - value) or nil
  end))
end

local function nearest_word(value, allowed)
  local words = {}
  for _, candidate in ipairs(allowed) do
    if type(candidate) == "string" then words[#words + 1] = candidate end
  end
  return suggest.nearest(value, words)
end

--- What was probably meant: for ratios the nearest shape, for numbers the nearest
--- number, for words the nearest spelling, and nothing when all are too far.
---@param value any
---@param allowed any[]
---@return any?
function M.nearest(value, allowed)
  if type(value) == "number" then return nearest_number(value, allowed) end
  if type(value) ~= "string" then return nil end
  return nearest_ratio(value, allowed) or nearest_word(value, allowed)
end

--- A value as it may stand in a sentence: short, printable, without a URL's query.
---@param value any
---@return string
function M.show(value)
  if type(value) == "table" then return "a table" end
  if type(value) ~= "string" then return tostring(value) end
  local s = value:gsub("%?.*$", "?…")
  if not utf8.len(s) then s = s:gsub("[\x80-\xFF]", "?") end
  s = s:gsub("%c", " ")
  if #s > 48 then s = s:sub(1, utf8.offset(s, 0, 46) - 1) .. "…" end
  return '"' .. s .. '"'
end

--- "a, b, c or d"; of a long list the first few and how many more there are.
---@param values any[]
---@return string
function M.list(values)
  local shown, n = {}, #values
  local most = n > 10 and 8 or n
  for i = 1, most do shown[i] = tostring(values[i]) end
  if most < n then
    return table.concat(shown, ", ") .. (" and %d more"):format(n - most)
  end
  if n < 2 then return shown[1] or "nothing" end
  return table.concat(shown, ", ", 1, n - 1) .. " or " .. shown[n]
end

--- "; did you mean X?" or nothing.
---@param value any
---@param allowed any[]
---@return string
function M.hint(value, allowed)
  local near = M.nearest(value, allowed)
  if near == nil then return "" end
  return ("; did you mean %s?"):format(M.show(near))
end

--- The keys of a table in alphabetical order.
---@param t table
---@return string[]
function M.keys(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = tostring(k) end
  table.sort(keys)
  return keys
end

return M
