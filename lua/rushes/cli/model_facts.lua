--- What a catalogue entry says, in a few words: for `rushes models`.
local catalogs = require "rushes.catalog"
local suggest = require "rt.suggest"
local text = require "rushes.cli.text"

local M = {}

-- endpoint -> what comes out, what goes in
local MAKES = {
  image_to_video = { "video", "image" }, text_to_video = { "video", "text" },
  video_to_video = { "video", "video" }, text_to_image = { "image", "text" },
  character_performance = { "video", "performance" },
  image_upscale = { "larger image", "image" },
  video_upscale = { "larger video", "video" }, video_to_hdr = { "HDR video", "video" },
  gen4 = { "video", "text, references" },
}

--- What an endpoint makes, and from what.
---@param endpoint string
---@return string makes
---@return string from
function M.makes(endpoint)
  local known = MAKES[endpoint]
  if known then return known[1], known[2] end
  return (endpoint:match "_to_(.*)$" or endpoint), (endpoint:match "^(.-)_to_" or "")
end

local function field_that_says(entry, what)
  for name, spec in pairs(entry.fields) do
    if spec.says == what then return spec, name end
  end
end

local function span(low, high)
  if low == high then return text.credits(low) end
  return text.credits(low) .. "-" .. text.credits(high)
end

--- The allowed values of a field: "2-10", "4, 6, 8", "up to 3".
---@param spec table
---@return string
function M.allowed(spec)
  if spec.enum then
    local shown = {}
    for i, v in ipairs(spec.enum) do shown[i] = tostring(v) end
    return table.concat(shown, ", ")
  end
  local unit = spec.type == "string" and " characters" or ""
  if spec.type == "frames" then
    return table.concat(spec.positions, " and ") .. " frame"
  elseif spec.type == "object" then
    return "a table of " .. table.concat(suggest.keys(spec.fields or {}), ", ")
  elseif spec.type == "array" then
    return spec.max and ("up to %d"):format(spec.max) or "any number"
  elseif spec.min and spec.max then
    return text.credits(spec.min) .. "-" .. text.credits(spec.max) .. unit
  elseif spec.max then
    return "up to " .. text.credits(spec.max) .. unit
  end
  return spec.media and "a link or file: " .. spec.media or spec.type or "see the docs"
end

---@param entry table
---@return string  "" where the request has no length of its own
function M.seconds(entry)
  local spec = field_that_says(entry, "seconds")
  if not spec then
    return entry.video and entry.video.max
      and ("up to %g"):format(entry.video.max) or ""
  end
  return M.allowed(spec)
end

---@param entry table
---@return string[]
function M.ratios(entry)
  local spec = field_that_says(entry, "ratio")
  return spec and spec.enum or {}
end

---@param entry table
---@return string  "3", "1-3", "first frame", "first+last frame, 9"
function M.references(entry)
  local parts = {}
  local spec = field_that_says(entry, "references")
  if spec then
    parts[1] = spec.min and spec.min > 0 and spec.max and span(spec.min, spec.max)
      or spec.max and tostring(spec.max) or "any"
  end
  for _, field in pairs(entry.fields) do
    if field.type == "frames" then
      table.insert(parts, 1, table.concat(field.positions, "+") .. " frame")
    end
  end
  return table.concat(parts, ", ")
end

-- ---- prices ----

local function each_rate(rate, see)
  if type(rate) == "number" then
    see(rate)
  elseif rate.fact then
    see(rate.below)
    see(rate.above)
  else
    for _, inner in pairs(rate.values) do each_rate(inner, see) end
  end
end

local PER = { second = "/s", item = " each", frame = "/frame" }

---@class rushes.cli.Rate
---@field unit "second"|"item"|"frame"
---@field low number      credits for one unit
---@field high number
---@field minimum? number credits
---@field extras boolean  does something in the request add to it

---@param entry table
---@return rushes.cli.Rate
function M.rate(entry)
  local rule, low, high = entry.price, nil, nil
  each_rate(rule.rate, function(n)
    low, high = math.min(low or n, n), math.max(high or n, n)
  end)
  return { unit = rule.unit, low = low, high = high, minimum = rule.minimum,
    extras = rule.plus ~= nil }
end

---@param rate rushes.cli.Rate
---@return string  in credits: "12/s", "36-150/s, at least 64", "5-8 each"
function M.price(rate)
  local s = span(rate.low, rate.high) .. PER[rate.unit]
  if rate.minimum then s = s .. ", at least " .. text.credits(rate.minimum) end
  if rate.extras then s = s .. " + extras" end
  return s
end

-- ---- rows ----

---@class rushes.cli.Model
---@field provider string
---@field model string
---@field makes string[]
---@field from string[]
---@field endpoints string[]
---@field seconds string
---@field ratios string[]
---@field references string
---@field price string
---@field rates rushes.cli.Rate[]  one for each endpoint
---@field unconfirmed string[]

local function union(list, more)
  local seen = {}
  for _, v in ipairs(list) do seen[v] = true end
  for _, v in ipairs(more) do
    if not seen[v] then list[#list + 1] = v end
    seen[v] = true
  end
end

local function joined(values)
  local said = {}
  for _, v in ipairs(values) do
    if v ~= "" then said[#said + 1] = v end
  end
  local kept = {}
  union(kept, said)
  return table.concat(kept, " or ")
end

--- One model with what all its endpoints say.
---@param catalog table
---@param model string
---@return rushes.cli.Model
function M.of(catalog, model)
  local seconds, references, prices = {}, {}, {}
  local row = { provider = catalog.provider, model = model, makes = {}, from = {},
    ratios = {}, rates = {}, endpoints = catalogs.endpoints_of(catalog, model),
    unconfirmed = {} }
  for i, endpoint in ipairs(row.endpoints) do
    local entry = catalog.endpoints[endpoint].models[model]
    local makes, from = M.makes(endpoint)
    union(row.makes, { makes })
    union(row.from, { from })
    row.rates[i] = M.rate(entry)
    seconds[i], references[i], prices[i] = M.seconds(entry), M.references(entry),
      M.price(row.rates[i])
    union(row.ratios, M.ratios(entry))
    for _, note in pairs(entry.unconfirmed or {}) do union(row.unconfirmed, { note }) end
  end
  row.seconds, row.references = joined(seconds), joined(references)
  row.price = joined(prices)
  return row
end

return M
