local lu = require "luaunit"
local gen4 = require "rushes.provider.gen4"
local here = (...):match "^(.-)[^/]*/[^/]*$"
local recorded = assert(loadfile(here .. "recorded/load.lua"))(here .. "recorded")

local T = {}

local IMG = "https://example.com/hero.jpg"

local function spec(changes)
  local s = { model = "gen4", prompt = "a woman walks", seconds = 5, fps = 24,
    references = { { kind = "character", image = IMG, strength = 0.85 } },
    options = { motion_physics = "realistic", world_consistency = true,
      prompt_adherence = "high" } }
  for k, v in pairs(changes or {}) do s[k] = v end
  return s
end

local function refused(changes)
  local job, e = gen4.normalize(spec(changes))
  if job then e = gen4.check(job) end
  lu.assertNotNil(e)
  return e.message
end

function T.test_the_tutorials_call()
  local job = assert(gen4.normalize(spec()))
  lu.assertNil(gen4.check(job))
  local endpoint, body, notes = gen4.request(job)
  lu.assertEquals(endpoint, "gen4")
  lu.assertEquals(body, { model = "gen4", prompt = "a woman walks", duration = 5,
    fps = 24, visual_references = { { image_url = IMG, type = "character",
      strength = 0.85 } },
    generation_options = { motion_physics = "realistic", world_consistency = true,
      prompt_adherence = "high" } })
  lu.assertEquals(notes, {})
  local req = gen4.submit(job, { base = "https://gateway.example.com" })
  lu.assertEquals(req.path, "/v1/gen4")
  lu.assertEquals(req.json, body)
  lu.assertEquals({ gen4.price(job) }, { 60000, "exact" })
end

function T.test_without_an_address_a_sentence_says_what_to_set()
  lu.assertNil(gen4.base)
  local req, e = gen4.submit(assert(gen4.normalize(spec())), {})
  lu.assertNil(req)
  lu.assertStrContains(e.message, "GEN4_BASE_URL")
  lu.assertStrContains(e.message, "--sim")
end

function T.test_what_is_refused()
  lu.assertStrContains(refused { promt = "x" }, 'did you mean "prompt"?')
  lu.assertStrContains(refused { references = { { kind = "prop", image = IMG } } },
    "character, style or location")
  lu.assertStrContains(refused { references = { { kind = "style", image = IMG,
    strength = 1.2 } } }, "the greatest allowed is 1")
  lu.assertStrContains(refused { references = { { knd = "style", image = IMG } } },
    'did you mean "kind"?')
  lu.assertStrContains(refused { references = { IMG } }, "must be a table")
  lu.assertStrContains(refused { options = { motion_physic = "realistic" } },
    'did you mean "motion_physics"?')
  lu.assertStrContains(refused { options = { prompt_adherence = "hihg" } },
    'did you mean "high"?')
  lu.assertStrContains(refused { seconds = 30 }, "the greatest allowed is 10")
  lu.assertStrContains(refused { model = "gen4_turbp" }, 'did you mean "gen4-turbo"?')
  lu.assertStrContains(refused { prompt = ("😀"):rep(501) }, "1002 characters")
  lu.assertStrContains(refused { references = 3 }, "references must be a table")
  lu.assertStrContains(refused { references = { { kind = "style",
    image = "runway://file/1" } } }, "must begin with https:// or data:")
  lu.assertStrContains(refused { fps = 23 }, "24, 25 or 30")
end

function T.test_what_the_dialect_cannot_say_is_noted_or_refused()
  local job = assert(gen4.normalize(spec { model = "gen4_turbo" }))
  job.ratio, job.seed = "1280:720", 4
  local _, body, notes = gen4.request(job)
  lu.assertEquals(body.model, "gen4-turbo")
  lu.assertEquals(#notes, 3)
  job.images = { { role = "first", image = IMG } }
  lu.assertStrContains(gen4.check(job).message, "no first frame")
  job.images, job.video = {}, { image = IMG }
  lu.assertStrContains(gen4.check(job).message, "takes no video")
end

function T.test_local_pictures_need_an_address_only_for_sending()
  local job = assert(gen4.normalize(spec { references = { { kind = "style",
    image = "refs/neon.png" } } }))
  lu.assertNil(gen4.check(job))
  lu.assertNil((gen4.submit(job, { base = "https://g.example.com" })))
  job.images[1].uri = "data:image/png;rushes=1"
  lu.assertEquals(gen4.submit(job, { base = "https://g.example.com" }).json
    .visual_references[1].image_url, "data:image/png;rushes=1")
end

local function update(name)
  return gen4.update({ id = "gen_41" }, recorded("gen4/" .. name))
end

function T.test_accept()
  lu.assertEquals(gen4.accept(recorded "gen4/created"),
    { handle = { id = "gen_41" }, state = "queued" })
  local none, e = gen4.accept(recorded "gen4/created_no_id")
  lu.assertNil(none)
  lu.assertTrue(e.unknown)
  none, e = gen4.accept(recorded "gen4/payment")
  lu.assertNil(none)
  lu.assertEquals(e.class, "quota")
  lu.assertStrContains(e.message, "Insufficient balance")
end

function T.test_states()
  lu.assertEquals(update "task_queued", { state = "queued" })
  lu.assertEquals(update "task_running", { state = "running", progress = 0.37 })
  lu.assertEquals(update "task_unknown_word", { state = "running", progress = 1 })
  lu.assertEquals(update "task_canceled", { state = "cancelled" })
  lu.assertEquals(update "task_succeeded", { state = "succeeded", cost = 60000,
    outputs = { { url = "https://cdn.example.com/gen_41.mp4?sig=s" } } })
  lu.assertEquals(update("task_succeeded_string").outputs,
    { { url = "https://cdn.example.com/gen_41.mp4" } })
end

function T.test_failures()
  lu.assertEquals(update("task_succeeded_no_output").err.class, "bad_output")
  local u = update "task_failed"
  lu.assertEquals(u.err.class, "safety")
  lu.assertFalse(u.err.retryable)
  lu.assertEquals(u.cost, 0)
  u = update "task_failed_code"
  lu.assertEquals(u.err.class, "bad_output")
  lu.assertTrue(u.err.retryable)
  u = update "task_failed_words"
  lu.assertEquals(u.err.class, "unknown")
  lu.assertFalse(u.err.retryable)
  lu.assertStrContains(u.err.message, "caught fire")
  lu.assertEquals(update("task_gone").err.class, "expired")
  local none, e = update "bad_gateway"
  lu.assertNil(none)
  lu.assertEquals(e.class, "unavailable")
end

return T
