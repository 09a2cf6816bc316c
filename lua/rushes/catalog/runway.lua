--- Runway's developer API as data: what each model takes, costs and allows.
--- Facts differ in how well they are known; `unconfirmed` says which are not certain.
--- Credits are whole credits here, thousandths everywhere else. docs/providers.md
--- explains every key; tests/peers/catalog-drift compares this file with the SDK.

local MIB = 1024 * 1024

-- Shared field descriptions --------------------------------------------------------

local SEED = { type = "integer", min = 0, max = 4294967295, says = "seed" }
local MODERATION = { type = "object", closed = true, fields = {
  publicFigureThreshold = { enum = { "auto", "low" } } } }
local BOOLEAN = { type = "boolean" }
local PERCENT = { type = "integer", min = 0, max = 100 }
local IMAGE = { type = "uri", media = "image", required = true }
local VIDEO = { type = "uri", media = "video", required = true }
local AUDIO = { type = "uri", media = "audio", required = true }

local function prompt(max, required, min)
  return { type = "string", min = min or 1, max = max, unit = "utf16", says = "prompt",
    required = required }
end

local function ratio(values, required)
  return { enum = values, required = required, says = "ratio" }
end

local function seconds(min, max, required, also)
  return { type = "integer", min = min, max = max, required = required, also = also,
    says = "seconds" }
end

local function frames(max, positions, unplaced)
  return { type = "frames", max = max, positions = positions, unplaced = unplaced,
    required = true, says = "image" }
end

--- A list of files that the model may look at.
local function references(max)
  return { type = "array", max = max, says = "references", items = {
    type = "object", closed = true, fields = { uri = IMAGE } } }
end

local function clips(kind, max, closed)
  return { type = "array", max = max, items = { type = "object", closed = closed,
    fields = { type = { enum = { kind }, required = true },
      uri = kind == "video" and VIDEO or AUDIO } } }
end

local TAG = { type = "string", min = 3, max = 16 }
local SUBJECT = { enum = { "object", "human" } }

local function tagged(min, max, closed, subject, required)
  return { type = "array", min = min, max = max, required = required,
    says = "references", items = { type = "object", closed = closed,
      fields = { uri = IMAGE, tag = TAG, subject = subject } } }
end

-- Ratios ---------------------------------------------------------------------------

local function words(s)
  local out = {}
  for word in s:gmatch "%S+" do out[#out + 1] = word end
  return out
end

local function join(...)
  local out = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #out + 1, out) end
  return out
end

local GEN4_VIDEO = words "1280:720 720:1280 1104:832 960:960 832:1104 1584:672"
local VEO = words "1280:720 720:1280 1080:1920 1920:1080"
local TWO_720P = words "1280:720 720:1280"
local SEEDANCE_480P = words "992:432 864:496 752:560 640:640 560:752 496:864"
local SEEDANCE_720P = words "1470:630 1280:720 1112:834 960:960 834:1112 720:1280"
local SEEDANCE_1080P = words "2206:946 1920:1080 1664:1248 1440:1440 1248:1664 1080:1920"
local SEEDANCE_4K = words "3840:1646 3840:2160 3840:2880 3840:3840 2880:3840 2160:3840"
local SEEDANCE_DRAFT = join(SEEDANCE_480P, SEEDANCE_720P)
local SEEDANCE_ALL = join(SEEDANCE_DRAFT, SEEDANCE_1080P, SEEDANCE_4K)
local HAILUO = words "adaptive 21:9 16:9 4:3 1:1 3:4 9:16"
local HAPPYHORSE = words [[1280:720 720:1280 960:960 1108:832 832:1108 1920:1080
  1080:1920 1440:1440 1662:1248 1248:1662]]
local GEN4_IMAGE_720P = words "1280:720 720:1280 720:720 960:720 720:960 1680:720"
local GEN4_IMAGE_1080P = words [[1080:1080 1440:1080 1080:1440 1920:1080 1080:1920
  2112:912]]
local GEN4_IMAGE_BETWEEN = words "1024:1024 1168:880 1360:768 1808:768"
local GEN4_IMAGE = words [[1024:1024 1080:1080 1168:880 1360:768 1440:1080 1080:1440
  1808:768 1920:1080 1080:1920 2112:912 1280:720 720:1280 720:720 960:720 720:960
  1680:720]]
local GEMINI_1K = words [[1344:768 768:1344 1024:1024 1184:864 864:1184 1536:672
  832:1248 1248:832 896:1152 1152:896]]
local GEMINI_2K = words [[2048:2048 1696:2528 2528:1696 1792:2400 2400:1792 1856:2304
  2304:1856 1536:2752 2752:1536 3168:1344]]
local GEMINI_4K = words [[4096:4096 3392:5056 5056:3392 3584:4800 4800:3584 3712:4608
  4608:3712 3072:5504 5504:3072 6336:2688]]
local FLASH_512 = words [[512:512 416:624 624:416 432:592 592:432 448:576 576:448
  384:672 672:384 768:336 256:1024 1024:256 176:1408 1408:176]]
local FLASH_1K = join(GEMINI_1K, words "512:2048 2048:512 352:2816 2816:352")
local FLASH_2K = join(GEMINI_2K, words "1024:4096 4096:1024 704:5632 5632:704")
local FLASH_4K = join(GEMINI_4K, words "2048:8192 8192:2048 1408:11264 11264:1408")
local GPT_2K = words [[2048:880 1920:1088 1920:1280 1920:1440 1920:1536 1920:1920
  1536:1920 1440:1920 1280:1920 1088:1920 2912:1248 2560:1440 2560:1712 2560:1920
  2560:2048 2560:2560 2048:2560 1920:2560 1712:2560 1440:2560]]
local GPT_4K = words [[3840:1648 3840:2160 3504:2336 3264:2448 3200:2560 2880:2880
  2560:3200 2448:3264 2336:3504 2160:3840 auto]]

-- Prices ---------------------------------------------------------------------------

--- A table from each value to its price: `each({a, b}, 36, {c}, 40)`.
local function each(...)
  local out, args = {}, { ... }
  for i = 1, #args, 2 do
    for _, value in ipairs(args[i]) do out[value] = args[i + 1] end
  end
  return out
end

local function per_second(rate, from)
  return { unit = "second", rate = rate, seconds = from or { field = "duration" } }
end

local FROM_VIDEO_30 = { fact = "seconds", max = 30 }

-- Above four megapixels the surcharge of the 10-bit and deeper formats doubles. That the
-- line is at exactly 4,000,000 is our cautious reading of "4 megapixels".
local DEEP = { fact = "pixels", over = 4000000, below = 20, above = 40 }
local DEEP_BELOW_4MP = 20

local function surcharge(deep, formats)
  local values = { mp4 = 0, prores = 5, png_sequence = 5 }
  for _, format in ipairs(formats) do values[format] = deep end
  return { unit = "second", rate = { field = "outputFormat", default = "mp4",
    values = values } }
end

local GEN45_FORMATS = words [[mp4 prores png_sequence hdr10 hlg sdr_rec709_10bit
  hdr_pq_12bit_master hdr_prores hdr_png_sequence hdr_exr_sequence
  hdr_exr_acescg_sequence_1_3 hdr_exr_acescg_sequence_2_0]]
local GEN45_DEEP = { table.unpack(GEN45_FORMATS, 4) }
local PRORES = { "422", "4444", "422 Proxy", "422 LT", "422 HQ", "4444 XQ" }

-- Every ratio of gen4.5 is below four megapixels.
local GEN45_PRICE = { unit = "second", rate = 12, seconds = { field = "duration" },
  plus = { surcharge(DEEP_BELOW_4MP, GEN45_DEEP) } }
local GEN45_RULES = {
  { rule = "only_with", field = "proresProfile", other = "outputFormat",
    default = "mp4", values = { "prores", "hdr_prores" } },
  { rule = "narrowed", field = "proresProfile", other = "outputFormat",
    when = "hdr_prores", values = { "422", "422 HQ", "4444" } },
}

local function veo_price(audio, silent)
  return per_second { field = "audio", default = true,
    values = { [true] = audio, [false] = silent } }
end

local HAILUO_RATE = { field = "resolution",
  values = { ["768p"] = 10, ["768P"] = 10, ["2k"] = 15, ["2K"] = 15 } }

local TAG_RULES = {
  { rule = "pattern", field = "referenceImages", key = "tag",
    pattern = "^%a[%w_]+$", says = "a tag is 3 to 16 letters, digits or underscores "
      .. "and begins with a letter" },
  { rule = "unique", field = "referenceImages", key = "tag" },
}
local SUBJECT_RULES = {
  TAG_RULES[1], TAG_RULES[2],
  { rule = "at_most", field = "referenceImages", key = "subject", default = "object",
    value = "human", max = 5 },
  { rule = "at_most", field = "referenceImages", key = "subject", default = "object",
    value = "object", max = 9 },
}

local IMAGES = { unit = "item", count = { field = "outputCount", default = 1 } }

local function per_image(rate)
  return { unit = IMAGES.unit, count = IMAGES.count, rate = rate }
end

-- Models that appear under more than one endpoint ----------------------------------

local function veo(endpoint, audio, silent)
  local still = endpoint == "image_to_video"
  return { closed = true,
    aspect = { min = 0.5, max = 2.0 },
    unconfirmed = { "the default duration; the dearest, 8 seconds, is reserved" },
    fields = {
      promptImage = still and frames(2, { "first", "last" }) or nil,
      promptText = prompt(1000, not still),
      ratio = ratio(VEO, true),
      duration = { enum = { 4, 6, 8 }, says = "seconds" },
      audio = BOOLEAN, seed = SEED,
      negativePrompt = { type = "string", min = 1, max = 1000, unit = "utf16" },
    },
    price = veo_price(audio, silent) }
end

local function seedance(endpoint, ratios, rate, minimum)
  local still = endpoint == "image_to_video"
  local fields = {
    promptText = prompt(3500, not still),
    ratio = ratio(ratios), duration = seconds(4, 15, false, { "auto" }),
    audio = BOOLEAN, seed = SEED, referenceAudio = clips("audio", 3),
  }
  if still then
    fields.promptImage = frames(nil, { "first", "last" }, true)
  else
    fields.references = references(9)
    fields.referenceVideos = clips("video", 3)
  end
  local price = per_second(rate)
  price.minimum = minimum
  return { closed = true, fields = fields, price = price,
    unconfirmed = { "the default ratio and duration; the dearest is reserved" } }
end

local SEEDANCE2_RATE = { field = "ratio",
  values = each(SEEDANCE_DRAFT, 36, SEEDANCE_1080P, 40, SEEDANCE_4K, 150) }

local function hailuo(endpoint)
  local still = endpoint == "image_to_video"
  local fields = {
    promptText = prompt(6000, true),
    ratio = ratio(HAILUO), duration = seconds(5, 15),
    resolution = { enum = { "768p", "2k", "768P", "2K" } },
    referenceAudio = clips("audio", 3, true),
  }
  local price = per_second(HAILUO_RATE)
  if still then
    fields.promptImage = frames(9, { "first", "last" }, true)
    price.plus = { { unit = "item", rate = 2,
      count = { length = "promptImage", without = "position" } } }
  else
    fields.references = references(9)
    fields.referenceVideos = clips("video", 3, true)
    price.plus = { { unit = "item", rate = 2, count = { length = "references" } } }
  end
  return { closed = true, fields = fields, price = price,
    rules = not still and { { rule = "value_needs", field = "ratio",
      value = "adaptive", any = { "references", "referenceVideos" } } } or nil,
    unconfirmed = { "the default resolution and duration; the dearest is reserved" } }
end

local function gen4_image(required)
  return { class = "image", rules = TAG_RULES,
    fields = {
      promptText = prompt(1000, true), ratio = ratio(GEN4_IMAGE, true),
      referenceImages = tagged(required and 1 or 0, 3, false, nil, required),
      seed = SEED, contentModeration = MODERATION },
    price = required and { unit = "item", rate = 2 } or { unit = "item",
      rate = { field = "ratio", unsure = each(GEN4_IMAGE_BETWEEN, true),
        values = each(GEN4_IMAGE_720P, 5, GEN4_IMAGE_1080P, 8,
          GEN4_IMAGE_BETWEEN, 8) } },
    unconfirmed = { "whether tags are case-sensitive",
      not required and "the price of the ratios between 720p and 1080p" or nil } }
end

local function gemini_image(ratios, closed, values, unsure)
  return { class = "image", closed = closed, rules = SUBJECT_RULES,
    fields = { promptText = prompt(5500, true), ratio = ratio(ratios, true),
      referenceImages = tagged(0, 14, closed, SUBJECT),
      outputCount = { enum = { 1, 4 } } },
    price = per_image { field = "ratio", values = values, unsure = unsure },
    unconfirmed = unsure and { "the price of each size" } or nil }
end

-- Endpoints ------------------------------------------------------------------------

local image_to_video = {
  ["gen4.5"] = { aspect = { min = 0.5, max = 2.0 }, rules = GEN45_RULES,
    fields = { promptImage = frames(1, { "first" }), promptText = prompt(1000, true),
      ratio = ratio(GEN4_VIDEO, true), duration = seconds(2, 10, true), seed = SEED,
      contentModeration = MODERATION, outputFormat = { enum = GEN45_FORMATS },
      proresProfile = { enum = PRORES } },
    price = GEN45_PRICE },
  gen4_turbo = { aspect = { min = 0.5, max = 2.358 },
    unconfirmed = { "the default duration; 10 seconds are reserved",
      "the widest picture: 2.358, or 2.286 by another source" },
    fields = { promptImage = frames(1, { "first" }), promptText = prompt(1000),
      ratio = ratio(GEN4_VIDEO, true), duration = seconds(2, 10), seed = SEED,
      contentModeration = MODERATION },
    price = per_second(5) },
  ["veo3.1"] = veo("image_to_video", 40, 20),
  ["veo3.1_fast"] = veo("image_to_video", 15, 10),
  hailuo3 = hailuo "image_to_video",
  happyhorse_1_0 = { closed = true, aspect = { min = 0.55, max = 1.8 },
    unconfirmed = { "the default resolution and duration; the dearest is reserved" },
    fields = { promptImage = frames(1, { "first" }),
      promptText = prompt(2500, false, 2), duration = seconds(3, 15),
      resolution = { enum = { "720p", "1080p", "720P", "1080P" } } },
    price = per_second { field = "resolution", values = { ["720p"] = 15,
      ["720P"] = 15, ["1080p"] = 30, ["1080P"] = 30 } } },
  seedance2 = seedance("image_to_video", SEEDANCE_ALL, SEEDANCE2_RATE),
  seedance2_fast = seedance("image_to_video", SEEDANCE_DRAFT, 29),
  seedance2_mini = seedance("image_to_video", SEEDANCE_DRAFT, 16, 64),
  gemini_omni_flash = {
    unconfirmed = { "whether the extra credit for a picture is per second; it is "
      .. "reserved so", "the default duration; 10 seconds are reserved" },
    fields = { promptImage = frames(1, { "first" }), promptText = prompt(4000),
      ratio = ratio(TWO_720P), duration = seconds(3, 10) },
    price = { unit = "second", rate = 11, seconds = { field = "duration" },
      estimate = true } },
}

local text_to_video = {
  ["gen4.5"] = { rules = GEN45_RULES,
    fields = { promptText = prompt(1000, true), ratio = ratio(TWO_720P, true),
      duration = seconds(2, 10, true), seed = SEED, contentModeration = MODERATION,
      outputFormat = { enum = GEN45_FORMATS }, proresProfile = { enum = PRORES } },
    price = GEN45_PRICE },
  ["veo3.1"] = veo("text_to_video", 40, 20),
  ["veo3.1_fast"] = veo("text_to_video", 15, 10),
  hailuo3 = hailuo "text_to_video",
  happyhorse_1_0 = { closed = true,
    unconfirmed = { "the default ratio and duration; the dearest is reserved" },
    fields = { promptText = prompt(2500, true, 2), duration = seconds(3, 15),
      ratio = ratio(HAPPYHORSE) },
    price = per_second { field = "ratio", values = each(
      { table.unpack(HAPPYHORSE, 1, 5) }, 15, { table.unpack(HAPPYHORSE, 6) }, 30) } },
  seedance2 = seedance("text_to_video", SEEDANCE_ALL, SEEDANCE2_RATE),
  seedance2_fast = seedance("text_to_video", SEEDANCE_DRAFT, 29),
  seedance2_mini = seedance("text_to_video", SEEDANCE_DRAFT, 16, 64),
  gemini_omni_flash = {
    unconfirmed = { "the default duration; 10 seconds are reserved" },
    fields = { promptText = prompt(4000, true), ratio = ratio(TWO_720P),
      duration = seconds(3, 10) },
    price = per_second(10) },
}

local KEYFRAME = { type = "object", closed = true, fields = {
  uri = IMAGE,
  seconds = { type = "number", min = 0, max = 30 },
  at = { type = "number", min = 0, max = 1 },
  range = { type = "object", closed = true, fields = {
    start_seconds = { type = "integer", min = 0, max = 9007199254740991,
      required = true },
    end_seconds = { type = "integer", min = 0, max = 9007199254740991,
      required = true } } } } }

local video_to_video = {
  aleph2 = { closed = true, aspect = { min = 0.5, max = 2.358 },
    video = { field = "videoUri", min = 2, max = 30 },
    unconfirmed = { "the widest picture: 2.358, or 2.286 by another source",
      "how a part of a second is charged; it is rounded up here" },
    ignores = { ratio = "the clip keeps the shape of its video; targetAspectRatio "
      .. "changes it" },
    fields = { videoUri = VIDEO, promptText = prompt(1000),
      keyframes = { type = "array", min = 1, max = 5, items = KEYFRAME },
      targetAspectRatio = { enum = words "16:9 4:3 3:2 1:1 2:3 3:4 9:16 21:9" },
      ratio = { type = "string" }, seed = SEED, contentModeration = MODERATION,
      outputFormat = { enum = words "mp4 prores png_sequence sdr_rec709_10bit" },
      proresProfile = { enum = PRORES } },
    rules = {
      { rule = "one_of", field = "keyframes", keys = { "seconds", "at" } },
      { rule = "all_or_none", field = "keyframes", key = "range" },
      { rule = "inside", field = "keyframes", key = "seconds", range = "range",
        from = "start_seconds", to = "end_seconds" },
      { rule = "only_with", field = "proresProfile", other = "outputFormat",
        default = "mp4", values = { "prores" } } },
    price = { unit = "second", rate = 28, minimum = 56, seconds = FROM_VIDEO_30,
      plus = { surcharge(DEEP, { "sdr_rec709_10bit" }) } } },
  gemini_omni_flash = { closed = true, video = { field = "videoUri", max = 10 },
    fields = { videoUri = VIDEO, promptText = prompt(4000, true),
      references = references(5) },
    price = per_second(11, { fact = "seconds", max = 10 }) },
}

local text_to_image = {
  gen4_image = gen4_image(false),
  gen4_image_turbo = gen4_image(true),
  ["gemini_2.5_flash"] = { class = "image", rules = TAG_RULES,
    aspect = { min = 0.25, max = 4 },
    fields = { promptText = prompt(5500, true), ratio = ratio(GEMINI_1K, true),
      referenceImages = tagged(0, 3) },
    price = { unit = "item", rate = 5 } },
  gemini_image3_pro = gemini_image(join(GEMINI_1K, GEMINI_2K, GEMINI_4K), true,
    each(GEMINI_1K, 20, GEMINI_2K, 20, GEMINI_4K, 40)),
  ["gemini_image3.1_flash"] = gemini_image(
    join(FLASH_512, FLASH_1K, FLASH_2K, FLASH_4K), false,
    each(FLASH_512, 7, FLASH_1K, 7, FLASH_2K, 11, FLASH_4K, 16),
    each(FLASH_512, true, FLASH_1K, true, FLASH_2K, true, FLASH_4K, true)),
  gpt_image_2 = { class = "image", closed = true, rules = TAG_RULES,
    fields = { promptText = prompt(32000, true),
      ratio = ratio(join(GPT_2K, GPT_4K), true),
      quality = { enum = { "low", "medium", "high", "auto" } },
      background = { enum = { "transparent", "opaque", "auto" } },
      referenceImages = tagged(0, 16, true),
      outputCount = { type = "integer", min = 1, max = 10 } },
    price = per_image { field = "quality", default = "high", values = {
      low = { field = "ratio", values = each(GPT_2K, 1, GPT_4K, 2) },
      medium = { field = "ratio", values = each(GPT_2K, 5, GPT_4K, 11) },
      high = { field = "ratio", values = each(GPT_2K, 20, GPT_4K, 41) },
      auto = { field = "ratio", values = each(GPT_2K, 20, GPT_4K, 41) } } } },
}

local character_performance = {
  act_two = { aspect = { min = 0.5, max = 2.358 },
    video = { field = "reference", min = 3, max = 30 },
    unconfirmed = { "the widest picture: 2.358, or 2.286 by another source",
      "how a part of a second is charged; it is rounded up here" },
    fields = {
      character = { type = "variant", by = "type", required = true, of = {
        image = { uri = IMAGE }, video = { uri = VIDEO } } },
      reference = { type = "variant", by = "type", required = true, of = {
        video = { uri = VIDEO } } },
      bodyControl = BOOLEAN, expressionIntensity = { type = "integer", min = 1, max = 5 },
      ratio = ratio(GEN4_VIDEO), seed = SEED, contentModeration = MODERATION },
    price = per_second(5, FROM_VIDEO_30) },
}

local image_upscale = {
  magnific_precision_upscaler_v2 = { class = "image", closed = true,
    picture = { field = "imageUri", min_side = 300, max_side = 8000,
      scale = "scaleFactor", default_scale = 2, max_area = 25300000 },
    fields = { imageUri = IMAGE, scaleFactor = { enum = { 2, 4, 8, 16 } },
      sharpen = PERCENT, smartGrain = PERCENT, ultraDetail = PERCENT,
      flavor = { enum = { "sublime", "photo", "photo_denoiser" } } },
    price = { unit = "item",
      rate = { fact = "longest_side", over = 4096, below = 25, above = 150 } } },
}

local video_upscale = {
  magnific_video_upscaler_creative = { closed = true,
    video = { field = "videoUri", max = 30 },
    unconfirmed = { "the frame rate after fpsBoost; 120 is reserved" },
    fields = { videoUri = VIDEO, resolution = { enum = { "720p", "1k", "2k", "4k" } },
      creativity = PERCENT, sharpen = PERCENT, smartGrain = PERCENT,
      flavor = { enum = { "vivid", "natural" } }, fpsBoost = BOOLEAN },
    -- Credits are rounded up to whole ones, and the smallest bill is one credit.
    price = { unit = "frame", whole = true, minimum = 1, seconds = FROM_VIDEO_30,
      rate = { field = "resolution", default = "2k", values = {
        ["720p"] = 0.7, ["1k"] = 0.7, ["2k"] = 0.9, ["4k"] = 1.2 } },
      fps = { fact = "fps", max = 60, unknown = { field = "fpsBoost", max = 120 } } } },
}

local video_to_hdr = {
  ruby = { video = { field = "videoUri", max = 30 },
    unconfirmed = { "the longest video: 30 seconds by one source" },
    fields = { videoUri = VIDEO,
      outputFormat = { enum = words [[hdr10 hlg hdr_prores hdr_exr_sequence
        hdr_exr_acescg_sequence_1_3 hdr_exr_acescg_sequence_2_0]] },
      proresProfile = { enum = { "422", "4444", "422 HQ" } } },
    rules = { { rule = "only_with", field = "proresProfile", other = "outputFormat",
      default = "hdr10", values = { "hdr_prores" } } },
    price = per_second(DEEP, FROM_VIDEO_30) },
}

local function endpoint(name, models)
  return { path = "/v1/" .. name, models = models }
end

local catalog = {
  provider = "runway",
  as_of = "2026-09-23",
  source = "OpenAPI document of 2026-08-08 for bounds, @runwayml/sdk 4.20.1 for what is "
    .. "newer, documentation pages of August and September 2026 for prices and tiers",
  endpoints = {
    image_to_video = endpoint("image_to_video", image_to_video),
    text_to_video = endpoint("text_to_video", text_to_video),
    video_to_video = endpoint("video_to_video", video_to_video),
    text_to_image = endpoint("text_to_image", text_to_image),
    character_performance = endpoint("character_performance", character_performance),
    image_upscale = endpoint("image_upscale", image_upscale),
    video_upscale = endpoint("video_upscale", video_upscale),
    video_to_hdr = endpoint("video_to_hdr", video_to_hdr),
  },
  retired = {
    gen3a_turbo = { ended = "2026-07-30", successor = "gen4_turbo", credits = 5 },
    gen4_aleph = { ended = "2026-07-30", successor = "aleph2", credits = 15 },
    veo3 = { successor = "veo3.1", credits = 40,
      unconfirmed = { "the day; it was gone by 2026-08-08" } },
    upscale_v1 = { ended = "2026-01-17", credits = 2,
      successor = "magnific_video_upscaler_creative" },
    aleph2_alpha = { successor = "aleph2", unconfirmed = { "the day" } },
  },
  left_out = {
    seedance2_5 = "the price of its 1080p sizes is not confirmed",
    ["gemini_omni_flash_1.1"] = "its price and reference counts are not confirmed",
    grok_imagine_1_5 = "its durations are not confirmed",
    wan3 = "its price and durations are not confirmed",
    wan3_prime = "its price and durations are not confirmed",
    h3_max = "its price and durations are not confirmed",
    gpt_image_2_5_flare = "its price is not confirmed",
    gpt_image_2_5_sunburst = "its price is not confirmed",
    seedream5_pro = "its price per size is not confirmed",
    seedream5_lite = "it takes sizes that are not in a list",
    grok_imagine_image_2 = "its base price is not confirmed",
    muse_image = "the length of its prompt is not confirmed",
    enhance_frame_rate = "its price is not confirmed",
  },
  endpoints_left_out = {
    text_to_speech = "rushes makes pictures", sound_effect = "rushes makes pictures",
    speech_to_speech = "rushes makes pictures", voice_isolation = "rushes makes pictures",
    voice_dubbing = "rushes makes pictures",
    voices = "voices are made and kept on the account first",
    avatar_videos = "avatars are made and kept on the account first",
    realtime_sessions = "a conversation is no take",
  },
  -- Models offered at one endpoint and left out at another: endpoint -> model -> why.
  partly_left_out = {
    video_to_video = {
      hailuo3 = "what the input video adds to the price is not confirmed",
      seedance2 = "what the input video adds to the price is not confirmed",
      seedance2_fast = "what the input video adds to the price is not confirmed",
      seedance2_mini = "what the input video adds to the price is not confirmed",
    },
  },
  tags = { min = 3, max = 16, pattern = "^%a[%w_]+$", mention = "@", unique = true,
    unconfirmed = { "case: the schema has lower case only, examples have capitals" } },
  inputs = {
    image = { https = 16 * MIB, data_chars = 5242880, upload = 200 * MIB,
      max_side = 8000,
      types = { "image/jpeg", "image/jpg", "image/png", "image/webp" } },
    video = { https = 32 * MIB, data_chars = 5242880, upload = 200 * MIB,
      types = { "video/mp4", "video/quicktime", "video/x-matroska", "video/webm",
        "video/3gpp", "video/ogg" } },
    audio = { https = 32 * MIB, data_chars = 5242880, upload = 200 * MIB,
      types = { "audio/mpeg", "audio/mp3", "audio/wav", "audio/x-wav", "audio/flac",
        "audio/mp4", "audio/x-m4a", "audio/aac" } },
    url = { max_chars = 2048, redirects = false },
    upload = { min = 512, max = 200 * MIB, keep = 86400 },
  },
  -- What an account may use when GET /v1/organization has not been asked. Per model.
  tiers = { as_of = "2026-09-23",
    unconfirmed = { "which column of the tier page is video and which is image" },
    { unlock = 0, spend = 100, video = { at_once = 1, daily = 50 },
      image = { at_once = 2, daily = 200 } },
    { unlock = 50, spend = 500, video = { at_once = 3, daily = 500 },
      image = { at_once = 3, daily = 1000 } },
    { unlock = 100, spend = 2000, video = { at_once = 5, daily = 1000 },
      image = { at_once = 5, daily = 2000 } },
    { unlock = 1000, spend = 20000, video = { at_once = 10, daily = 5000 },
      image = { at_once = 10, daily = 10000 } },
    { unlock = 5000, spend = 100000, video = { at_once = 20, daily = 25000 },
      image = { at_once = 20, daily = 30000 } },
  },
}

-- A lane is the model itself; its class says which numbers of the tier hold.
for _, group in pairs(catalog.endpoints) do
  for model, entry in pairs(group.models) do
    entry.lane, entry.class = model, entry.class or "video"
  end
end

return catalog
