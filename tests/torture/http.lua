-- A server and a client on loopback.
local httpd = require "rt.httpd"
local net = require "rt.net"
local task = require "rt.task"

task.scope(function(s)
  local server = assert(httpd.listen { host = "127.0.0.1", port = 0 })
  s:spawn(function()
    server:serve(function(req) req:respond { status = 200, body = '{"ok":' .. #req.path .. "}" } end)
  end)
  local client = net.client { base = "http://127.0.0.1:" .. server.port }
  local resp = assert(net.request(client, { method = "GET", path = "/some/path" }))
  assert(resp.status == 200)
  resp = assert(net.submit(client, { method = "POST", path = "/v1/x", body = "{}" }))
  assert(resp.body:find "ok")
  server:close()
end)
