--- Whatever the bytes are, reading an answer never raises and never leaks.
local lu = require "luaunit"
local json = require "rt.json"
local wire = require "rushes.provider.common.wire"
local here = (...):match "^(.-)[^/]*/[^/]*$"
local recorded = assert(loadfile(here .. "recorded/load.lua"))(here .. "recorded")

local PROVIDERS = { (require "rushes.provider.runway"), (require "rushes.provider.gen4") }
local ROUNDS = 3000

local T = {}

--- A generator of our own, so that a failure can be repeated from its number.
local function random(seed)
  local x = seed
  return function(n)
    x = (x * 6364136223846793005 + 1442695040888963407) & 0x7FFFFFFFFFFFFFFF
    return (x >> 24) % n
  end
end

local STATES = { queued = true, throttled = true, running = true, succeeded = true,
  failed = true, cancelled = true }
local CLASSES = { safety = true, bad_output = true, asset = true, internal = true,
  unavailable = true, quota = true, auth = true, invalid = true, expired = true,
  unknown = true }

local function check_error(e)
  lu.assertEquals(type(e.message), "string")
  lu.assertNotNil(utf8.len(e.message), "a sentence is UTF-8")
  lu.assertNil(e.message:find "%c")
  lu.assertTrue(#e.message < 1200)
  lu.assertTrue(CLASSES[e.class], tostring(e.class))
end

local function check_update(update, e)
  if not update then return check_error(e) end
  lu.assertTrue(STATES[update.state])
  if update.err then check_error(update.err) end
  if update.state == "succeeded" then lu.assertTrue(#update.outputs > 0) end
  local p = update.progress
  if p then lu.assertTrue(p >= 0 and p <= 1) end
  for _, amount in ipairs { update.cost or 0, update.estimate or 0 } do
    lu.assertEquals(math.type(amount), "integer")
    lu.assertTrue(amount >= 0)
  end
end

local function feed(provider, resp)
  check_update(provider.update({ id = "x" }, resp))
  local accepted, e = provider.accept(resp, {}, {})
  if not accepted then check_error(e) end
  check_error(provider.error(resp))
  if provider.organization then
    local _, oe = provider.organization(resp)
    if oe then check_error(oe) end
    local _, ue = provider.usage(resp)
    if ue then check_error(ue) end
    for step = 2, 3 do
      local _, se = provider.upload({ path = "/a.png" }, {}, step, resp)
      if se then check_error(se) end
    end
  end
end

local STATUS = { 200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 429, 500, 502, 504 }

function T.test_random_bytes()
  for round = 1, ROUNDS do
    local rnd = random(round)
    local bytes = {}
    for i = 1, rnd(120) do bytes[i] = string.char(rnd(256)) end
    local resp = { status = STATUS[rnd(#STATUS) + 1], headers = {},
      body = table.concat(bytes), sent = true }
    for _, provider in ipairs(PROVIDERS) do feed(provider, resp) end
  end
end

--- A recorded answer with a few bytes changed, dropped or doubled.
local function damaged(resp, rnd)
  local body = resp.body
  for _ = 1, 1 + rnd(4) do
    if #body == 0 then break end
    local at = 1 + rnd(#body)
    local kind = rnd(3)
    local middle = kind == 0 and string.char(rnd(256)) or kind == 1 and ""
      or body:sub(at, at + rnd(20))
    body = body:sub(1, at - (kind == 2 and 0 or 1)) .. middle .. body:sub(at + 1)
  end
  return { status = STATUS[rnd(#STATUS) + 1], headers = resp.headers, body = body,
    sent = true }
end

function T.test_damaged_answers()
  local names = { "runway/task_succeeded", "runway/task_failed_safety_input",
    "runway/task_running", "runway/created", "runway/bad_body", "runway/upload_place",
    "runway/organization", "runway/usage", "gen4/task_succeeded", "gen4/task_failed" }
  for round = 1, ROUNDS do
    local rnd = random(round + 1000000)
    local resp = damaged(recorded(names[rnd(#names) + 1]), rnd)
    for _, provider in ipairs(PROVIDERS) do feed(provider, resp) end
  end
end

local KEYS = { "id", "status", "progress", "output", "cost", "credits", "failure",
  "failureCode", "error", "issues", "path", "message", "estimatedCost", "url", "fields",
  "uploadUrl", "runwayUri", "creditBalance", "tier", "models", "usage", "results",
  "usedCredits", "amount", "failure_reason", "credits_used" }
local LEAVES = { true, false, 0, -1, 1e300, 0.5, "", "SUCCEEDED", "FAILED", "running",
  "https://h/x?sig=secret-1", "\u{FFFD}", "Asset ", "daily", 2 ^ 53, "runway://x",
  "SAFETY.INPUT" }

local function value(rnd, depth)
  if depth == 0 or rnd(3) == 0 then return LEAVES[rnd(#LEAVES) + 1] end
  local t = {}
  for _ = 1, rnd(6) do
    local key = rnd(3) == 0 and #t + 1 or KEYS[rnd(#KEYS) + 1]
    t[key] = value(rnd, depth - 1)
  end
  return t
end

function T.test_json_of_every_shape()
  for round = 1, ROUNDS do
    local rnd = random(round + 2000000)
    local t = value(rnd, 4)
    if type(t) ~= "table" then t = { status = t } end
    if rnd(2) == 0 then t.status = LEAVES[8 + rnd(3)] end
    local resp = { status = STATUS[rnd(#STATUS) + 1], headers = {}, json = t, body = "{}",
      sent = true }
    for _, provider in ipairs(PROVIDERS) do
      feed(provider, resp)
      local u = provider.update({ id = "x" }, resp)
      if u and u.err then lu.assertNotStrContains(u.err.message, "secret-1") end
      lu.assertNotStrContains(provider.error(resp).message, "secret-1")
    end
  end
end

function T.test_answers_that_are_hardly_answers()
  for _, resp in ipairs { {}, { status = "200" }, { status = 200 }, { status = 0 / 0 },
    { status = 200, body = 3, headers = 4 },
    { status = 404, headers = { ["retry-after"] = {} } },
    { status = 429, headers = { ["retry-after"] = "nan" } },
    { status = 503, headers = { ["retry-after"] = "Wed, 21 Oct 2026 07:28:00 GMT" } } } do
    for _, provider in ipairs(PROVIDERS) do feed(provider, resp) end
  end
  for _, provider in ipairs(PROVIDERS) do check_error(provider.error(nil)) end
end

function T.test_text_from_outside_is_made_harmless()
  local function plain(s, most) return wire.plain(s, most) end
  lu.assertEquals(plain "see https://h.example/a?b=c#d now",
    "see https://h.example/a?… now")
  lu.assertEquals(plain "https://user:pw@h.example/a", "https://h.example/a")
  lu.assertEquals(plain "Authorization: Bearer abc.def", "Authorization: Bearer …")
  lu.assertEquals(plain("key_" .. ("0f"):rep(64)), "key_…")
  lu.assertEquals(plain "data:image/png;base64,AAAA", "data:…")
  lu.assertEquals(plain "a\r\n\tb\0c", "a b c")
  lu.assertEquals(plain(nil), "")
  lu.assertTrue(#plain(("€"):rep(4000), 100) <= 103)
  lu.assertNotNil(utf8.len(plain(("€"):rep(4000), 100)))
  lu.assertNotNil(utf8.len(plain "caf\xE9"))
end

function T.test_huge_pages_take_no_time()
  local started = os.clock()
  local resp = { status = 502, headers = { ["content-type"] = "text/html" },
    body = ("<title"):rep(200000), sent = true }
  check_error(PROVIDERS[1].error(resp))
  resp.body = ("a"):rep(1000000)
  resp.headers = {}
  check_error(PROVIDERS[1].error(resp))
  lu.assertTrue(os.clock() - started < 1)
end

function T.test_json_is_read_from_the_body_too()
  local u = PROVIDERS[1].update({ id = "x" }, { status = 200, headers = {},
    body = json.encode { status = "RUNNING", progress = 0.5 } })
  lu.assertEquals(u, { state = "running", progress = 0.5 })
end

return T
