--- What a request may cost, from the price rule in its catalogue entry. Planning and
--- paying use this one function, so an estimate and a reservation cannot differ.
---
--- A rule is `{unit, rate, seconds?, count?, fps?, plus?, minimum?, whole?, estimate?}`,
--- described in docs/providers.md. Whatever the request leaves open is priced at its
--- dearest, because a reservation must cover the bill.
local M = {}

local math_type, ceil, floor = math.type, math.ceil, math.floor

local rate_of

--- The dearest rate a selector can give.
local function dearest(rate)
  if type(rate) == "number" then return rate end
  if rate.fact then return math.max(rate.below, rate.above) end
  local top = 0
  for _, inner in pairs(rate.values) do top = math.max(top, dearest(inner)) end
  return top
end

--- A rate is a number, a choice by one of the request's fields, or a choice by a fact
--- about the input file. The second result is false when something had to be assumed.
function rate_of(rate, body, facts)
  if type(rate) == "number" then return rate, true end
  if rate.fact then
    local known = facts[rate.fact]
    if not known then return dearest(rate), rate.below == rate.above end
    return known > rate.over and rate.above or rate.below, true
  end
  local value = body[rate.field]
  if value == nil then value = rate.default end
  local chosen
  if value ~= nil then chosen = rate.values[value] end
  if chosen == nil then return dearest(rate), false end
  local credits, exact = rate_of(chosen, body, facts)
  return credits, exact and not (rate.unsure and rate.unsure[value])
end

--- The longest the field allows: its `max`, or the greatest number of its list.
local function longest(spec)
  if spec.max then return spec.max end
  local top = 0
  for _, v in ipairs(spec.enum or {}) do
    if type(v) == "number" and v > top then top = v end
  end
  return top
end

local function seconds_of(rule, entry, body, facts)
  if rule.field then
    local v = body[rule.field]
    if type(v) == "number" then return v, true end
    return longest(entry.fields[rule.field]), false
  end
  local v = facts[rule.fact]
  if not v then return rule.max, false end
  local whole = ceil(v)
  return whole, whole == v
end

local function fps_of(rule, body, facts)
  local unknown = rule.unknown
  if unknown and body[unknown.field] then return unknown.max, false end
  local v = facts[rule.fact]
  if not v then return rule.max, false end
  return v, true
end

local function count_of(rule, body)
  if not rule then return 1 end
  if rule.field then
    local v = body[rule.field]
    return type(v) == "number" and v or rule.default
  end
  local list, n = body[rule.length], 0
  if type(list) ~= "table" then return 0 end
  for _, item in ipairs(list) do
    if not rule.without or item[rule.without] == nil then n = n + 1 end
  end
  return n
end

--- One part of the bill, in thousandths of a credit.
local function part(rule, timing, entry, body, facts)
  local rate, exact = rate_of(rule.rate, body, facts)
  local units, sure
  if rule.unit == "item" then
    units, sure = count_of(rule.count, body), true
  else
    units, sure = seconds_of(timing, entry, body, facts)
    if rule.unit == "frame" then
      local fps, known = fps_of(rule.fps, body, facts)
      units, sure = ceil(units * fps), sure and known
    end
  end
  local thousandths = rate * 1000 * units
  if math_type(thousandths) == "float" then thousandths = floor(thousandths + 0.5) end
  -- Nothing depends on how many units there are when they cost nothing.
  return thousandths, exact and (sure or thousandths == 0)
end

--- The most a request may cost.
---@param entry table   the model's entry in a catalogue
---@param body table    the request as it will be sent
---@param facts? table  what is known of the input file: `seconds`, `fps`, `pixels`
---                     (width times height of what comes out), `longest_side`
---@return integer thousandths  of a credit
---@return "exact"|"estimate" how
function M.price(entry, body, facts)
  local rule = entry.price
  facts = facts or {}
  local sum, exact = part(rule, rule.seconds, entry, body, facts)
  for _, extra in ipairs(rule.plus or {}) do
    local more, sure = part(extra, rule.seconds, entry, body, facts)
    sum, exact = sum + more, exact and sure
  end
  if rule.whole then sum = ceil(sum / 1000) * 1000 end
  if rule.minimum then sum = math.max(sum, rule.minimum * 1000) end
  return sum, exact and not rule.estimate and "exact" or "estimate"
end

return M
