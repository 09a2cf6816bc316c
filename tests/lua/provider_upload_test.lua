local lu = require "luaunit"
local runway = require "rushes.provider.runway"
local upload = require "rushes.provider.runway.upload"
local here = (...):match "^(.-)[^/]*/[^/]*$"
local recorded = assert(loadfile(here .. "recorded/load.lua"))(here .. "recorded")

local T = {}

local function hero()
  return { path = "/refs/hero.png", type = "image/png", bytes = 70000 }
end

function T.test_three_steps()
  local file = hero()
  lu.assertEquals(runway.upload(file, {}, 1), { method = "POST", path = "/v1/uploads",
    auth = true, json = { filename = "hero.png", type = "ephemeral" } })
  local req = runway.upload(file, {}, 2, recorded "runway/upload_place")
  lu.assertEquals(req.url, "https://storage.example.com/bucket")
  lu.assertEquals(req.auth, false)
  lu.assertNil(req.headers)
  lu.assertEquals(runway.upload(file, {}, 3, recorded "runway/upload_stored"),
    { uri = "runway://file/1234567890", expires = 86400 })
end

function T.test_the_form_keeps_the_order_and_ends_with_the_file()
  local req = runway.upload(hero(), {}, 2, recorded "runway/upload_place")
  local names = {}
  for i, part in ipairs(req.form) do names[i] = part.name end
  lu.assertEquals(names, { "key", "bucket", "X-Amz-Algorithm", "Policy",
    "X-Amz-Signature", "Content-Type", "file" })
  lu.assertEquals(req.form[1].value, 'a/b "c".png')
  lu.assertEquals(req.form[4].value, "eyJ9/x==")
  lu.assertEquals(req.form[7], { name = "file", file = "/refs/hero.png",
    filename = "hero.png", type = "image/png" })
end

function T.test_order_is_read_off_the_text()
  lu.assertEquals(upload.ordered_names(
    '{"a":{"fields":{"no":"x"}},"s":"\\"fields\\":{","fields" : {"z":"}","a\\u0062":"{",'
    .. '"\\\\":"\\\\"}}', "fields"), { "z", "ab", "\\" })
  lu.assertEquals(upload.ordered_names('{"fields":{}}', "fields"), {})
  for _, bad in ipairs { "", "{", '{"fields"', '{"fields":', '{"fields":{"a',
    '{"fields":1}', '{"fields":{"a":"b"', '{"fields":{"a":{"b":"c"}}}', "[]",
    '["fields",{"a":"b"}]' } do
    lu.assertNil(upload.ordered_names(bad, "fields"), bad)
  end
end

function T.test_names_are_what_the_api_takes()
  local function name(file) return runway.upload(file, {}, 1).json.filename end
  lu.assertEquals(name { path = "/refs/hero", type = "image/jpeg" }, "hero.jpg")
  lu.assertEquals(name { path = "x", type = "video/mp4" }, "x.mp4")
  lu.assertEquals(name { path = "/a/Zoë \"1\".png" }, "Zo__ _1_.png")
  lu.assertEquals(#name { path = ("n"):rep(300) .. ".png" }, 200)
  lu.assertTrue(#name { path = "/" } >= 3)
end

function T.test_sizes()
  local file = hero()
  file.bytes = 511
  local req, e = runway.upload(file, {}, 1)
  lu.assertNil(req)
  lu.assertEquals(e.class, "asset")
  file.bytes = 200 * 1024 * 1024 + 1
  lu.assertNil((runway.upload(file, {}, 1)))
end

function T.test_refusals()
  local function at(step, name)
    local req, e = runway.upload(hero(), {}, step, recorded("runway/" .. name))
    lu.assertNil(req)
    return e
  end
  lu.assertEquals(at(2, "bad_key").class, "auth")
  lu.assertTrue(at(2, "slow_down").resend)
  lu.assertEquals(at(2, "created").class, "unavailable")
  lu.assertEquals(at(2, "created_html").class, "unavailable")
  local e = at(3, "upload_denied")
  lu.assertEquals(e.class, "unavailable")
  lu.assertTrue(e.retryable)
  lu.assertNotStrContains(e.message, "AccessDenied")
end

return T
