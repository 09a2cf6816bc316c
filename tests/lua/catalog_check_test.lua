local lu = require "luaunit"
local catalog = require "rushes.catalog"
local runway = require "rushes.catalog.runway"

local T = {}

local IMG, VID = "https://example.com/a.png", "https://example.com/a.mp4"

local function with(base, changes)
  local out = {}
  for k, v in pairs(base) do out[k] = v end
  for k, v in pairs(changes) do out[k] = v end
  return out
end

local TURBO = { model = "gen4_turbo", promptImage = IMG, ratio = "1280:720",
  promptText = "a woman walks", duration = 5, seed = 7 }
local GEN45 = { model = "gen4.5", promptImage = IMG, ratio = "1280:720",
  promptText = "a woman walks", duration = 5 }
local VEO = { model = "veo3.1", promptImage = IMG, ratio = "1280:720", duration = 8 }
local ALEPH = { model = "aleph2", videoUri = VID }
local STILL = { model = "gen4_image", promptText = "@hero", ratio = "1920:1080" }

local function check(endpoint, base, changes)
  return catalog.check(runway, endpoint, changes and with(base, changes) or base)
end

local function none(endpoint, base, changes)
  local issues = check(endpoint, base, changes)
  lu.assertEquals(issues, {}, issues[1] and issues[1].sentence)
end

--- The only issue there is.
local function one(endpoint, base, changes)
  local issues = check(endpoint, base, changes)
  lu.assertEquals(#issues, 1, issues[2] and issues[2].sentence)
  lu.assertStrContains(issues[1].sentence, " ")
  return issues[1]
end

function T.test_good_bodies_have_no_issues()
  none("image_to_video", TURBO)
  none("image_to_video", GEN45)
  none("image_to_video", VEO)
  none("video_to_video", ALEPH)
  none("text_to_image", STILL)
  none("image_to_video", TURBO, { promptImage = "data:image/png;rushes=1" })
  none("image_to_video", TURBO, { promptImage = "runway://file/123" })
  none("image_to_video", TURBO, { promptImage = { { uri = IMG, position = "first" } } })
  none("image_to_video", TURBO, { contentModeration = { publicFigureThreshold = "low" } })
  none("character_performance", { model = "act_two", reference = { type = "video",
    uri = VID }, character = { type = "image", uri = IMG } })
  none("text_to_video", { model = "seedance2", promptText = "x", duration = "auto" })
end

function T.test_missing_model()
  local issues = catalog.check(runway, "image_to_video", {})
  lu.assertEquals(#issues, 2)
  lu.assertEquals(issues[1].code, "invalid_type")
  lu.assertEquals(issues[1].expected, "string")
  lu.assertEquals(issues[1].path, { "model" })
  lu.assertEquals(issues[1].message, "Invalid input: expected string, received undefined")
  lu.assertEquals(issues[2].code, "invalid_union")
  lu.assertEquals(issues[2].errors, {})
  lu.assertEquals(issues[2].note, "No matching discriminator")
  lu.assertEquals(issues[2].discriminator, "model")
  lu.assertEquals(issues[2].path, { "model" })
  lu.assertEquals(issues[2].message, "Invalid input")
end

function T.test_unknown_model_is_corrected()
  local issue = one("image_to_video", { model = "gen4_turbp" })
  lu.assertEquals(issue.code, "invalid_union")
  lu.assertStrContains(issue.sentence, 'did you mean "gen4_turbo"?')
end

function T.test_model_of_another_endpoint()
  local issue = one("text_to_video", { model = "gen4_turbo" })
  lu.assertStrContains(issue.sentence, "does image_to_video")
end

function T.test_retired_and_left_out_models_say_so()
  lu.assertStrContains(one("video_to_video", { model = "gen4_aleph" }).sentence,
    "retired on 2026-07-30; use aleph2")
  lu.assertStrContains(one("image_to_video", { model = "wan3" }).sentence,
    "does not offer it")
  lu.assertStrContains(one("video_to_video", { model = "seedance2" }).sentence,
    "does not offer it for video_to_video")
end

function T.test_prompt_is_limited_in_utf16_units()
  none("image_to_video", TURBO, { promptText = ("😀"):rep(500) })
  none("image_to_video", TURBO, { promptText = ("é"):rep(1000) })
  local issue = one("image_to_video", TURBO, { promptText = ("😀"):rep(500) .. "a" })
  lu.assertEquals(issue.code, "too_big")
  lu.assertEquals(issue.origin, "string")
  lu.assertEquals(issue.maximum, 1000)
  lu.assertEquals(issue.inclusive, true)
  lu.assertEquals(issue.message, "Too big: expected string to have <=1000 characters")
  lu.assertStrContains(issue.sentence, "has 1001 characters (UTF-16 code units)")
  lu.assertEquals(one("image_to_video", TURBO, { promptText = "" }).message,
    "Too small: expected string to have >=1 characters")
end

function T.test_prompt_that_is_no_utf8_is_refused()
  local issue = one("image_to_video", TURBO, { promptText = "caf\xE9" })
  lu.assertEquals(issue.code, "custom")
  lu.assertStrContains(issue.sentence, "byte 4")
end

function T.test_happyhorse_wants_two_characters()
  local issue = one("text_to_video", { model = "happyhorse_1_0", promptText = "😀" },
    { promptText = "a" })
  lu.assertEquals(issue.minimum, 2)
  none("text_to_video", { model = "happyhorse_1_0", promptText = "😀" })
end

function T.test_ratio()
  local issue = one("image_to_video", TURBO, { ratio = "16:9" })
  lu.assertEquals(issue.code, "invalid_value")
  lu.assertEquals(issue.values, runway.endpoints.image_to_video.models.gen4_turbo
    .fields.ratio.enum)
  lu.assertStrContains(issue.message,
    "Invalid option: expected one of '1280:720'|'720:1280'")
  lu.assertStrContains(issue.sentence, 'ratio is "16:9"')
  lu.assertStrContains(issue.sentence, 'did you mean "1280:720"?')
  local missing = with(TURBO, {})
  missing.ratio = nil
  lu.assertStrContains(one("image_to_video", missing).sentence, "ratio is missing")
end

function T.test_numbers()
  local issue = one("image_to_video", TURBO, { duration = 11 })
  lu.assertEquals(issue.message, "Too big: expected number to be <=10")
  lu.assertEquals(issue.sentence, "seconds (duration) is 11; the greatest allowed is 10")
  issue = one("image_to_video", TURBO, { duration = 1 })
  lu.assertEquals(issue.message, "Too small: expected number to be >=2")
  issue = one("image_to_video", TURBO, { duration = 2.5 })
  lu.assertEquals(issue.message, "Invalid input: expected int, received number")
  lu.assertEquals(issue.format, "safeint")
  lu.assertEquals(one("image_to_video", TURBO, { duration = 0 / 0 }).message,
    "Invalid input: expected int, received NaN")
  lu.assertEquals(one("image_to_video", TURBO, { duration = "5" }).message,
    "Invalid input: expected int, received string")
  none("image_to_video", TURBO, { duration = 5.0 })
  none("image_to_video", TURBO, { seed = 4294967295 })
  one("image_to_video", TURBO, { seed = 4294967296 })
  one("image_to_video", TURBO, { seed = -1 })
  one("image_to_video", VEO, { duration = 5 })
  none("image_to_video", VEO, { duration = 6.0 })
end

function T.test_wrong_types_never_raise()
  for _, wrong in ipairs { 3, "x", true, {}, { {} }, { a = 1 }, 0 / 0, 1 / 0, "\xFF" } do
    for _, field in ipairs { "model", "promptImage", "promptText", "ratio", "duration",
      "seed", "contentModeration" } do
      check("image_to_video", TURBO, { [field] = wrong })
    end
    check("video_to_video", ALEPH, { keyframes = { wrong } })
    check("text_to_image", STILL, { referenceImages = { wrong } })
    check("text_to_image", STILL, { referenceImages = { { uri = IMG, tag = wrong } } })
    check("character_performance", { model = "act_two" }, { character = wrong,
      reference = wrong })
    catalog.check(runway, "image_to_video", wrong)
  end
end

function T.test_pictures()
  lu.assertEquals(one("image_to_video", TURBO, { promptImage = "http://x.org/a.png?k=s" })
    .sentence, 'image (promptImage) is "http://x.org/a.png?…"; it must begin with '
    .. "https://, runway:// or data:")
  lu.assertStrContains(one("image_to_video", TURBO,
    { promptImage = "data:image/gif;base64,R0lGOD" }).sentence, "data:image/gif")
  lu.assertStrContains(one("image_to_video", TURBO,
    { promptImage = "data:video/mp4;base64,AAAA" }).sentence, "image/")
  lu.assertEquals(one("image_to_video", TURBO,
    { promptImage = "https://e.com/" .. ("a"):rep(2048) }).maximum, 2048)
  lu.assertEquals(one("image_to_video", TURBO, { promptImage = "data:image/png;base64,"
    .. ("A"):rep(5242880) }).maximum, 5242880)
  lu.assertEquals(one("image_to_video", TURBO, { promptImage = "https://a" }).minimum, 13)
end

function T.test_a_missing_picture_fits_no_variant()
  local body = with(TURBO, {})
  body.promptImage = nil
  local issue = one("image_to_video", body)
  lu.assertEquals(issue.code, "invalid_union")
  lu.assertEquals(#issue.errors, 2)
  lu.assertEquals(issue.errors[1][1].path, {})
  lu.assertNil(issue.errors[1][1].sentence)
  lu.assertStrContains(issue.sentence, "image (promptImage) is missing")
end

function T.test_gen4_takes_a_first_frame_only()
  for _, model in ipairs { "gen4.5", "gen4_turbo" } do
    local issue = one("image_to_video", GEN45, { model = model,
      promptImage = { { uri = IMG, position = "last" } } })
    lu.assertEquals(issue.code, "invalid_union")
    lu.assertEquals(issue.errors[2][1].code, "invalid_value")
    lu.assertEquals(issue.errors[2][1].path, { 0, "position" })
    lu.assertStrContains(issue.sentence, model .. " takes first")
    issue = one("image_to_video", GEN45, { model = model, promptImage = {
      { uri = IMG, position = "first" }, { uri = IMG, position = "first" } } })
    lu.assertEquals(issue.message, "Too big: expected array to have <=1 items")
  end
end

function T.test_veo_takes_no_last_frame_alone()
  local first, last = { uri = IMG, position = "first" }, { uri = IMG, position = "last" }
  none("image_to_video", VEO, { promptImage = { first, last } })
  local issue = one("image_to_video", VEO, { promptImage = { last } })
  lu.assertEquals(issue.code, "custom")
  lu.assertEquals(issue.path, { "promptImage" })
  one("image_to_video", VEO, { promptImage = { first, first } })
end

function T.test_keyframes_and_references_are_not_mixed()
  local body = { model = "seedance2", promptImage = { { uri = IMG, position = "first" },
    { uri = IMG } } }
  lu.assertStrContains(one("image_to_video", body).sentence, "mixes")
  none("image_to_video", body, { promptImage = { { uri = IMG }, { uri = IMG } } })
end

function T.test_closed_bodies_refuse_unknown_keys_and_open_ones_do_not()
  local issue = one("image_to_video", VEO, { foo = 1, durration = 8 })
  lu.assertEquals(issue.code, "unrecognized_keys")
  lu.assertEquals(issue.keys, { "durration", "foo" })
  lu.assertEquals(issue.path, {})
  lu.assertEquals(issue.message, 'Unrecognized keys: "durration", "foo"')
  lu.assertStrContains(issue.sentence, 'did you mean "duration"?')
  lu.assertEquals(one("image_to_video", VEO, { foo = 1 }).message,
    'Unrecognized key: "foo"')
  none("image_to_video", TURBO, { foo = 1 })
  lu.assertEquals(one("image_to_video", TURBO, { contentModeration = { x = 1 } }).path,
    { "contentModeration" })
end

function T.test_tags()
  local function refs(...)
    local list = {}
    for i, tag in ipairs { ... } do list[i] = { uri = IMG, tag = tag } end
    return { referenceImages = list }
  end
  none("text_to_image", STILL, refs("hero", "EiffelTower", "a_2"))
  lu.assertEquals(one("text_to_image", STILL, refs("hero", "HERO")).path,
    { "referenceImages", 1, "tag" })
  lu.assertStrContains(one("text_to_image", STILL, refs "2nd").sentence, "letter")
  lu.assertStrContains(one("text_to_image", STILL, refs "he-ro").sentence, "he-ro")
  lu.assertEquals(one("text_to_image", STILL, refs "ab").minimum, 3)
  lu.assertEquals(one("text_to_image", STILL, refs(("a"):rep(17))).maximum, 16)
  local four = refs("aaa", "bbb", "ccc", "ddd")
  lu.assertEquals(one("text_to_image", STILL, four).maximum, 3)
  local issue = one("text_to_image", { model = "gen4_image_turbo", promptText = "x",
    ratio = "720:720" })
  lu.assertEquals(issue.path, { "referenceImages" })
end

function T.test_gemini_counts_people_and_things()
  local list = {}
  for i = 1, 6 do list[i] = { uri = IMG, subject = "human" } end
  local body = { model = "gemini_image3_pro", promptText = "x", ratio = "1024:1024",
    referenceImages = list }
  lu.assertStrContains(one("text_to_image", body).sentence, "at most 5")
  for i = 1, 10 do list[i] = { uri = IMG } end
  lu.assertStrContains(one("text_to_image", body).sentence, "at most 9")
end

function T.test_aleph_keyframes()
  local function frames(...) return { keyframes = { ... } } end
  local range = { start_seconds = 2, end_seconds = 4 }
  none("video_to_video", ALEPH, frames({ uri = IMG, seconds = 3 }, { uri = IMG, at = 1 }))
  none("video_to_video", ALEPH, frames({ uri = IMG, seconds = 2, range = range }))
  lu.assertEquals(one("video_to_video", ALEPH, frames({ uri = IMG })).path,
    { "keyframes", 0 })
  one("video_to_video", ALEPH, frames({ uri = IMG, seconds = 1, at = 0.5 }))
  local late = frames({ uri = IMG, seconds = 4, range = range })
  lu.assertEquals(one("video_to_video", ALEPH, late).path, { "keyframes", 0, "seconds" })
  one("video_to_video", ALEPH, frames({ uri = IMG, seconds = 3, range = range },
    { uri = IMG, seconds = 3 }))
  one("video_to_video", ALEPH, frames({ uri = IMG, seconds = 3,
    range = { start_seconds = 5, end_seconds = 5 } }))
  one("video_to_video", ALEPH, frames({ uri = IMG, seconds = 31 }))
  one("video_to_video", ALEPH, frames())
end

function T.test_prores_profile_needs_prores()
  one("image_to_video", GEN45, { proresProfile = "422" })
  one("image_to_video", GEN45, { proresProfile = "422", outputFormat = "mp4" })
  none("image_to_video", GEN45, { proresProfile = "422 LT", outputFormat = "prores" })
  none("image_to_video", GEN45, { proresProfile = "422 HQ", outputFormat = "hdr_prores" })
  lu.assertStrContains(one("image_to_video", GEN45, { proresProfile = "422 LT",
    outputFormat = "hdr_prores" }).sentence, "422 HQ")
  one("video_to_video", ALEPH, { proresProfile = "422", outputFormat = "png_sequence" })
end

function T.test_hailuo_is_adaptive_only_with_references()
  local body = { model = "hailuo3", promptText = "x", ratio = "adaptive" }
  one("text_to_video", body)
  one("text_to_video", body, { references = {} })
  none("text_to_video", body, { references = { { uri = IMG } } })
end

function T.test_variants_of_act_two()
  local body = { model = "act_two", character = { type = "audio", uri = IMG },
    reference = { type = "video", uri = VID } }
  local issue = one("character_performance", body)
  lu.assertEquals(issue.code, "invalid_union")
  lu.assertEquals(issue.discriminator, "type")
  lu.assertEquals(issue.path, { "character", "type" })
  local missing = with(body, { character = { type = "image", uri = IMG } })
  missing.reference = nil
  lu.assertEquals(one("character_performance", missing).expected, "object")
end

function T.test_find_models_and_endpoints()
  local entry, endpoint = catalog.find(runway, "gen4_turbo")
  lu.assertEquals(endpoint, "image_to_video")
  lu.assertEquals(entry.lane, "gen4_turbo")
  lu.assertEquals(catalog.endpoints_of(runway, "gen4.5"),
    { "image_to_video", "text_to_video" })
  lu.assertEquals(catalog.endpoints_of(runway, "nothing"), {})
  lu.assertTrue(#catalog.models(runway) >= 20)
  for _, wrong in ipairs { "gen5", 3, true, "gen3a_turbo" } do
    local none_such, e = catalog.find(runway, wrong)
    lu.assertNil(none_such)
    lu.assertEquals(e.class, "invalid")
  end
  lu.assertNil((catalog.find(runway, nil)))
  lu.assertNil((catalog.find(runway, "gen4_turbo", "text_to_video")))
end

function T.test_the_same_body_gives_the_same_list()
  local body = { model = "veo3.1", zebra = 1, apple = 2, ratio = 3, duration = 99 }
  local function sentences()
    local out = {}
    for i, issue in ipairs(catalog.check(runway, "image_to_video", body)) do
      out[i] = issue.sentence
    end
    return table.concat(out, "\n")
  end
  local once = sentences()
  for _ = 1, 20 do lu.assertEquals(sentences(), once) end
end

function T.test_an_unknown_endpoint_is_the_callers_bug()
  lu.assertErrorMsgContains("no endpoint", catalog.check, runway, "image_to_vide", {})
end

return T
