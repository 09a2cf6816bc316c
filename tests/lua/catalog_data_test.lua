--- The data files themselves: every entry can be checked, priced and named.
local lu = require "luaunit"
local catalog = require "rushes.catalog"
local price = require "rushes.money.price"
local rules = require "rushes.catalog.rules"

local T = {}

local CATALOGS = { (require "rushes.catalog.runway"), (require "rushes.catalog.gen4") }

local function each_entry(visit)
  for _, data in ipairs(CATALOGS) do
    for endpoint, group in pairs(data.endpoints) do
      for model, entry in pairs(group.models) do visit(data, endpoint, model, entry) end
    end
  end
end

local EXAMPLE = { image = "https://example.com/a.png",
  video = "https://example.com/a.mp4", audio = "https://example.com/a.wav" }

--- A value that the description allows, the smallest there is.
local function example(spec)
  local kind = spec.type or "enum"
  if kind == "enum" then return spec.enum[1] end
  if kind == "string" then return ("x"):rep(math.max(3, spec.min or 0)) end
  if kind == "integer" or kind == "number" then return spec.min or 0 end
  if kind == "boolean" then return true end
  if kind == "uri" then return EXAMPLE[spec.media] end
  if kind == "frames" then return EXAMPLE.image end
  if kind == "array" then return { example(spec.items) } end
  local fields = spec.fields
  if kind == "variant" then
    local tag = next(spec.of)
    fields = spec.of[tag]
    local out = { [spec.by] = tag }
    for name, inner in pairs(fields) do out[name] = example(inner) end
    return out
  end
  local out = {}
  for name, inner in pairs(fields) do
    if inner.required then out[name] = example(inner) end
  end
  return out
end

local function body_of(model, entry, all)
  local body = { model = model }
  for name, spec in pairs(entry.fields) do
    if spec.required or all then body[name] = example(spec) end
  end
  return body
end

function T.test_the_smallest_body_of_each_model_is_right()
  each_entry(function(data, endpoint, model, entry)
    local issues = catalog.check(data, endpoint, body_of(model, entry))
    lu.assertEquals(issues, {}, model .. ": " .. (issues[1] and issues[1].sentence or ""))
  end)
end

function T.test_each_missing_required_field_is_found()
  each_entry(function(data, endpoint, model, entry)
    for name, spec in pairs(entry.fields) do
      if spec.required then
        local body = body_of(model, entry)
        body[name] = nil
        local issues = catalog.check(data, endpoint, body)
        lu.assertEquals(#issues, 1, model .. "." .. name)
        lu.assertEquals(issues[1].path, { name })
        lu.assertStrContains(issues[1].sentence, "missing")
      end
    end
  end)
end

function T.test_each_field_refuses_a_value_of_no_type()
  each_entry(function(data, endpoint, model, entry)
    for name in pairs(entry.fields) do
      local body = body_of(model, entry)
      body[name] = function() end
      lu.assertTrue(#catalog.check(data, endpoint, body) > 0, model .. "." .. name)
    end
  end)
end

function T.test_every_body_has_a_price()
  each_entry(function(_, _, model, entry)
    for _, all in ipairs { false, true } do
      local thousandths, how = price.price(entry, body_of(model, entry, all))
      lu.assertEquals(math.type(thousandths), "integer", model)
      lu.assertTrue(thousandths > 0, model)
      lu.assertTrue(how == "exact" or how == "estimate")
    end
  end)
end

--- Every value of a field that decides the price is in the price's table.
local function covered(rate, entry, model)
  if type(rate) == "number" or rate.fact then return end
  for _, value in ipairs(entry.fields[rate.field].enum or { true, false }) do
    local inner = rate.values[value]
    lu.assertNotNil(inner, ("%s: no price for %s %s"):format(model, rate.field,
      tostring(value)))
    covered(inner, entry, model)
  end
end

function T.test_every_choice_has_its_price()
  each_entry(function(_, _, model, entry)
    covered(entry.price.rate, entry, model)
    for _, extra in ipairs(entry.price.plus or {}) do
      covered(extra.rate, entry, model)
    end
  end)
end

function T.test_every_rule_exists_and_names_fields_that_exist()
  local known = {}
  for _, name in ipairs(rules.names()) do known[name] = true end
  each_entry(function(_, _, model, entry)
    for _, rule in ipairs(entry.rules or {}) do
      lu.assertTrue(known[rule.rule], model .. ": " .. rule.rule)
      lu.assertNotNil(entry.fields[rule.field], model .. ": " .. rule.field)
      for _, name in ipairs { rule.other } do
        lu.assertNotNil(entry.fields[name], model .. ": " .. name)
      end
    end
  end)
end

function T.test_no_list_names_a_value_twice()
  each_entry(function(_, _, model, entry)
    for name, spec in pairs(entry.fields) do
      local seen = {}
      for _, value in ipairs(spec.enum or {}) do
        lu.assertNil(seen[value], ("%s.%s: %s"):format(model, name, tostring(value)))
        seen[value] = true
      end
    end
  end)
end

function T.test_lanes_classes_and_tiers()
  each_entry(function(data, _, model, entry)
    lu.assertEquals(entry.lane, model)
    for _, tier in ipairs(data.tiers) do
      lu.assertTrue(tier[entry.class].at_once > 0)
      lu.assertTrue(tier[entry.class].daily > 0)
    end
  end)
end

function T.test_successors_of_retired_models_exist()
  local runway = CATALOGS[1]
  for old, row in pairs(runway.retired) do
    lu.assertNotNil((catalog.find(runway, row.successor)), old)
    lu.assertNil((catalog.find(runway, old)), old)
  end
  for model in pairs(runway.left_out) do lu.assertNil((catalog.find(runway, model))) end
  for endpoint, models in pairs(runway.partly_left_out) do
    for model in pairs(models) do
      lu.assertNotNil((catalog.find(runway, model)), model)
      lu.assertNil((catalog.find(runway, model, endpoint)), model)
    end
  end
end

function T.test_the_models_that_scripts_need_are_there()
  for _, model in ipairs { "gen4.5", "gen4_turbo", "aleph2", "act_two", "gen4_image",
    "gen4_image_turbo", "veo3.1", "veo3.1_fast", "seedance2" } do
    lu.assertNotNil((catalog.find(CATALOGS[1], model)), model)
  end
end

function T.test_every_list_of_ratios_has_the_documented_length()
  local function ratios(endpoint, model)
    return #CATALOGS[1].endpoints[endpoint].models[model].fields.ratio.enum
  end
  lu.assertEquals(ratios("image_to_video", "gen4.5"), 6)
  lu.assertEquals(ratios("text_to_video", "gen4.5"), 2)
  lu.assertEquals(ratios("image_to_video", "seedance2"), 24)
  lu.assertEquals(ratios("image_to_video", "seedance2_fast"), 12)
  lu.assertEquals(ratios("text_to_image", "gen4_image"), 16)
  lu.assertEquals(ratios("text_to_image", "gemini_image3_pro"), 30)
  lu.assertEquals(ratios("text_to_image", "gemini_image3.1_flash"), 56)
  lu.assertEquals(ratios("text_to_image", "gpt_image_2"), 31)
end

return T
