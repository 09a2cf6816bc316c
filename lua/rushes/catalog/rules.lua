--- Rules that tie several fields of a request together. They are named in the catalogue
--- as data (`rules = { { rule = "unique", field = …, key = … } }`) and run only when each
--- field by itself is right, as Zod's refinements do.
local issue = require "rushes.catalog.issue"
local json = require "rt.json"
local text = require "rushes.catalog.text"

local M = {}

local RULE = {} -- name -> function(body, rule, model) -> nil | path, message, sentence?

local function path_of(...)
  return json.array { ... }
end

--- No two items may share a value. Tags are compared without case: the cautious reading,
--- the API's own is not confirmed.
function RULE.unique(body, rule)
  local seen = {}
  for i, item in ipairs(body[rule.field] or {}) do
    local v = item[rule.key]
    local folded = type(v) == "string" and v:lower() or v
    if folded ~= nil and seen[folded] then
      return path_of(rule.field, i - 1, rule.key),
        ("No two items may share the same %s"):format(rule.key),
        ("%s: the %s %s is used twice; give each its own")
          :format(rule.field, rule.key, text.show(v))
    end
    if folded ~= nil then seen[folded] = true end
  end
end

--- Each value of `key` must match a pattern.
function RULE.pattern(body, rule)
  for i, item in ipairs(body[rule.field] or {}) do
    local v = item[rule.key]
    if v ~= nil and not v:find(rule.pattern) then
      return path_of(rule.field, i - 1, rule.key),
        ("Invalid %s"):format(rule.key),
        ("%s: the %s %s is not allowed; %s")
          :format(rule.field, rule.key, text.show(v), rule.says)
    end
  end
end

--- At most `max` items may have this value.
function RULE.at_most(body, rule)
  local n = 0
  for _, item in ipairs(body[rule.field] or {}) do
    local v = item[rule.key]
    if v == nil then v = rule.default end
    if v == rule.value then n = n + 1 end
  end
  if n > rule.max then
    return path_of(rule.field),
      ("At most %d items may have %s %q"):format(rule.max, rule.key, rule.value),
      ("%s has %d items whose %s is %s; at most %d are allowed")
        :format(rule.field, n, rule.key, text.show(rule.value), rule.max)
  end
end

--- Either all items have the key or none has.
function RULE.all_or_none(body, rule)
  local items, n = body[rule.field] or {}, 0
  for _, item in ipairs(items) do
    if item[rule.key] ~= nil then n = n + 1 end
  end
  if n > 0 and n < #items then
    return path_of(rule.field),
      ("Either all items must set %s or none may"):format(rule.key),
      ("%s: %d of %d have a %s; give one to all or to none")
        :format(rule.field, n, #items, rule.key)
  end
end

--- Each item has exactly one of the keys.
function RULE.one_of(body, rule)
  for i, item in ipairs(body[rule.field] or {}) do
    local n = 0
    for _, key in ipairs(rule.keys) do
      if item[key] ~= nil then n = n + 1 end
    end
    if n ~= 1 then
      return path_of(rule.field, i - 1),
        ("Exactly one of %s must be set"):format(text.list(rule.keys)),
        ("%s item %d has %s of %s; set exactly one")
          :format(rule.field, i, n == 0 and "none" or n, text.list(rule.keys))
    end
  end
end

--- A time must lie in its item's range [from, to).
function RULE.inside(body, rule)
  for i, item in ipairs(body[rule.field] or {}) do
    local t, range = item[rule.key], item[rule.range]
    if range and range[rule.to] <= range[rule.from] then
      return path_of(rule.field, i - 1, rule.range),
        "The range must end after it starts"
    end
    if t and range and (t < range[rule.from] or t >= range[rule.to]) then
      return path_of(rule.field, i - 1, rule.key),
        "The keyframe must fall within its range",
        ("%s item %d is at %s s, outside its range of %s to %s s")
          :format(rule.field, i, t, range[rule.from], range[rule.to])
    end
  end
end

local function value_of(body, name, default)
  local v = body[name]
  if v == nil then v = default end
  return v
end

--- A field that means something only while another one has certain values.
function RULE.only_with(body, rule)
  if body[rule.field] == nil then return nil end
  local v = value_of(body, rule.other, rule.default)
  for _, allowed in ipairs(rule.values) do
    if v == allowed then return nil end
  end
  return path_of(rule.field),
    ("%s is only valid when %s is %s")
      :format(rule.field, rule.other, text.list(rule.values))
end

--- Fewer values are allowed while another field has the value `when`.
function RULE.narrowed(body, rule)
  local v = body[rule.field]
  if v == nil or body[rule.other] ~= rule.when then return nil end
  for _, allowed in ipairs(rule.values) do
    if v == allowed then return nil end
  end
  local says = ("With %s %q, %s must be %s"):format(rule.other, rule.when, rule.field,
    text.list(rule.values))
  return path_of(rule.field), says, says .. ", not " .. text.show(v)
end

--- One value is allowed only when at least one of the named lists has something in it.
function RULE.value_needs(body, rule)
  if body[rule.field] ~= rule.value then return nil end
  for _, name in ipairs(rule.any) do
    if body[name] ~= nil and (type(body[name]) ~= "table" or next(body[name])) then
      return nil
    end
  end
  return path_of(rule.field),
    ("%s %q needs %s"):format(rule.field, rule.value, text.list(rule.any))
end

--- Run a model's rules.
---@param list table[]
---@param body table
---@param model string
---@param out rushes.catalog.Issue[]
function M.run(list, body, model, out)
  for _, rule in ipairs(list) do
    local path, message, sentence = RULE[rule.rule](body, rule, model)
    if path then out[#out + 1] = issue.custom(path, message, sentence) end
  end
end

--- What must hold between the pictures of one clip, whichever the model.
---@param list table[]  items {uri, position?}
---@param w {path: any[], says?: string, model: string}
---@param out rushes.catalog.Issue[]
function M.frames(list, w, out)
  local first, last, loose = 0, 0, 0
  for _, item in ipairs(list) do
    if item.position == "first" then first = first + 1
    elseif item.position == "last" then last = last + 1
    else loose = loose + 1 end
  end
  local name, model = issue.label(w.path, w.says), w.model
  local function fail(message, sentence)
    out[#out + 1] = issue.custom(w.path, message, sentence)
  end
  if loose > 0 and first + last > 0 then
    fail("Keyframes and reference images cannot be mixed",
      ("%s mixes keyframes with references; %s takes one kind at a time")
        :format(name, model))
  elseif first > 1 or last > 1 then
    fail("Each position may be used once",
      ("%s names the same position twice; one first and one last frame at most")
        :format(name))
  elseif last > 0 and first == 0 then
    fail("A last frame requires a first frame",
      ("%s has a last frame and no first one; %s needs the first frame too")
        :format(name, model))
  end
end

--- Names of the rules there are, for the test that reads the catalogues.
function M.names() return text.keys(RULE) end

return M
