--- The misbehaving server of tests/fixtures for tests of the network; it leaves
--- with this process.
local net = require "rt.net"

local build = os.getenv "BUILD" or "build"
local faultd = assert(io.popen(build .. "/fixtures/faultd $PPID", "r"))
local M = { base = ("http://127.0.0.1:%d"):format(faultd:read "n"),
  nobody = "http://127.0.0.1:1" }
faultd:close()

local keys = 0

--- A name for the server's counters that no other test uses.
function M.key()
  keys = keys + 1
  return ("k%d"):format(keys)
end

function M.client(o)
  o = o or {}
  o.base = o.base or M.base
  return assert(net.client(o))
end

--- How often the server was asked for what is counted by this key.
function M.hits(key)
  return tonumber(assert(net.request(M.client(), { path = "/hits/" .. key })).body)
end

return M
