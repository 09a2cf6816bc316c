--- Bodies with files in them, as they arrive at tests/fixtures/faultd.
local faultd = require "lua.faultd"
local fs = require "rt.fs"
local lu = require "luaunit"
local net = require "rt.net"

local T = {}

local client = faultd.client

local function temporary(bytes)
  local dir = assert(fs.tempdir())
  local path = fs.join(dir, 'a "b".png')
  assert(fs.write(path, bytes))
  return path, dir
end

function T.test_placeholders_become_data_uris_while_they_are_sent()
  local path, dir = temporary("\x89PNG picture")
  local text = [[{"a":"data:image\/png;rushes=1","b":"data:image/png;rushes=2","c":"data:x"}]]
  local body = assert(net.body(text, { ["data:image/png;rushes=1"] = { path = path },
    ["data:image/png;rushes=2"] = { path = path, type = "image/webp" } }))
  local said = assert(net.submit(client(), { method = "POST", path = "/echo", body = body })).body
  lu.assertStrContains(said, "Content-Type: application/json\r\n")
  lu.assertStrContains(said, [[{"a":"data:image/png;base64,iVBORyBwaWN0dXJl",]] ..
    [["b":"data:image/webp;base64,iVBORyBwaWN0dXJl","c":"data:x"}]])
  assert(fs.remove(dir, { recursive = true }))
end

function T.test_a_large_file_is_encoded_whole()
  local path, dir = temporary(("x"):rep(1000001))
  local body = assert(net.body('"data:a/b;rushes=7"', { ["data:a/b;rushes=7"] = { path = path } }))
  local want = #'"data:a/b;base64,"' + (1000001 + 2) // 3 * 4
  for _ = 1, 2 do -- a body can be sent again
    local r = assert(net.submit(client(), { method = "POST", path = "/size", body = body }))
    lu.assertEquals(tonumber(r.body), want)
  end
  assert(fs.remove(dir, { recursive = true }))
end

function T.test_a_file_that_is_missing_is_refused_before_anything_is_sent()
  local body, e = net.body('"data:a/b;rushes=1"',
    { ["data:a/b;rushes=1"] = { path = "/no/such/file" } })
  lu.assertNil(body)
  lu.assertEquals(e.code, "not_found")
  lu.assertStrContains(e.message, "/no/such/file")
end

function T.test_a_file_that_changes_ends_the_request()
  local path, dir = temporary(("x"):rep(1000))
  local body = assert(net.body('"data:a/b;rushes=1"', { ["data:a/b;rushes=1"] = { path = path } }))
  assert(fs.write(path, "shorter"))
  local r, e = net.submit(client(), { method = "POST", path = "/size", body = body })
  lu.assertNil(r)
  lu.assertEquals(e.code, "io")
  lu.assertStrContains(e.message, path)
  assert(fs.remove(dir, { recursive = true }))
end

function T.test_a_form_keeps_its_order_and_streams_its_file()
  local path, dir = temporary("FILE")
  local r = assert(net.request(client(), { method = "POST", path = "/echo", form = {
    { name = "key", value = "uploads/1" },
    { name = "policy", value = "abc" },
    { name = "file", file = path, type = "image/png" },
  } }))
  local boundary = r.body:match "Content%-Type: multipart/form%-data; boundary=(%S+)\r\n"
  lu.assertStrContains(r.body, ('--%s\r\nContent-Disposition: form-data; name="key"\r\n\r\n' ..
    'uploads/1\r\n--%s\r\nContent-Disposition: form-data; name="policy"\r\n\r\nabc\r\n--%s\r\n' ..
    'Content-Disposition: form-data; name="file"; filename="a %%22b%%22.png"\r\n' ..
    'Content-Type: image/png\r\n\r\nFILE\r\n--%s--\r\n')
    :format(boundary, boundary, boundary, boundary))
  assert(fs.remove(dir, { recursive = true }))
end

return T
