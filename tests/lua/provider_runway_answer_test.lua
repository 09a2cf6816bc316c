--- Recorded answers of the developer API, the odd ones included.
local lu = require "luaunit"
local runway = require "rushes.provider.runway"
local here = (...):match "^(.-)[^/]*/[^/]*$"
local recorded = assert(loadfile(here .. "recorded/load.lua"))(here .. "recorded")

local T = {}

local ID = "5f0c6f3e-9a1b-4c7d-8e2f-3b4a5c6d7e8f"
local SECRETS = { "secret-token", "_jwt", "token=", "sig=" }

local function update(name)
  local u, e = runway.update({ id = ID }, recorded("runway/" .. name))
  for _, err in ipairs { u and u.err, e } do
    for _, secret in ipairs(SECRETS) do lu.assertNotStrContains(err.message, secret) end
    lu.assertNotStrContains(err.message, "</")
    lu.assertTrue(#err.message < 500)
  end
  return u, e
end

local function refusal(name)
  local accepted, e = runway.accept(recorded("runway/" .. name))
  lu.assertNil(accepted)
  lu.assertNotStrContains(e.message, "</")
  return e
end

function T.test_a_created_task()
  lu.assertEquals(runway.accept(recorded "runway/created"),
    { handle = { id = ID }, state = "queued", estimate = 25000 })
  lu.assertEquals(runway.accept(recorded "runway/created_no_cost"),
    { handle = { id = ID }, state = "queued" })
end

function T.test_an_acceptance_without_an_id_is_an_unknown_outcome()
  for _, name in ipairs { "created_no_id", "created_html" } do
    local e = refusal(name)
    lu.assertEquals(e.class, "unknown")
    lu.assertTrue(e.unknown)
    lu.assertFalse(e.retryable)
    lu.assertNil(e.resend)
  end
  lu.assertStrContains(refusal("created_html").message, "Welcome to the hotel Wi-Fi")
end

function T.test_states()
  lu.assertEquals(update "task_pending", { state = "queued", estimate = 25000 })
  lu.assertEquals(update "task_throttled", { state = "throttled", estimate = 25000 })
  lu.assertEquals(update "task_running",
    { state = "running", progress = 0.45, estimate = 25000 })
  lu.assertEquals(update "task_running_no_progress", { state = "running" })
  lu.assertEquals(update "task_lower_case", { state = "running", progress = 0.02 })
  lu.assertEquals(update "task_cancelled", { state = "cancelled", cost = 0 })
  lu.assertEquals(update "task_canceled", { state = "cancelled", cost = 0 })
end

function T.test_an_unknown_word_means_running()
  lu.assertEquals(update "task_unknown_word", { state = "running", progress = 0.9 })
end

function T.test_only_what_can_be_fetched_is_an_output()
  local wire = require "rushes.provider.common.wire"
  for _, url in ipairs { "http://h", "https://127.0.0.1:8080/a?b=c%20d&e#f", "https://\u{e9}/~",
    "https://h/" .. ("x"):rep(8182) } do
    lu.assertEquals(wire.outputs(url), { { url = url } })
    lu.assertEquals(wire.outputs { 7, { url = url } }, { { url = url } })
  end
  for _, bad in ipairs { "", "h", "https://", "https:///h", "ftp://h/x", " https://h", "https://h/ x",
    "https://h/x\n", "https://h\0", "https://\127", "https://h/" .. ("x"):rep(8183) } do
    lu.assertEquals(wire.outputs(bad), {})
  end
end

function T.test_success_is_an_output()
  local url = "https://cdn.example.com/out/clip.mp4?_jwt=secret-token-1"
  lu.assertEquals(update "task_succeeded",
    { state = "succeeded", outputs = { { url = url } }, cost = 25000 })
  lu.assertEquals(update "task_succeeded_string",
    { state = "succeeded", outputs = { { url = url } }, cost = 25000 })
  lu.assertEquals(update "task_succeeded_no_cost",
    { state = "succeeded", outputs = { { url = url } } })
  lu.assertEquals(#update("task_succeeded_two").outputs, 2)
  local u = update "task_succeeded_no_output"
  lu.assertEquals(u.state, "failed")
  lu.assertEquals(u.cost, 0)
  lu.assertEquals(u.err.class, "bad_output")
end

function T.test_failures()
  local u = update "task_failed_safety_input"
  lu.assertEquals(u.state, "failed")
  lu.assertEquals(u.cost, 25000)
  lu.assertEquals(u.err.class, "safety")
  lu.assertEquals(u.err.failure_code, "SAFETY.INPUT.TEXT")
  lu.assertFalse(u.err.retryable)
  lu.assertTrue(u.err.charged)
  u = update "task_failed_bad_output"
  lu.assertEquals(u.err.class, "bad_output")
  lu.assertTrue(u.err.retryable)
  lu.assertEquals(u.cost, 0)
  u = update "task_failed_null_code"
  lu.assertEquals(u.err.class, "internal")
  lu.assertTrue(u.err.retryable)
  u = update "task_failed_new_code"
  lu.assertEquals(u.err.class, "unknown")
  lu.assertFalse(u.err.retryable)
  lu.assertStrContains(u.err.message, "https://help.example.com/x?…")
end

function T.test_failure_codes_by_their_leading_components()
  local answer = require "rushes.provider.runway.answer"
  local class = {
    ["SAFETY.INPUT.IMAGE"] = "safety", ["SAFETY.INPUT"] = "safety",
    ["SAFETY.OUTPUT.VIDEO"] = "safety", ["SAFETY.NEW"] = "safety",
    ["INPUT_PREPROCESSING.SAFETY.TEXT"] = "safety",
    ["INPUT_PREPROCESSING.SAFETY.THIRD_PARTY"] = "safety",
    ["INPUT_PREPROCESSING.INTERNAL"] = "internal",
    ["INTERNAL.BAD_OUTPUT.01"] = "bad_output", ["INTERNAL"] = "internal",
    ["INTERNAL.SOMETHING"] = "internal", ["ASSET.INVALID"] = "asset",
    ["THIRD_PARTY.UNAVAILABLE"] = "unavailable",
    ["THIRD_PARTY.INPUT_VALIDATION"] = "invalid", ["INTERNALS"] = "unknown",
    ["SAFETYNET.X"] = "unknown", [""] = "unknown",
  }
  for code, expected in pairs(class) do
    lu.assertEquals(answer.failure(code).class, expected, code)
  end
  for _, row in ipairs(answer.FAILURES) do
    if row.class == "safety" then lu.assertNil(row.retryable, row[1]) end
  end
end

function T.test_a_task_that_is_gone()
  local u = update "task_gone"
  lu.assertEquals(u.state, "cancelled")
  lu.assertEquals(u.err.class, "expired")
  lu.assertNil(u.cost)
end

function T.test_polls_that_tell_nothing()
  for _, name in ipairs { "bad_gateway", "unavailable", "internal", "task_junk",
    "created_html", "slow_down" } do
    local u, e = update(name)
    lu.assertNil(u, name)
    lu.assertEquals(e.class, "unavailable", name)
    lu.assertFalse(e.final or false, name)
    lu.assertNil(e.unknown, name)
  end
  local _, e = update "bad_key"
  lu.assertEquals(e.class, "auth")
  lu.assertTrue(e.final)
end

function T.test_refusals_of_a_call()
  local class = { no_credits = "quota", bad_version = "invalid", bad_body = "invalid",
    bad_asset = "asset", bad_shape = "asset", expired_upload = "asset", bad_key = "auth",
    not_enabled = "auth", daily_cap = "quota", slow_down = "unavailable",
    bad_gateway = "unavailable", unavailable = "unavailable", internal = "unavailable",
    gateway_timeout = "unavailable", wrong_address = "invalid", task_gone = "expired" }
  for name, expected in pairs(class) do
    lu.assertEquals(refusal(name).class, expected, name)
  end
end

function T.test_what_may_be_sent_again()
  for _, name in ipairs { "slow_down", "bad_gateway", "unavailable" } do
    lu.assertTrue(refusal(name).resend, name)
    lu.assertNil(refusal(name).unknown or nil, name)
  end
  for _, name in ipairs { "internal", "gateway_timeout" } do
    lu.assertTrue(refusal(name).unknown, name)
    lu.assertFalse(refusal(name).resend, name)
    lu.assertFalse(refusal(name).retryable, name)
  end
  for _, name in ipairs { "no_credits", "daily_cap", "bad_body", "bad_key" } do
    lu.assertNil(refusal(name).resend, name)
    lu.assertFalse(refusal(name).retryable, name)
  end
end

function T.test_waits_that_the_peer_asks_for()
  lu.assertEquals(refusal("slow_down").retry_after, 12)
  lu.assertEquals(refusal("unavailable").retry_after, 7)
  lu.assertEquals(refusal("daily_cap").retry_after, 3600)
  lu.assertTrue(refusal("daily_cap").daily)
end

function T.test_sentences()
  lu.assertStrContains(refusal("bad_gateway").message, '"502 Bad Gateway"')
  lu.assertStrContains(refusal("bad_key").message, "RUNWAYML_API_SECRET")
  lu.assertStrContains(refusal("bad_body").message,
    "promptText: Too big: expected string to have <=1000")
  lu.assertStrContains(refusal("bad_body").message, "promptImage.0.position")
  lu.assertStrContains(refusal("bad_asset").message,
    "videoUri: Asset duration must be at most 30 seconds")
  lu.assertStrContains(refusal("expired_upload").message, "upload that has expired")
  lu.assertStrContains(refusal("not_enabled").message, "gen4.5 is not available")
  lu.assertStrContains(refusal("wrong_address").message, "RUNWAYML_BASE_URL")
end

function T.test_no_answer_at_all()
  local e = runway.error { sent = false }
  lu.assertTrue(e.resend)
  lu.assertFalse(e.unknown)
  e = runway.error { sent = true }
  lu.assertTrue(e.unknown)
  lu.assertFalse(e.resend)
end

function T.test_the_account()
  local account = assert(runway.organization(recorded "runway/organization"))
  lu.assertEquals(account.balance, 1234000)
  lu.assertEquals(account.spend, 10000)
  lu.assertEquals(account.lanes.gen4_turbo, { at_once = 3, daily = 500, used = 17 })
  lu.assertEquals(account.lanes["gen4.5"], { used = 0 })
  local none, e = runway.organization(recorded "runway/bad_key")
  lu.assertNil(none)
  lu.assertEquals(e.class, "auth")
  lu.assertNil((runway.organization(recorded "runway/created_html")))
end

function T.test_usage()
  lu.assertEquals(runway.usage(recorded "runway/usage"), {
    { date = "2026-09-20", model = "gen4_turbo", credits = 125000 },
    { date = "2026-09-20", model = "gen4.5", credits = -60000 } })
  lu.assertNil((runway.usage(recorded "runway/created_html")))
end

return T
