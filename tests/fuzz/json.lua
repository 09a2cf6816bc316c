--- Whatever the text: decode does not raise, and what it gives is written back and read
--- again as the same.
local json = require "rt.json"

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b and math.type(a) == math.type(b)
  end
  for k, v in pairs(a) do
    if not same(v, b[k]) then return false end
  end
  for k in pairs(b) do
    if a[k] == nil then return false end
  end
  return true
end

--- Encode refuses only what it says it refuses: here strings that are not UTF-8, and
--- lists in which a null has left a hole.
local function written(v)
  local ok, text = pcall(json.encode, v)
  if ok then return text end
  local why = text.message
  assert(why:find "not UTF%-8" or why:find "holes" or why:find "other keys", why)
end

return function(bytes)
  local value, e = json.decode(bytes)
  assert(value == nil or e == nil)
  local text = value ~= nil and written(value)
  if text then
    local again = json.decode(text)
    assert(same(value, again), text)
    assert(json.encode(again) == text)
  end
  local string_text = written(bytes)
  assert((string_text ~= nil) == (utf8.len(bytes) ~= nil))
  if string_text then assert(json.decode(string_text) == bytes) end
end
