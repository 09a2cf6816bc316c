local lu = require "luaunit"
local gen4 = require "rushes.catalog.gen4"
local price = require "rushes.money.price"
local runway = require "rushes.catalog.runway"

local T = {}

--- Credits (not thousandths), and how sure they are.
local function cost(endpoint, model, body, facts)
  local entry = runway.endpoints[endpoint].models[model]
  local thousandths, how = price.price(entry, body, facts)
  lu.assertEquals(math.type(thousandths), "integer")
  return thousandths / 1000, how
end

local function exact(endpoint, model, body, credits, facts)
  local c, how = cost(endpoint, model, body, facts)
  lu.assertEquals(c, credits)
  lu.assertEquals(how, "exact")
end

local function estimate(endpoint, model, body, credits, facts)
  local c, how = cost(endpoint, model, body, facts)
  lu.assertEquals(c, credits)
  lu.assertEquals(how, "estimate")
end

function T.test_the_documented_examples()
  exact("image_to_video", "gen4_turbo", { duration = 5 }, 25)
  exact("image_to_video", "gen4.5", { duration = 10 }, 120)
  exact("video_to_video", "aleph2", {}, 56, { seconds = 2 })
  exact("image_to_video", "veo3.1", { duration = 8, audio = true }, 320)
  exact("video_upscale", "magnific_video_upscaler_creative", { resolution = "1k" }, 63,
    { seconds = 3, fps = 30 })
  exact("video_upscale", "magnific_video_upscaler_creative", {}, 81,
    { seconds = 3, fps = 30 })
end

function T.test_an_open_duration_is_priced_at_the_longest()
  estimate("image_to_video", "gen4_turbo", {}, 50)
  estimate("image_to_video", "veo3.1_fast", { audio = false }, 80)
  estimate("text_to_video", "seedance2", { duration = "auto", ratio = "1280:720" },
    15 * 36)
end

function T.test_audio_and_silence()
  exact("text_to_video", "veo3.1", { duration = 4 }, 160) -- audio is on by default
  exact("text_to_video", "veo3.1", { duration = 4, audio = false }, 80)
  exact("text_to_video", "veo3.1_fast", { duration = 4 }, 60)
end

function T.test_resolution_decides()
  exact("text_to_video", "seedance2", { duration = 5, ratio = "992:432" }, 180)
  exact("text_to_video", "seedance2", { duration = 5, ratio = "1920:1080" }, 200)
  exact("text_to_video", "seedance2", { duration = 5, ratio = "3840:2160" }, 750)
  estimate("text_to_video", "seedance2", { duration = 5 }, 750)
  exact("image_to_video", "happyhorse_1_0", { duration = 3, resolution = "720p" }, 45)
  exact("text_to_video", "happyhorse_1_0", { duration = 3, ratio = "1440:1440" }, 90)
end

function T.test_smallest_bills()
  exact("text_to_video", "seedance2_mini", { duration = 4, ratio = "640:640" }, 64)
  exact("video_to_video", "aleph2", {}, 84, { seconds = 3 })
  estimate("video_to_video", "aleph2", {}, 30 * 28)
end

function T.test_output_formats_cost_more()
  exact("image_to_video", "gen4.5", { duration = 5, outputFormat = "prores" }, 85)
  exact("image_to_video", "gen4.5", { duration = 5, outputFormat = "hdr10" }, 160)
  exact("image_to_video", "gen4.5", { duration = 5, outputFormat = "mp4" }, 60)
  local body = { outputFormat = "sdr_rec709_10bit" }
  exact("video_to_video", "aleph2", body, 5 * 48, { seconds = 5, pixels = 2560 * 1440 })
  exact("video_to_video", "aleph2", body, 5 * 68, { seconds = 5, pixels = 3840 * 2160 })
  estimate("video_to_video", "aleph2", body, 5 * 68, { seconds = 5 })
end

function T.test_references_cost_at_hailuo()
  local refs = { { uri = "a" }, { uri = "b" } }
  exact("text_to_video", "hailuo3", { duration = 5, resolution = "768p",
    references = refs }, 54)
  exact("image_to_video", "hailuo3", { duration = 5, resolution = "2k",
    promptImage = refs }, 79)
  exact("image_to_video", "hailuo3", { duration = 5, resolution = "2k",
    promptImage = { { uri = "a", position = "first" } } }, 75)
  exact("image_to_video", "hailuo3", { duration = 5, resolution = "2k",
    promptImage = "https://x" }, 75)
end

function T.test_parts_of_a_second_are_rounded_up()
  estimate("character_performance", "act_two", {}, 20, { seconds = 3.2 })
  exact("character_performance", "act_two", {}, 15, { seconds = 3.0 })
end

function T.test_images()
  exact("text_to_image", "gen4_image", { ratio = "1280:720" }, 5)
  exact("text_to_image", "gen4_image", { ratio = "1920:1080" }, 8)
  estimate("text_to_image", "gen4_image", { ratio = "1024:1024" }, 8)
  exact("text_to_image", "gen4_image_turbo", {}, 2)
  exact("text_to_image", "gemini_image3_pro", { ratio = "1024:1024" }, 20)
  exact("text_to_image", "gemini_image3_pro", { ratio = "4096:4096", outputCount = 4 },
    160)
  exact("text_to_image", "gpt_image_2", { ratio = "auto" }, 41)
  exact("text_to_image", "gpt_image_2", { ratio = "1920:1920", quality = "low",
    outputCount = 3 }, 3)
end

function T.test_upscaling()
  exact("image_upscale", "magnific_precision_upscaler_v2", {}, 25,
    { longest_side = 4096 })
  exact("image_upscale", "magnific_precision_upscaler_v2", {}, 150,
    { longest_side = 4097 })
  estimate("image_upscale", "magnific_precision_upscaler_v2", {}, 150)
  estimate("video_upscale", "magnific_video_upscaler_creative", { fpsBoost = true },
    324, { seconds = 3, fps = 30 })
  exact("video_upscale", "magnific_video_upscaler_creative", {}, 1,
    { seconds = 0, fps = 30 })
end

function T.test_hdr_is_dearer_above_four_megapixels()
  exact("video_to_hdr", "ruby", {}, 100, { seconds = 5, pixels = 1920 * 1080 })
  exact("video_to_hdr", "ruby", {}, 200, { seconds = 5, pixels = 3840 * 2160 })
  estimate("video_to_hdr", "ruby", {}, 200, { seconds = 5 })
end

function T.test_the_gen4_dialect_costs_what_its_namesakes_cost()
  local models = gen4.endpoints.gen4.models
  lu.assertEquals({ price.price(models.gen4, { duration = 5 }) }, { 60000, "exact" })
  lu.assertEquals({ price.price(models["gen4-turbo"], { duration = 5 }) },
    { 25000, "exact" })
end

function T.test_a_reservation_never_lies_below_any_exact_price()
  local veo = runway.endpoints.text_to_video.models["veo3.1"]
  local most = price.price(veo, {})
  for _, duration in ipairs { 4, 6, 8 } do
    for _, audio in ipairs { true, false } do
      lu.assertTrue(price.price(veo, { duration = duration, audio = audio }) <= most)
    end
  end
end

return T
