local lu = require "luaunit"
local fs = require "rt.fs"
local hash = require "rt.hash"
local task = require "rt.task"

local T = {}

local ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

function T.test_strings()
  lu.assertEquals(hash.sha256 "abc", ABC)
  lu.assertEquals(hash.base64 "\0\255x", "AP94")
  lu.assertEquals(hash.unbase64 "AP94", "\0\255x")
  lu.assertEquals(hash.unbase64 "", "")
end

function T.test_files()
  local dir = assert(fs.tempdir())
  local path = fs.join(dir, "a")
  assert(fs.write(path, "abc"))
  local hex, bytes = hash.sha256_file(path)
  lu.assertEquals({ hex, bytes }, { ABC, 3 })
  assert(fs.remove(dir, { recursive = true }))
  local none, e = hash.sha256_file(path)
  lu.assertNil(none)
  lu.assertEquals(e.code, "not_found")
  lu.assertStrContains(tostring(e), path)
end

function T.test_an_endless_file_can_be_cancelled()
  local ok, e = task.timeout(0.05, hash.sha256_file, "/dev/zero")
  lu.assertNil(ok)
  lu.assertEquals(e.code, "timeout")
end

function T.test_what_is_not_base64_says_where()
  local ok, e = hash.unbase64(("A"):rep(5000) .. " ==")
  lu.assertNil(ok)
  lu.assertEquals(e.code, "invalid")
  lu.assertStrContains(tostring(e), "character 5001 of 5003")
end

return T
