local lu = require "luaunit"
local runway = require "rushes.provider.runway"

local T = {}

local IMG, VID = "https://example.com/a.png", "https://example.com/a.mp4"

local function job(spec) return assert(runway.normalize(spec)) end

local function request(spec)
  local endpoint, body, notes = runway.request(job(spec))
  lu.assertNotNil(endpoint, type(body) == "table" and body.message or nil)
  return endpoint, body, table.concat(notes, "\n")
end

--- The sentence with which a script's table or its job is refused.
local function refused(spec)
  local j, e = runway.normalize(spec)
  if j then e = runway.check(j) end
  lu.assertNotNil(e)
  lu.assertEquals(e.code, "invalid")
  lu.assertEquals(e.retryable, false)
  return e.message
end

function T.test_a_first_frame_becomes_image_to_video()
  local endpoint, body, notes = request { model = "gen4_turbo", prompt = "she walks",
    seconds = 5, ratio = "1280:720", seed = 9, image = IMG }
  lu.assertEquals(endpoint, "image_to_video")
  lu.assertEquals(body, { model = "gen4_turbo", promptText = "she walks", duration = 5,
    ratio = "1280:720", seed = 9, promptImage = IMG })
  lu.assertEquals(notes, "")
  lu.assertNil(runway.check(job { model = "gen4_turbo", prompt = "x", seconds = 5,
    ratio = "1280:720", first_frame = IMG }))
end

function T.test_no_picture_becomes_text_to_video()
  lu.assertEquals(request { model = "gen4.5", prompt = "x", seconds = 5,
    ratio = "1280:720" }, "text_to_video")
end

function T.test_first_and_last_frame()
  local _, body = request { model = "veo3.1", ratio = "1280:720", first_frame = IMG,
    last_frame = "https://example.com/b.png" }
  lu.assertEquals(body.promptImage, { { uri = IMG, position = "first" },
    { uri = "https://example.com/b.png", position = "last" } })
  lu.assertStrContains(refused { model = "gen4_turbo", ratio = "1280:720", image = IMG,
    last_frame = IMG }, "gen4_turbo takes no last frame")
end

function T.test_tagged_references_become_a_still()
  local endpoint, body, notes = request { model = "gen4_image", prompt = "@hero runs",
    ratio = "1920:1080", seconds = 5,
    references = { { image = IMG, tag = "hero", strength = 0.8 } } }
  lu.assertEquals(endpoint, "text_to_image")
  lu.assertEquals(body, { model = "gen4_image", promptText = "@hero runs",
    ratio = "1920:1080", referenceImages = { { uri = IMG, tag = "hero" } } })
  lu.assertStrContains(notes, "no strength")
end

function T.test_a_mention_without_its_tag_is_noted()
  local _, _, notes = request { model = "gen4_image", ratio = "1920:1080",
    prompt = "@herp meets a@b.example and @neon", references = { { image = IMG,
      tag = "hero" } } }
  lu.assertStrContains(notes,
    '@herp, but no reference has that tag; did you mean "hero"?')
  lu.assertStrContains(notes, "@neon")
  lu.assertNotStrContains(notes, "@b")
end

function T.test_references_go_into_the_call_where_the_model_takes_them()
  local endpoint, body = request { model = "seedance2", prompt = "x",
    references = { { image = IMG, kind = "character" } } }
  lu.assertEquals(endpoint, "text_to_video")
  lu.assertEquals(body.references, { { uri = IMG } })
  lu.assertStrContains(refused { model = "gen4_turbo", ratio = "1280:720", prompt = "x",
    references = { IMG } }, "make a still with gen4_image first")
  lu.assertStrContains(refused { model = "gen4.5", mode = "text_to_video", prompt = "x",
    seconds = 5, ratio = "1280:720", references = { IMG } }, "takes no references")
end

function T.test_the_mode_decides()
  local _, body = request { model = "seedance2", mode = "i2v", references = { IMG } }
  lu.assertEquals(body.promptImage, { { uri = IMG } })
  lu.assertStrContains(refused { model = "seedance2", mode = "i2w" },
    'there is no mode "i2w"')
  lu.assertStrContains(refused { model = "gen4_turbo", mode = "text_to_video" },
    "does image_to_video")
end

function T.test_subjects_follow_the_kind()
  local _, body = request { model = "gemini_image3_pro", prompt = "x",
    ratio = "1024:1024", references = { { image = IMG, kind = "character" },
      { image = IMG, kind = "style" }, { image = IMG } } }
  lu.assertEquals(body.referenceImages[1].subject, "human")
  lu.assertEquals(body.referenceImages[2].subject, "object")
  lu.assertNil(body.referenceImages[3].subject)
end

function T.test_editing_a_clip()
  local endpoint, body, notes = request { model = "aleph", prompt = "at night",
    video = VID, ratio = "1280:720", seconds = 5,
    keyframes = { { image = IMG, seconds = 1, range = { 0, 3 } } } }
  lu.assertEquals(endpoint, "video_to_video")
  lu.assertEquals(body, { model = "aleph2", promptText = "at night", videoUri = VID,
    keyframes = { { uri = IMG, seconds = 1,
      range = { start_seconds = 0, end_seconds = 3 } } } })
  lu.assertStrContains(notes, "model aleph means aleph2 here")
  lu.assertStrContains(notes, "targetAspectRatio")
  lu.assertStrContains(notes, "takes no seconds")
  lu.assertStrContains(refused { model = "aleph2", video = VID, image = IMG },
    "keyframe at 0 seconds")
  lu.assertStrContains(refused { model = "aleph2" }, "the video is missing")
end

function T.test_a_performance()
  local endpoint, body = request { model = "act_two", character = IMG,
    performance = VID }
  lu.assertEquals(endpoint, "character_performance")
  lu.assertEquals(body.character, { type = "image", uri = IMG })
  lu.assertEquals(body.reference, { type = "video", uri = VID })
  local _, moving = request { model = "act_two", character = VID, performance = VID }
  lu.assertEquals(moving.character.type, "video")
  local _, said = request { model = "act_two", character = { video = IMG },
    performance = VID }
  lu.assertEquals(said.character.type, "video")
end

function T.test_upscaling()
  local endpoint, body = request { model = "magnific_precision_upscaler_v2", image = IMG,
    options = { scaleFactor = 4 } }
  lu.assertEquals(endpoint, "image_upscale")
  lu.assertEquals(body.imageUri, IMG)
  lu.assertEquals(body.scaleFactor, 4)
  lu.assertEquals(request { model = "magnific_video_upscaler_creative", video = VID },
    "video_upscale")
  lu.assertEquals(request { model = "ruby", video = VID }, "video_to_hdr")
end

function T.test_options_are_the_api_fields()
  local _, body = request { model = "veo3.1", prompt = "x", ratio = "1280:720",
    seconds = 8, options = { audio = false } }
  lu.assertEquals(body.audio, false)
  lu.assertStrContains(refused { model = "veo3.1", prompt = "x", ratio = "1280:720",
    options = { negativePromt = "rain" } }, 'did you mean "negativePrompt"?')
  lu.assertStrContains(refused { model = "veo3.1", prompt = "x", ratio = "1280:720",
    seconds = 8, options = { duration = 4 } }, "says again")
  refused { model = "veo3.1", prompt = "x", ratio = "1280:720",
    options = { model = "x" } }
end

function T.test_unknown_keys_are_refused_with_a_hint()
  lu.assertStrContains(refused { model = "gen4_turbo", promt = "x" },
    'did you mean "prompt"?')
  lu.assertStrContains(refused { model = "gen4_image", references = {
    { image = IMG, strenght = 1 } } }, 'did you mean "strength"?')
  lu.assertStrContains(refused { model = "gen4_image", references = { { tag = "x" } } },
    "has no image")
  lu.assertStrContains(refused { prompt = "x" }, "model is missing")
  lu.assertStrContains(refused { model = "gen4_turbo", prompt = 3 }, "prompt must be")
  lu.assertStrContains(refused { model = "gen4_turbo", seconds = "five" }, "seconds")
  lu.assertStrContains(refused { model = "x", image = IMG, first_frame = IMG },
    "same thing")
  lu.assertStrContains(refused "gen4_turbo", "takes a table")
end

function T.test_check_speaks_of_the_scripts_own_words()
  local message = refused { model = "gen4_turbo", prompt = ("x"):rep(1001), seconds = 12,
    ratio = "16:9", image = IMG }
  lu.assertStrContains(message, "prompt (promptText) has 1001 characters")
  lu.assertStrContains(message, "seconds (duration) is 12")
  lu.assertStrContains(message, 'did you mean "1280:720"?')
  lu.assertStrContains(refused { model = "gen5", prompt = "x" }, 'no model "gen5"')
end

function T.test_files_need_no_address_for_planning_but_for_sending()
  local j = job { model = "gen4_turbo", prompt = "x", seconds = 5, ratio = "1280:720",
    image = "refs/hero.png" }
  lu.assertNil(runway.check(j))
  lu.assertEquals({ runway.price(j) }, { 25000, "exact" })
  local req, e = runway.submit(j)
  lu.assertNil(req)
  lu.assertStrContains(e.message, "has no address yet")
  j.images[1].uri = "data:image/png;rushes=1"
  req = runway.submit(j)
  lu.assertEquals(req.method, "POST")
  lu.assertEquals(req.path, "/v1/image_to_video")
  lu.assertEquals(req.auth, true)
  lu.assertEquals(req.json.promptImage, "data:image/png;rushes=1")
end

function T.test_every_file_but_a_picture_is_in_assets()
  local j = job { model = "act_two", character = "hero.png", performance = "act.mp4" }
  lu.assertEquals(#j.assets, 2)
  for _, asset in ipairs(j.assets) do asset.uri = "runway://file/" .. asset.media end
  local _, body = runway.request(j)
  lu.assertEquals(body.character.uri, "runway://file/image")
  lu.assertEquals(body.reference.uri, "runway://file/video")
end

function T.test_a_stored_reference_is_used_by_its_url_or_type()
  local j = job { model = "gen4_turbo", ratio = "1280:720", prompt = "x", seconds = 5 }
  j.images = { { role = "first", image = { url = IMG } } }
  lu.assertEquals(select(2, runway.request(j)).promptImage, IMG)
  j.images = { { role = "first", image = { path = "a.gif", type = "image/gif" } } }
  lu.assertStrContains(runway.check(j).message, "image/gif")
end

function T.test_known_files_are_judged_before_they_are_paid_for()
  local j = job { model = "gen4_turbo", ratio = "1280:720", prompt = "x", seconds = 5 }
  j.images = { { role = "first", image = { path = "a.png", width = 400,
    height = 1000 } } }
  local e = runway.check(j)
  lu.assertEquals(e.class, "asset")
  lu.assertStrContains(e.message, "400 by 1000")
  local edit = job { model = "aleph2", video = { seconds = 1.5, path = "a.mp4" } }
  lu.assertStrContains(runway.check(edit).message, "1.5 s; aleph2 takes 2 to 30 s")
  edit = job { model = "aleph2", video = { seconds = 31, path = "a.mp4" } }
  lu.assertEquals(runway.check(edit).class, "asset")
  edit = job { model = "aleph2", video = { seconds = 5, path = "a.mp4" } }
  lu.assertNil(runway.check(edit))
  lu.assertEquals({ runway.price(edit) }, { 140000, "exact" })
  local big = job { model = "magnific_precision_upscaler_v2", image = { path = "a.png",
    width = 3000, height = 3000 } }
  lu.assertStrContains(runway.check(big).message, "6000 by 6000")
  local fine = job { model = "magnific_precision_upscaler_v2", image = { path = "a.png",
    width = 2000, height = 1000 } }
  lu.assertNil(runway.check(fine))
  lu.assertEquals({ runway.price(fine) }, { 25000, "exact" })
end

function T.test_aliases()
  for alias, model in pairs { gen4 = "gen4.5", ["gen4-standard"] = "gen4.5",
    ["gen4-turbo"] = "gen4_turbo", aleph = "aleph2" } do
    lu.assertEquals(runway.aliases[alias], model)
  end
end

function T.test_requests_about_tasks()
  local handle = { id = "5f0c6f3e" }
  lu.assertEquals(runway.poll_req(handle), { method = "GET", path = "/v1/tasks/5f0c6f3e",
    auth = true })
  lu.assertEquals(runway.cancel(handle).method, "DELETE")
  lu.assertEquals(runway.fetch { url = VID }, { method = "GET", url = VID, auth = false })
  lu.assertEquals(runway.organization_req().path, "/v1/organization")
  lu.assertEquals(runway.usage_req { from = "2026-09-01" }.json,
    { startDate = "2026-09-01" })
end

return T
