local lu = require "luaunit"
local config = require "rushes.config"
local err = require "rt.err"

local T = {}

local RUNWAY = { name = "runway", base = "https://api.dev.runwayml.com", auth = "Bearer",
  base_env = "RUSHES_TEST_BASE_URL", key_env = "RUNWAYML_API_SECRET" }
local GATEWAY = { name = "gateway", auth = "Bearer", base_env = "RUSHES_TEST_BASE_URL",
  key_env = "RUSHES_TEST_KEY" }

local function with(values, fn)
  for name, value in pairs(values) do config.set(name, value, "the test") end
  local ok, e = pcall(fn)
  config.reset()
  if not ok then error(e, 0) end
end

function T.test_a_key_that_was_set_is_given_as_a_value_for_this_origin_only()
  with({ RUNWAYML_API_SECRET = "made-up" }, function()
    local got = assert(config.provider(RUNWAY))
    lu.assertEquals(got, { base = "https://api.dev.runwayml.com",
      secret = { value = "made-up", scheme = "Bearer",
        origins = { "https://api.dev.runwayml.com" } } })
  end)
end

function T.test_the_address_comes_from_the_variable_and_loses_its_slash()
  with({ RUSHES_TEST_BASE_URL = "http://127.0.0.1:99/", RUSHES_TEST_KEY = "k" }, function()
    local got = assert(config.provider(GATEWAY))
    lu.assertEquals(got.base, "http://127.0.0.1:99")
    lu.assertEquals(got.origin, "the test")
    lu.assertEquals(got.secret.origins, { "http://127.0.0.1:99" })
  end)
end

function T.test_a_missing_address_names_the_variable()
  local got, e = config.provider(GATEWAY)
  lu.assertNil(got)
  lu.assertTrue(err.is(e, "invalid"))
  lu.assertStrContains(e.message, "RUSHES_TEST_BASE_URL")
end

function T.test_a_missing_key_is_an_auth_error_that_names_the_variable()
  with({ RUSHES_TEST_BASE_URL = "https://gateway.example" }, function()
    local _, e = config.provider(GATEWAY)
    lu.assertTrue(err.is(e, "auth"))
    lu.assertStrContains(e.message, "RUSHES_TEST_KEY")
    lu.assertStrContains(e.message, "--sim")
  end)
end

function T.test_a_look_alike_variable_is_named_and_its_value_is_not()
  if os.getenv "RUNWAYML_API_SECRET" then lu.skip "a key is set here" end
  with({ RUNWAY_API_KEY = "hush-hush" }, function()
    local _, e = config.provider(RUNWAY)
    lu.assertTrue(err.is(e, "auth"))
    lu.assertStrContains(e.message, "RUNWAY_API_KEY")
    lu.assertNotStrContains(e.message, "hush")
  end)
end

function T.test_plain_http_is_for_loopback_only()
  for base, fine in pairs { ["http://127.0.0.1:8080"] = true, ["http://localhost:1"] = true,
    ["http://[::1]:1"] = true, ["http://127.0.0.1.evil.example"] = false,
    ["http://gateway.example"] = false, ["ftp://127.0.0.1"] = false } do
    with({ RUSHES_TEST_BASE_URL = base, RUSHES_TEST_KEY = "k" }, function()
      local got, e = config.provider(GATEWAY)
      lu.assertEquals(got ~= nil, fine, base)
      if not fine then lu.assertTrue(err.is(e, "invalid")) end
    end)
  end
end

function T.test_a_password_in_an_address_is_not_shown()
  with({ RUSHES_TEST_BASE_URL = "ftp://user:hush@host", RUSHES_TEST_KEY = "k" }, function()
    local _, e = config.provider(GATEWAY)
    lu.assertNotStrContains(e.message, "hush")
  end)
end

function T.test_origin()
  lu.assertEquals(config.origin "https://u:p@Host.Example:8443/v1?x", "https://host.example:8443")
  lu.assertNil(config.origin "host.example")
end

return T
