local lu = require "luaunit"
local graph = require "rushes.studio.graph"
local runway = require "rushes.catalog.runway"
local gen4 = require "rushes.catalog.gen4"

local T = {}

local hero = { kind = "character", name = "hero", tag = "hero", images = { {} } }
local neon = { kind = "style", name = "neon", tag = "neon", images = { {} } }

local function stages(catalog, shot, model, ratio)
  shot.name, shot.refs = "street", shot.refs or {}
  return graph.stages(catalog, shot, { model = model }, { name = "shot street",
    prompt = shot.prompt or "She walks", seconds = 5, ratio = ratio or "1280:720",
    seed = 7 })
end

local function shape(list)
  local out = {}
  for i, s in ipairs(list) do
    out[i] = s.name .. " " .. s.spec.mode .. " " .. s.spec.model
  end
  return out
end

function T.test_references_become_a_still_before_a_first_frame_model()
  local list = stages(runway, { refs = { hero, neon } }, "gen4_turbo")
  lu.assertEquals(shape(list), { "still text_to_image gen4_image",
    "motion image_to_video gen4_turbo" })
  lu.assertEquals(list[1].spec.prompt,
    "She walks\nThe character is @hero. The style is that of @neon.")
  lu.assertEquals(list[1].spec.images[1].role, "ref")
  lu.assertEquals(list[2].spec.images, { { role = "first" } })
end

function T.test_a_mention_is_not_repeated_and_is_plain_in_the_motion()
  local list = stages(runway, { refs = { hero }, prompt = "@Hero walks, @hero_two not" },
    "gen4.5")
  lu.assertEquals(list[1].spec.prompt, "@Hero walks, @hero_two not")
  local plain = stages(runway, { refs = { hero }, prompt = "@hero walks" }, "gen4.5")
  lu.assertEquals(plain[2].spec.prompt, "hero walks")
end

function T.test_models_with_references_get_them_in_one_call()
  lu.assertEquals(shape(stages(runway, { refs = { hero } }, "seedance2")),
    { "motion text_to_video seedance2" })
  lu.assertEquals(shape(stages(gen4, { refs = { hero } }, "gen4")),
    { "motion gen4 gen4" })
end

function T.test_text_alone()
  lu.assertEquals(shape(stages(runway, {}, "gen4.5")), { "motion text_to_video gen4.5" })
  lu.assertEquals(shape(stages(runway, {}, "gen4.5", "960:960")),
    { "still text_to_image gen4_image", "motion image_to_video gen4.5" })
  lu.assertEquals(#stages(runway, {}, "gen4_turbo"), 2)
end

function T.test_the_still_takes_the_nearest_ratio()
  local list = stages(runway, { refs = { hero } }, "gen4_turbo", "1104:832")
  lu.assertEquals(list[2].spec.ratio, "1104:832")
  local w, h = list[1].spec.ratio:match "(%d+):(%d+)"
  lu.assertAlmostEquals(w / h, 1104 / 832, 0.03)
end

function T.test_a_first_frame_is_used_as_it_is()
  local list = stages(runway, { first_frame = "a.png" }, "gen4_turbo")
  lu.assertEquals(shape(list), { "motion image_to_video gen4_turbo" })
  lu.assertEquals(list[1].spec.images[1].image, "a.png")
end

function T.test_what_cannot_be_made_is_refused()
  local _, e = stages(runway, { first_frame = "a.png", refs = { hero } }, "gen4_turbo")
  lu.assertStrContains(e.message, "both first_frame and refs")
  _, e = stages(runway, { refs = { hero, hero, neon, neon } }, "gen4_turbo")
  lu.assertStrContains(e.message, "has 4 references; gen4_image takes at most 3")
  _, e = stages(runway, {}, "gen4_tubro")
  lu.assertStrContains(e.message, 'did you mean "gen4_turbo"')
  _, e = stages(runway, { refs = { hero } }, "gen4_image")
  lu.assertStrContains(e.message, '"gen4_image" does not do image_to_video')
end

return T
