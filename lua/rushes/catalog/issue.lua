--- What is wrong with one field, in two languages: the shape and words of Zod v4, which
--- the API answers with, and `sentence`, which we show a person before money is spent.
local json = require "rt.json"
local text = require "rushes.catalog.text"

local M = {}

---@class rushes.catalog.Issue
---@field code string      Zod's code
---@field path any[]       names and 0-based positions
---@field message string   Zod's English
---@field sentence string  ours; no part of the wire format

--- The path one step deeper. Built only when something is wrong.
---@param path any[]
---@param key string|integer
---@return any[]
function M.step(path, key)
  local deeper = json.array {}
  for i = 1, #path do deeper[i] = path[i] end
  deeper[#deeper + 1] = key
  return deeper
end

--- A path as a person reads it: items counted from one.
local function label(path, says)
  local out = {}
  for i, key in ipairs(path) do
    if type(key) == "number" then
      out[i] = (" item %d"):format(key + 1)
    else
      out[i] = (i > 1 and " " or "") .. key
    end
  end
  local name = table.concat(out)
  if says and says ~= name and #path == 1 then return ("%s (%s)"):format(says, name) end
  return name
end

local function received(value)
  local kind = type(value)
  if kind == "nil" then return "undefined" end
  if kind == "table" then return #value > 0 and "array" or "object" end
  if kind == "number" and value ~= value then return "NaN" end
  return kind
end

local NOUN = { int = "a whole number", number = "a number", string = "text",
  boolean = "true or false", array = "a list", object = "a table" }

---@param where {path: any[], says?: string, model?: string}
---@param expected string  Zod's type name
---@param value any
function M.invalid_type(where, expected, value)
  local issue = { code = "invalid_type", expected = expected, path = where.path,
    message = ("Invalid input: expected %s, received %s"):format(expected,
      received(value)) }
  if expected == "int" then issue.format = "safeint" end
  local name, noun = label(where.path, where.says), NOUN[expected] or expected
  if value == nil then
    issue.sentence = ("%s is missing; %s needs it as %s"):format(name,
      where.model or "the call", noun)
  else
    issue.sentence = ("%s must be %s, not %s"):format(name, noun, text.show(value))
  end
  return issue
end

local function quoted(values)
  local out = {}
  for i, v in ipairs(values) do
    out[i] = type(v) == "string" and ("'%s'"):format(v) or tostring(v)
  end
  return table.concat(out, "|")
end

---@param allowed any[]
function M.invalid_value(where, allowed, value)
  local one = #allowed == 1
  local name = label(where.path, where.says)
  local head = value == nil and ("%s is missing"):format(name)
    or ("%s is %s"):format(name, text.show(value))
  return { code = "invalid_value", values = json.array { table.unpack(allowed) },
    path = where.path,
    message = (one and "Invalid input: expected %s"
      or "Invalid option: expected one of %s"):format(quoted(allowed)),
    sentence = ("%s; %s takes %s%s"):format(head, where.model or "the call",
      text.list(allowed), value ~= nil and text.hint(value, allowed) or "") }
end

local MEASURE = {
  string = { "string to have %s%s characters", "has %s characters" },
  array = { "array to have %s%s items", "has %s items" },
  number = { "number to be %s%s", "is %s" },
}

local ALLOWED = {
  too_small = { count = "at least %s needed", number = "the smallest allowed is %s" },
  too_big = { count = "at most %s allowed", number = "the greatest allowed is %s" },
}

local function limit(where, code, origin, bound, size, unit)
  local small, words = code == "too_small", MEASURE[origin]
  local allowed = ALLOWED[code][origin == "number" and "number" or "count"]
  local verb = origin ~= "number" and (bound == 1 and " is" or " are") or ""
  local issue = { code = code, origin = origin, inclusive = true, path = where.path,
    message = (small and "Too small: expected " or "Too big: expected ")
      .. words[1]:format(small and ">=" or "<=", bound) }
  issue[small and "minimum" or "maximum"] = bound
  issue.sentence = ("%s %s%s; %s"):format(label(where.path, where.says),
    words[2]:format(size), unit == "utf16" and " (UTF-16 code units)" or "",
    allowed:format(bound .. verb))
  return issue
end

---@param origin "string"|"array"|"number"
function M.too_small(where, origin, bound, size, unit)
  return limit(where, "too_small", origin, bound, size, unit)
end

function M.too_big(where, origin, bound, size, unit)
  return limit(where, "too_big", origin, bound, size, unit)
end

---@param path any[]
---@param unknown string[]
---@param known string[]
function M.unrecognized_keys(path, unknown, known, model)
  local names = {}
  for i, key in ipairs(unknown) do names[i] = ('"%s"'):format(key) end
  local inside = #path > 0 and (" in " .. label(path)) or ""
  return { code = "unrecognized_keys", keys = json.array { table.unpack(unknown) },
    path = path,
    message = ("Unrecognized key%s: %s"):format(#unknown > 1 and "s" or "",
      table.concat(names, ", ")),
    sentence = ("%s does not know %s%s%s"):format(model or "the call",
      table.concat(unknown, ", "), inside, text.hint(unknown[1], known)) }
end

--- An issue as it stands inside a union's `errors`: its path begins at the union.
local function inner(one, depth)
  local copy = {}
  for k, v in pairs(one) do copy[k] = v end
  copy.sentence = nil
  copy.path = json.array { table.unpack(one.path, depth + 1) }
  return copy
end

--- No variant of a union fits. `errors` holds, per variant, what was wrong with it.
function M.invalid_union(path, errors, sentence)
  local lists = json.array {}
  for i, list in ipairs(errors) do
    lists[i] = json.array {}
    for j, one in ipairs(list) do lists[i][j] = inner(one, #path) end
  end
  return { code = "invalid_union", errors = lists, path = path,
    message = "Invalid input", sentence = sentence }
end

--- The field that says which variant is meant names none.
function M.no_variant(where, discriminator, value, allowed, sentence)
  local issue = M.invalid_union(where.path, {}, sentence)
  issue.note, issue.discriminator = "No matching discriminator", discriminator
  issue.sentence = sentence or M.invalid_value(where, allowed, value).sentence
  return issue
end

function M.custom(path, message, sentence)
  return { code = "custom", path = path, message = message,
    sentence = sentence or message }
end

M.label = label
return M
