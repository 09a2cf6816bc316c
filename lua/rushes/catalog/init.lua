--- Models as data, and the questions one asks of them. A catalogue is the table that a
--- file of this folder returns; see docs/providers.md for its fields.
local check = require "rushes.catalog.check"
local err = require "rt.err"
local issue = require "rushes.catalog.issue"
local json = require "rt.json"
local text = require "rushes.catalog.text"

local M = { nearest = text.nearest, utf16_length = text.utf16_length,
  show = text.show, list = text.list, hint = text.hint, keys = text.keys }

--- Names of the endpoints that take a model, in alphabetical order.
---@param catalog table
---@param model string
---@return string[]
function M.endpoints_of(catalog, model)
  local out = {}
  for name, endpoint in pairs(catalog.endpoints) do
    if endpoint.models[model] then out[#out + 1] = name end
  end
  table.sort(out)
  return out
end

--- Names of all models, in alphabetical order.
---@param catalog table
---@return string[]
function M.models(catalog)
  local seen = {}
  for _, endpoint in pairs(catalog.endpoints) do
    for model in pairs(endpoint.models) do seen[model] = true end
  end
  return text.keys(seen)
end

--- Why a model cannot be used, as a sentence that says what to use instead.
---@param catalog table
---@param model any
---@param endpoint? string
---@return string
function M.why_not(catalog, model, endpoint)
  local shown = text.show(model)
  local retired = catalog.retired and catalog.retired[model]
  if retired then
    local when = retired.ended and (" on " .. retired.ended) or ""
    return ("model %s was retired%s; use %s"):format(shown, when, retired.successor)
  end
  local partly = endpoint and catalog.partly_left_out
    and catalog.partly_left_out[endpoint]
  local left_out = catalog.left_out and catalog.left_out[model]
    or partly and partly[model]
  if left_out then
    return ("model %s exists at %s, but rushes does not offer it%s: %s")
      :format(shown, catalog.provider, endpoint and " for " .. endpoint or "", left_out)
  end
  if type(model) == "string" and endpoint then
    local elsewhere = M.endpoints_of(catalog, model)
    if #elsewhere > 0 then
      return ("model %s does not do %s; it does %s"):format(shown, endpoint,
        text.list(elsewhere))
    end
  end
  local known = endpoint and text.keys(catalog.endpoints[endpoint].models)
    or M.models(catalog)
  return ("there is no model %s at %s; there are %s%s"):format(shown, catalog.provider,
    text.list(known), text.hint(model, known))
end

--- A model's entry.
---@param catalog table
---@param model string
---@param endpoint? string  which of its endpoints; the first by name when left out
---@return table? entry
---@return string|rt.Err endpoint  its name, or the reason there is none
function M.find(catalog, model, endpoint)
  local name = endpoint or (type(model) == "string" and M.endpoints_of(catalog, model)[1])
  local group = name and catalog.endpoints[name]
  local entry = group and model ~= nil and group.models[model]
  if entry then return entry, name end
  return nil, err.new("invalid", M.why_not(catalog, model, group and name), {
    class = "invalid", retryable = false })
end

--- The model field says which variant a body is, so it is looked at first.
local function unknown_model(catalog, endpoint, model)
  local w = { path = json.array { "model" } }
  local models = text.keys(catalog.endpoints[endpoint].models)
  if type(model) == "string" then
    local sentence = M.why_not(catalog, model, endpoint)
    return { issue.no_variant(w, "model", model, models, sentence) }
  end
  local missing = issue.invalid_type(w, "string", model)
  missing.sentence = ("model is %s; name one of %s"):format(
    model == nil and "missing" or "not text", text.list(models))
  return { missing, issue.no_variant(w, "model", model, models, missing.sentence) }
end

--- Check a request body. The simulator answers 400 with the same list, less `sentence`.
--- A good body costs a few microseconds.
---@param catalog table
---@param endpoint string  a name in catalog.endpoints
---@param body table
---@return rushes.catalog.Issue[] issues  empty when the body is right
function M.check(catalog, endpoint, body)
  local group = catalog.endpoints[endpoint]
  if not group then error(("no endpoint %s"):format(text.show(endpoint)), 2) end
  if type(body) ~= "table" then
    return { issue.invalid_type({ path = json.array {} }, "object", body) }
  end
  local model = body.model
  local entry = model ~= nil and model == model and group.models[model]
  if not entry then return unknown_model(catalog, endpoint, model) end
  return check.body(entry, model, body, catalog)
end

return M
