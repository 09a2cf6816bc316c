--- What the journal keeps of a request.
local lu = require "luaunit"

local fingerprint = require "rushes.take.fingerprint"

local T = {}

function T.test_no_secret_of_a_link_is_kept()
  local kept = fingerprint.request {
    promptImage = "https://user:pw@example.com/a@2x.png?sig=SECRET#part" }
  lu.assertStrContains(kept:gsub("\\", ""), "https://example.com/a@2x.png")
  for _, secret in ipairs { "user", "pw", "SECRET", "part" } do
    lu.assertNotStrContains(kept, secret)
  end
end

return T
