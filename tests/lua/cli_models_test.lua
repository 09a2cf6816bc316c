local lu = require "luaunit"
local facts = require "rushes.cli.model_facts"
local catalogs = require "rushes.catalog"
local gen4 = require "rushes.catalog.gen4"
local runway = require "rushes.catalog.runway"

local T = {}

function T.test_a_model_of_two_endpoints_is_one_row()
  local row = facts.of(runway, "gen4.5")
  lu.assertEquals(row.endpoints, { "image_to_video", "text_to_video" })
  lu.assertEquals(row.makes, { "video" })
  lu.assertEquals(row.from, { "image", "text" })
  lu.assertEquals(row.seconds, "2-10")
  lu.assertEquals(row.references, "first frame")
  lu.assertEquals(row.rates[1],
    { unit = "second", low = 12, high = 12, extras = true })
end

function T.test_prices_that_depend_on_the_request_are_spans()
  lu.assertEquals(facts.of(runway, "gen4_image").price, "5-8 each")
  lu.assertEquals(facts.of(runway, "gen4_turbo").price, "5/s")
  lu.assertEquals(facts.of(runway, "seedance2_mini").price, "16/s, at least 64")
  lu.assertEquals(facts.of(gen4, "gen4").price, "12/s")
end

function T.test_references_are_counted()
  lu.assertEquals(facts.of(runway, "gen4_image").references, "3")
  lu.assertEquals(facts.of(runway, "gen4_image_turbo").references, "1-3")
  lu.assertEquals(facts.of(runway, "veo3.1").references, "first+last frame")
end

function T.test_every_model_of_every_catalogue_can_be_told()
  for _, catalog in ipairs { runway, gen4 } do
    for _, model in ipairs(catalogs.models(catalog)) do
      local row = facts.of(catalog, model)
      lu.assertNotNil(row.price:find "%d/s" or row.price:find "%d each"
        or row.price:find "%d/frame", model)
      for _, endpoint in ipairs(row.endpoints) do
        for name, spec in pairs(catalog.endpoints[endpoint].models[model].fields) do
          lu.assertTrue(#facts.allowed(spec) > 0, model .. " " .. name)
        end
      end
    end
  end
end

return T
