local lu = require "luaunit"
local checks = require "rushes.cli.checks"
local config = require "rushes.config"

local T = {}

local KEY = "key_" .. ("0123456789abcdef"):rep(8)

local function key_finding(values)
  for name, value in pairs(values) do config.set(name, value, "the test") end
  local found = checks.key()
  config.reset()
  return found
end

function T.test_a_good_key_is_ok_and_not_shown()
  local found = key_finding { RUNWAYML_API_SECRET = KEY }
  lu.assertEquals(found.status, "ok")
  lu.assertNotStrContains(found.text, "0123")
end

function T.test_what_is_wrong_with_a_key_is_said_without_the_key()
  for key, word in pairs { [KEY .. "\n"] = "line end", ['"' .. KEY .. '"'] = "quotes",
    ["sk-12345"] = "begin with key_", [KEY:sub(1, 60)] = "60 characters" } do
    local found = key_finding { RUNWAYML_API_SECRET = key }
    lu.assertEquals(found.status, "warn")
    lu.assertStrContains(found.text, word)
    lu.assertNotStrContains(found.text, "0123")
    lu.assertNotStrContains(found.text, "12345")
  end
end

function T.test_a_look_alike_is_named()
  local found = key_finding { RUNWAY_TOKEN = KEY }
  lu.assertEquals(found.status, "warn")
  lu.assertStrContains(found.text, "RUNWAY_TOKEN")
  lu.assertEquals(found.advice, 'export RUNWAYML_API_SECRET="$RUNWAY_TOKEN"')
end

function T.test_a_proxys_password_is_not_shown()
  config.set("https_proxy", "http://me:hush@proxy.example:3128", "the test")
  local found = checks.proxy()
  config.reset()
  lu.assertStrContains(found.text, "https_proxy=http://proxy.example:3128")
  lu.assertNotStrContains(found.text, "hush")
end

function T.test_certificates_that_are_not_there_fail()
  config.set("CURL_CA_BUNDLE", "/nowhere/ca.pem", "the test")
  local found = checks.certificates()
  config.reset()
  lu.assertEquals(found.status, "fail")
  lu.assertStrContains(found.text, "/nowhere/ca.pem")
end

function T.test_http_dates()
  lu.assertEquals(checks.http_date "Sun, 06 Nov 1994 08:49:37 GMT", 784111777)
  lu.assertEquals(checks.http_date "Thu, 01 Jan 1970 00:00:00 GMT", 0)
  lu.assertEquals(checks.http_date "Tue, 29 Feb 2000 12:00:00 GMT", 951825600)
  lu.assertNil(checks.http_date "yesterday")
end

function T.test_every_finding_has_its_parts()
  for _, found in ipairs(checks.all { offline = true }) do
    lu.assertNotNil(({ ok = 1, warn = 1, fail = 1 })[found.status], found.name)
    lu.assertTrue(#found.text > 0, found.name)
    lu.assertEquals(found.advice == nil, found.status == "ok", found.name)
  end
end

return T
