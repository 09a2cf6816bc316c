--- JSON that never changes a number silently. lua-cjson parses; it reads every
--- number as a double, so rt.c.json looks first for those that a double may not
--- hold. Writing is in rt.c.json.
---
--- Reading: integers come back as integers, to the full 64 bits; a number that
--- neither an integer nor a double can hold comes back as its text; null is absent;
--- of two equal keys the last wins; bytes that are no UTF-8 are passed on.
--- Writing: strings must be UTF-8; an empty table is `{}` unless it is `array {}`.
local cjson = require("cjson").new()
local c = require "rt.c.json"
local err = require "rt.err"

local M = {}

cjson.decode_invalid_numbers(false)
cjson.decode_max_depth(200) -- nested tables; the same as for writing

--- Writes `null`.
M.null = cjson.null

--- Mark a table as an array, so that it is written `[]` even when empty.
---@generic T: table
---@param t T
---@return T t  the same table
function M.array(t) return setmetatable(t, c.array_meta) end

--- Mark a table as an object: `{}` when empty; number-like keys are refused.
---@generic T: table
---@param t T
---@return T t  the same table
function M.object(t) return setmetatable(t, c.object_meta) end

--- Write a value, the names in each object sorted: equal values give equal bytes.
--- What JSON cannot say is the caller's bug: raised, with the path to it.
---@param v any
---@return string
function M.encode(v)
  local text, path, why = c.encode(v)
  if text then return text end
  path = path == "" and "the value" or path:gsub("^%.", "")
  error(err.new("json", ("cannot be written as JSON: %s %s"):format(path, why)), 0)
end

-- ---- reading ----

--- Is `literal` what the double `x` prints as, with as many digits?
local function same_digits(literal, x)
  local mantissa, exponent = literal:match "^-?([%d.]+)[eE]?([-+]?%d*)$"
  local digits = mantissa:gsub("%.", ""):gsub("^0+", "")
  if #digits > 90 then return false end
  local printed = ("%%.%de"):format(math.max(#digits - 1, 0)):format(math.abs(x))
  local p_mantissa, p_exponent = printed:match "^([%d.]+)e(.*)$"
  if p_mantissa:gsub("%.", "") ~= digits then return false end
  -- the power of ten of the first digit that counts
  local whole = mantissa:match "^%d*":gsub("^0+", "")
  local first = #whole > 0 and #whole - 1 or -1 - #mantissa:match "^0*%.?(0*)"
  return first + (tonumber(exponent) or 0) == tonumber(p_exponent)
end

--- The number that a literal stands for, or its text if no number holds it.
local function exact(literal)
  local x = tonumber(literal)
  if math.type(x) == "integer" then return x end
  if not x or x ~= x or x == math.huge or x == -math.huge then return literal end
  if not literal:find "[.eE]" or not same_digits(literal, x) then return literal end
  return c.tidy(x)
end

local function restore(v, tag)
  if type(v) == "string" then
    if v:sub(1, #tag) == tag then return exact(v:sub(#tag + 1)) end
  elseif type(v) == "table" then
    for key, value in next, v do v[key] = restore(value, tag) end
  end
  return v
end

--- Half a surrogate pair becomes U+FFFD: some servers cut strings in the middle
--- of one, and an answer that was paid for must still be read.
local function mend_surrogates(s)
  local function unit(at) -- the UTF-16 unit that is escaped at a position
    return tonumber(s:match("^\\u(%x%x%x%x)", at) or "", 16) or 0
  end
  local out, from, at = {}, 1, s:find("\\", 1, true)
  while at do
    local u, after = unit(at), at + 2
    if u >= 0xD800 and u <= 0xDFFF then
      local low = u < 0xDC00 and unit(at + 6) or 0
      after = at + 6
      if low >= 0xDC00 and low <= 0xDFFF then
        after = at + 12
      else
        out[#out + 1] = s:sub(from, at - 1) .. "\\ufffd"
        from = after
      end
    end
    at = s:find("\\", after, true)
  end
  out[#out + 1] = s:sub(from)
  return table.concat(out)
end

--- Parse with the long numbers hidden in strings.
local function decode_exactly(s, places)
  local tag = ("%016x%016x:"):format(math.random(0), math.random(0))
  local parts, from = {}, 1
  for i = 1, #places, 2 do
    local first, last = places[i], places[i + 1]
    parts[#parts + 1] = s:sub(from, first - 1)
    parts[#parts + 1] = ('"%s%s"'):format(tag, s:sub(first, last))
    from = last + 1
  end
  parts[#parts + 1] = s:sub(from)
  return restore(c.tidy(cjson.decode(table.concat(parts))), tag)
end

local function parse(s)
  -- cjson stops at one and would take half a text for the whole
  if s:find("\0", 1, true) then error("there is a zero byte in it", 0) end
  local places = c.unsafe(s)
  if places then return decode_exactly(s, places) end
  return c.tidy(cjson.decode(s))
end

--- Read a JSON text. The text `null` gives nil without an error.
---@param s string
---@return any value
---@return rt.Err? err  code "json"; says where, shows no content
function M.decode(s)
  if type(s) ~= "string" then
    error(("decode wants a string, not a %s"):format(type(s)), 2)
  end
  local ok, v = pcall(parse, s)
  if ok then return v end
  if v == "not enough memory" then error(v, 0) end -- says nothing about the text
  if s:find "\\u[dD][89a-fA-F]" then
    local mended, w = pcall(parse, mend_surrogates(s))
    if mended then return w end
  end
  local why = tostring(v):gsub("^.-:%d+: ", "")
  return nil, err.new("json", "not JSON: " .. why:sub(1, 1):lower() .. why:sub(2))
end

return M
