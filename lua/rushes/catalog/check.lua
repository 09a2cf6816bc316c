--- Checks a request body against the catalogue. Each model's fields are turned into
--- closures once; a good body then allocates one empty list and nothing else.
local issue = require "rushes.catalog.issue"
local json = require "rt.json"
local rules = require "rushes.catalog.rules"
local text = require "rushes.catalog.text"

local M = {}

local ROOT = json.array {}
local BUILD = {} -- type -> function(spec, ctx) -> validator

--- A validator is `function(value, path, key, out)`: it appends issues to `out`, and
--- builds the path of the field only when it has one to report.
---@class rushes.catalog.Context
---@field model string
---@field inputs table    what files the provider takes
---@field says? string    what a script calls the field

local function where(ctx, path, key)
  return { path = issue.step(path, key), model = ctx.model, says = ctx.says }
end

local function compile(spec, ctx)
  local kind = spec.type or (spec.enum and "enum")
  ctx = { model = ctx.model, inputs = ctx.inputs, says = spec.says }
  return BUILD[kind](spec, ctx)
end

local function set_of(list)
  local set = {}
  for _, v in ipairs(list) do set[v] = true end
  return set
end

local function push(out, one) out[#out + 1] = one end

local function bad_utf8(w, at)
  return issue.custom(w.path, "Invalid input: expected well-formed UTF-8",
    ("%s is not UTF-8: byte %d cannot be read as text; save the script as UTF-8")
      :format(issue.label(w.path, w.says), at))
end

function BUILD.string(spec, ctx)
  local min, max, unit = spec.min or 0, spec.max or math.huge, spec.unit
  return function(v, path, key, out)
    if type(v) ~= "string" then
      return push(out, issue.invalid_type(where(ctx, path, key), "string", v))
    end
    local points, at = utf8.len(v)
    if not points then return push(out, bad_utf8(where(ctx, path, key), at)) end
    -- There are never more UTF-16 units than bytes, nor fewer than code points.
    if #v <= max and points >= min then return end
    local size = text.utf16_length(v)
    if size < min then
      push(out, issue.too_small(where(ctx, path, key), "string", min, size, unit))
    elseif size > max then
      push(out, issue.too_big(where(ctx, path, key), "string", max, size, unit))
    end
  end
end

function BUILD.enum(spec, ctx)
  local allowed = set_of(spec.enum)
  return function(v, path, key, out)
    if v ~= nil and allowed[v] and v == v then return end
    push(out, issue.invalid_value(where(ctx, path, key), spec.enum, v))
  end
end

--- `also` are words allowed beside the numbers, as "auto" is for seedance's duration.
local function number_of(expected, whole)
  return function(spec, ctx)
    local min, max = spec.min or -math.huge, spec.max or math.huge
    local also = set_of(spec.also or {})
    return function(v, path, key, out)
      if type(v) ~= "number" or v ~= v or (whole and v % 1 ~= 0) then
        if v ~= nil and v == v and also[v] then return end
        push(out, issue.invalid_type(where(ctx, path, key), expected, v))
      elseif v < min then
        push(out, issue.too_small(where(ctx, path, key), "number", min, v))
      elseif v > max then
        push(out, issue.too_big(where(ctx, path, key), "number", max, v))
      end
    end
  end
end

BUILD.integer = number_of("int", true)
BUILD.number = number_of("number", false)

function BUILD.boolean(_, ctx)
  return function(v, path, key, out)
    if type(v) == "boolean" then return end
    push(out, issue.invalid_type(where(ctx, path, key), "boolean", v))
  end
end

--- The three forms in which a file may be named, and how long each may be.
local FORMS = {
  { prefix = "https://", max = 2048 },
  { prefix = "runway://", max = 5000 },
  { prefix = "data:", max = 5242880 },
}

local function refused_data(v, media, inputs)
  local mime = v:match "^data:([^;,]*)"
  if not mime or mime:sub(1, #media + 1) ~= media .. "/" then
    return ("a data URI of type %s/…"):format(media)
  end
  local known = inputs and inputs[media]
  for _, allowed in ipairs(known and known.types or { mime }) do
    if allowed == mime:lower() then return nil end
  end
  return text.list(known.types)
end

function BUILD.uri(spec, ctx)
  local media, forms = spec.media, {}
  for _, form in ipairs(FORMS) do
    if not (spec.without and spec.without[form.prefix]) then forms[#forms + 1] = form end
  end
  return function(v, path, key, out)
    if type(v) ~= "string" then
      return push(out, issue.invalid_type(where(ctx, path, key), "string", v))
    end
    for _, form in ipairs(forms) do
      if v:sub(1, #form.prefix) == form.prefix then
        local refused = form.prefix == "data:" and refused_data(v, media, ctx.inputs)
        if refused then
          local w = where(ctx, path, key)
          push(out, issue.custom(w.path, "Unsupported media type",
            ("%s is %s; allowed is %s"):format(issue.label(w.path, w.says),
              text.show(v:match "^[^,;]*"), refused)))
        elseif #v < 13 then
          push(out, issue.too_small(where(ctx, path, key), "string", 13, #v))
        elseif #v > form.max then
          push(out, issue.too_big(where(ctx, path, key), "string", form.max, #v))
        end
        return
      end
    end
    local w, starts = where(ctx, path, key), {}
    for i, form in ipairs(forms) do starts[i] = form.prefix end
    push(out, issue.custom(w.path, "Invalid URI",
      ("%s is %s; it must begin with %s"):format(issue.label(w.path, w.says),
        text.show(v), text.list(starts))))
  end
end

local function check_length(v, spec, ctx, path, key, out)
  if #v < (spec.min or 0) then
    push(out, issue.too_small(where(ctx, path, key), "array", spec.min, #v))
  elseif spec.max and #v > spec.max then
    push(out, issue.too_big(where(ctx, path, key), "array", spec.max, #v))
  end
end

function BUILD.array(spec, ctx)
  local item = compile(spec.items, ctx)
  return function(v, path, key, out)
    if type(v) ~= "table" or (next(v) ~= nil and #v == 0) then
      return push(out, issue.invalid_type(where(ctx, path, key), "array", v))
    end
    check_length(v, spec, ctx, path, key, out)
    local here = issue.step(path, key)
    for i = 1, #v do item(v[i], here, i - 1, out) end
  end
end

local function unknown_keys(body, fields, path, model, out)
  local unknown
  for k in pairs(body) do
    if not fields[k] then
      unknown = unknown or {}
      unknown[#unknown + 1] = tostring(k)
    end
  end
  if not unknown then return end
  table.sort(unknown)
  push(out, issue.unrecognized_keys(path, unknown, text.keys(fields), model))
end

--- Fields in a fixed order, so that the same body gives the same list every time.
local function compile_fields(fields, ctx)
  local list = {}
  for _, name in ipairs(text.keys(fields)) do
    local spec = fields[name]
    list[#list + 1] = { name, compile(spec, ctx), spec.required or false }
  end
  return list
end

local function run_fields(list, body, path, out)
  for i = 1, #list do
    local field = list[i]
    local v = body[field[1]]
    if v ~= nil or field[3] then field[2](v, path, field[1], out) end
  end
end

function BUILD.object(spec, ctx)
  local list = compile_fields(spec.fields, ctx)
  return function(v, path, key, out)
    if type(v) ~= "table" or #v > 0 then
      return push(out, issue.invalid_type(where(ctx, path, key), "object", v))
    end
    local here = issue.step(path, key)
    run_fields(list, v, here, out)
    if spec.closed then unknown_keys(v, spec.fields, here, ctx.model, out) end
  end
end

--- An object whose field `by` says which set of fields it has.
function BUILD.variant(spec, ctx)
  local variants = {}
  for tag, fields in pairs(spec.of) do variants[tag] = compile_fields(fields, ctx) end
  local tags = text.keys(spec.of)
  return function(v, path, key, out)
    if type(v) ~= "table" or #v > 0 then
      return push(out, issue.invalid_type(where(ctx, path, key), "object", v))
    end
    local here, tag = issue.step(path, key), v[spec.by]
    if tag ~= nil and variants[tag] then
      return run_fields(variants[tag], v, here, out)
    end
    local w = { path = issue.step(here, spec.by), model = ctx.model }
    push(out, issue.no_variant(w, spec.by, tag, tags))
  end
end

--- One picture as a URI, or a list of pictures with their places in the clip.
function BUILD.frames(spec, ctx)
  local uri = compile({ type = "uri", media = "image", says = spec.says }, ctx)
  local list = compile({ type = "array", min = 1, max = spec.max, items = {
    type = "object", fields = {
      uri = { type = "uri", media = "image", required = true },
      position = { enum = spec.positions, required = not spec.unplaced },
    } } }, ctx)
  return function(v, path, key, out)
    if type(v) == "string" then return uri(v, path, key, out) end
    local w, found = where(ctx, path, key), {}
    if type(v) ~= "table" or #v == 0 then
      return push(out, issue.invalid_union(w.path,
        { { issue.invalid_type(w, "string", v) }, { issue.invalid_type(w, "array", v) } },
        issue.invalid_type(w, "a picture or a list of pictures", v).sentence))
    end
    list(v, path, key, found)
    if not found[1] then return rules.frames(v, w, out) end
    -- Zod reports a list of the wrong length as such, anything else as "no variant fits".
    if found[1].origin == "array" then return push(out, found[1]) end
    push(out, issue.invalid_union(w.path,
      { { issue.invalid_type(w, "string", v) }, found },
      found[1].sentence))
  end
end

local function compile_model(model, entry, catalog)
  local ctx = { model = model, inputs = catalog.inputs }
  local list = compile_fields(entry.fields, ctx)
  local known = { model = true }
  for name in pairs(entry.fields) do known[name] = true end
  return function(body)
    local out = {}
    run_fields(list, body, ROOT, out)
    if entry.closed then unknown_keys(body, known, ROOT, model, out) end
    if entry.rules and not out[1] then rules.run(entry.rules, body, model, out) end
    return out
  end
end

local compiled = setmetatable({}, { __mode = "k" }) -- entry -> validator

--- What is wrong with a body, as a list of issues; an empty list when nothing is.
---@param entry table    the model's part of the catalogue
---@param model string
---@param body table
---@param catalog table
---@return rushes.catalog.Issue[]
function M.body(entry, model, body, catalog)
  local validate = compiled[entry]
  if not validate then
    validate = compile_model(model, entry, catalog)
    compiled[entry] = validate
  end
  return validate(body)
end

return M
