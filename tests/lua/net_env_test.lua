--- What the environment says: proxies, certificates, secrets. Each in a process of
--- its own, because a process reads it once.
local faultd = require "lua.faultd"
local fs = require "rt.fs"
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local T = {}

local rushes = os.getenv "RUSHES" or "build/rushes"

--- What a script prints in an environment with these variables besides.
local function run(env, script, ...)
  local line = { "env", "-u", "SSL_CERT_FILE", "-u", "SSL_CERT_DIR", "-u", "CURL_CA_BUNDLE" }
  for name, value in pairs(env) do line[#line + 1] = name .. "=" .. value end
  table.move({ rushes, "-e", script, "--", ... }, 1, 4 + select("#", ...), #line + 1, line)
  local done = assert(proc.run(line))
  return (done.stdout:gsub("%s+$", "")), done.stderr
end

local GET = [[
  local net = require "rt.net"
  local c = assert(net.client { base = arg[1], insecure_http = true })
  local r, e = net.request(c, { path = "/echo", timeout = 5 })
  print(r and r.body:match "^[^\r\n]*" or e.code .. ": " .. e.message)
]]

function T.test_a_proxy_is_asked_for_what_is_not_this_machine()
  for _, name in ipairs { "http_proxy", "HTTP_PROXY", "ALL_PROXY" } do
    lu.assertEquals(run({ [name] = faultd.base }, GET, "http://example.test"),
      "GET http://example.test/echo HTTP/1.1")
  end
end

function T.test_no_proxy_for_this_machine_and_for_what_is_listed()
  lu.assertEquals(run({ http_proxy = faultd.nobody }, GET, faultd.base), "GET /echo HTTP/1.1")
  local said = run({ http_proxy = faultd.base, NO_PROXY = "example.invalid" }, GET,
    "http://example.invalid")
  lu.assertStrContains(said, "network: cannot find the host of http://example.invalid")
end

function T.test_a_secret_leaves_the_environment()
  local said, errors = run({ RUSHES_TEST_KEY = "sk-geheim" }, [[
    local net, proc = require "rt.net", require "rt.proc"
    local function secret()
      return assert(net.secret { env = "RUSHES_TEST_KEY", origins = { arg[1] } })
    end
    local c = assert(net.client { base = arg[1], secret = secret() })
    secret() -- a second one of the same name
    print(os.getenv "RUSHES_TEST_KEY")
    print(proc.run { "sh", "-c", "echo [$RUSHES_TEST_KEY]" }.stdout)
    print(io.open("/proc/self/environ"):read "a":find("geheim", 1, true))
    print(net.request(c, { path = "/echo" }).body:find("Bearer sk-geheim", 1, true) ~= nil)
  ]], faultd.base)
  lu.assertEquals(said, "nil\n[]\n\nnil\ntrue", errors)
end

--- fn(url, dir) with a server whose certificate nobody has signed.
local function with_tls(fn)
  local dir = assert(fs.tempdir())
  local made = assert(proc.run { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost", "-keyout", dir .. "/key.pem",
    "-out", dir .. "/cert.pem" })
  if made.code ~= 0 then lu.skip "openssl is not installed" end
  task.scope(function(s)
    local server = assert(proc.spawn { "openssl", "s_server", "-accept", "127.0.0.1:0",
      "-cert", dir .. "/cert.pem", "-key", dir .. "/key.pem", "-www" })
    local port
    for line in server:lines() do
      port = line:match "^ACCEPT .*:(%d+)$"
      if port then break end
    end
    fn("https://localhost:" .. port, dir)
    server:kill "SIGKILL"
    s:cancel()
  end)
  assert(fs.remove(dir, { recursive = true }))
end

local FIRST_LINE = GET:gsub('"/echo"', '"/"'):gsub("r%.body:match .- or", "r.status or")

function T.test_a_certificate_that_nobody_signed_is_refused()
  with_tls(function(url)
    local said = run({}, FIRST_LINE, url)
    lu.assertStrContains(said, "tls: no secure connection to https://localhost:")
    lu.assertStrContains(said, "certificate")
  end)
end

function T.test_the_variables_name_certificates_to_trust()
  with_tls(function(url, dir)
    for _, name in ipairs { "SSL_CERT_FILE", "CURL_CA_BUNDLE" } do
      lu.assertEquals(run({ [name] = dir .. "/cert.pem" }, FIRST_LINE, url), "200", name)
    end
  end)
end

return T
