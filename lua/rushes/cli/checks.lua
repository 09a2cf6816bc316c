--- What `rushes doctor` looks at. Each check gives one or more findings:
--- {name, status = "ok"|"warn"|"fail", text, advice?}.
local config = require "rushes.config"
local fs = require "rt.fs"
local proc = require "rt.proc"
local sys = require "rt.c.sys"
local text = require "rushes.cli.text"

local M = {}

---@class rushes.cli.Finding
---@field name string
---@field status "ok"|"warn"|"fail"
---@field text string
---@field advice? string

local function finding(name, status, what, advice)
  return { name = name, status = status, text = what, advice = advice }
end

-- ---- the key ----

local KEY_ENV = "RUNWAYML_API_SECRET"
local KEY_SHAPE = "^key_" .. ("%x"):rep(128) .. "$"

--- What the key looks like, without showing any of it.
local function key_shape(key)
  if key:find(KEY_SHAPE) and not key:find "%u" then return nil end
  if key:find "^%s" or key:find "%s$" then return "has a space or line end around it" end
  if key:find "^[\"']" then return "has quotes around it" end
  if not key:find "^key_" then return "does not begin with key_" end
  return ("is %d characters long, not 132"):format(#key)
end

function M.key()
  local others = config.lookalikes(KEY_ENV)
  local named = table.concat(others, ", ")
  local key = config.get(KEY_ENV)
  if key then
    local wrong = key_shape(key)
    if wrong then
      return finding("key", "warn", ("%s is set, but %s"):format(KEY_ENV, wrong),
        "copy it again from the developer portal: key_ and 128 hexadecimal digits")
    end
    return finding("key", "ok", KEY_ENV .. " is set and looks like a key")
  elseif #others > 0 then
    return finding("key", "warn", ("%s is not set; %s is, but is not read"):format(
      KEY_ENV, named), ('export %s="$%s"'):format(KEY_ENV, others[1]))
  end
  return finding("key", "warn", KEY_ENV .. " is not set: only rushes run --sim will work",
    "export it in the shell; never put it in a script")
end

-- ---- the network ----

--- An address without the name and password in it.
local function public(url) return (url:gsub("//[^/@]*@", "//")) end

function M.proxy()
  local found = {}
  for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
    "no_proxy", "NO_PROXY" } do
    local value = config.get(name)
    if value then found[#found + 1] = name .. "=" .. public(value) end
  end
  return finding("proxy", "ok", #found > 0 and table.concat(found, ", ") or "none")
end

local CA_FILES = { "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem" }

function M.certificates()
  for _, name in ipairs { "CURL_CA_BUNDLE", "SSL_CERT_FILE" } do
    local path = config.get(name)
    if path and fs.exists(path) then
      return finding("tls", "ok", ("certificates from %s (%s)"):format(path, name))
    elseif path then
      return finding("tls", "fail", ("%s names %s, which is not there"):format(name,
        path), "put it right, or unset it")
    end
  end
  for _, path in ipairs(CA_FILES) do
    if fs.exists(path) then return finding("tls", "ok", "certificates from " .. path) end
  end
  return finding("tls", "fail", "no file of certificates was found",
    "apt-get install ca-certificates")
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8,
  Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

--- Seconds since 1970 of an HTTP date.
---@param date string  "Sun, 06 Nov 1994 08:49:37 GMT"
---@return integer?
function M.http_date(date)
  local d, mon, y, h, m, s = date:match "(%d+) (%a%a%a) (%d%d%d%d) (%d+):(%d+):(%d+) GMT"
  if not MONTHS[mon] then return nil end
  y, mon, d = tonumber(y), MONTHS[mon], tonumber(d)
  if mon <= 2 then y, mon = y - 1, mon + 12 end -- the year begins in March
  local days = 365 * y + y // 4 - y // 100 + y // 400 + (153 * (mon - 3) + 2) // 5 + d
    - 719469
  return days * 86400 + h * 3600 + m * 60 + s
end

local CLOCK_OFF = 60 -- seconds

local function clock(date)
  local theirs = date and M.http_date(date)
  if not theirs then return finding("clock", "ok", "the server told no time") end
  local off = math.floor(require("rt.c.core").time() - theirs + 0.5)
  if math.abs(off) <= CLOCK_OFF then
    return finding("clock", "ok", "agrees with the server's")
  end
  return finding("clock", "warn", ("is %d s %s the server's"):format(math.abs(off),
    off > 0 and "ahead of" or "behind"), "set it (timedatectl set-ntp true)")
end

local function reach_failed(base, e)
  if e.code == "tls" then
    return finding("network", "fail", ("%s: %s"):format(public(base), e.message),
      "check the clock, and SSL_CERT_FILE if a proxy here replaces certificates")
  end
  return finding("network", "warn", ("cannot reach %s: %s"):format(public(base),
    e.message), "check the connection and the proxy; rushes run --sim needs neither")
end

--- Reach the provider, without the key; its answer tells the time.
---@async
function M.network()
  local provider = require "rushes.provider.runway"
  local base, origin = config.get(provider.base_env)
  base = base or provider.base
  local from = origin and (" (%s)"):format(provider.base_env) or ""
  if not config.origin(base) then
    return finding("network", "fail", ("%s is no http(s) address%s"):format(public(base),
      from), "unset it, or put it right")
  end
  local net = require "rt.net"
  local client, e = net.client { base = base }
  if not client then return reach_failed(base, e) end
  local resp
  resp, e = net.request(client, { method = "GET", path = "/" },
    { retry = { attempts = 1 }, timeout = 10 })
  if not resp then return reach_failed(base, e) end
  return finding("network", "ok", "reached " .. public(base) .. from),
    clock(resp.headers.date)
end

-- ---- the machine ----

local GB = 1e9

local function disk_of(path, name)
  local free, all = sys.disk(path)
  if not free then return finding("disk", "fail", all.message) end
  local what = ("%s free of %s in %s"):format(text.bytes(free), text.bytes(all), name)
  if free < GB / 5 then
    return finding("disk", "fail", what, "clips need room: free some")
  elseif free < 5 * GB then
    return finding("disk", "warn", what, "a clip takes 2 to 20 MB")
  end
  return finding("disk", "ok", what)
end

function M.disk() return disk_of(".", "this folder") end

function M.files()
  local soft, hard = sys.open_files()
  if soft < 1024 then
    return finding("files", "warn", ("%.0f open files at most (hard limit %.0f)"):format(
      soft, hard), "raise it for hundreds of takes at once: ulimit -n 4096")
  end
  return finding("files", "ok", soft == math.huge and "no limit on open files"
    or ("%.0f open files at most"):format(soft))
end

function M.terminal()
  local locale = config.get "LC_ALL" or config.get "LC_CTYPE" or config.get "LANG" or "C"
  if locale:lower():find "utf%-?8" then
    return finding("terminal", "ok", "UTF-8 (" .. locale .. ")")
  end
  return finding("terminal", "warn", ("the locale %s is not UTF-8: bars and names may"
    .. " look wrong"):format(locale), "export LANG=C.UTF-8")
end

-- ---- programs and libraries ----

local INSTALL = "apt-get install ffmpeg"

--- ffmpeg must be able to write the simulator's clips: H.264, with text drawn in.
---@async
local function tool(name, needs)
  local result, e = proc.run { name, "-version" }
  if not result then
    return finding(name, "warn", e.code == "not_found" and "is not installed: no clips"
      .. " from the simulator, no checks of clips" or e.message, INSTALL)
  elseif result.code ~= 0 then
    return finding(name, "warn", "does not run: " .. (result.stderr:match "[^\n]+"
      or ("exit status " .. result.code)), INSTALL)
  end
  for _, option in ipairs(needs) do
    if not result.stdout:find("--enable-" .. option, 1, true) then
      return finding(name, "warn", ("was built without %s"):format(option),
        "install one with it: " .. INSTALL)
    end
  end
  return finding(name, "ok", result.stdout:match "version (%S+)" or "is there")
end

function M.ffmpeg() return tool("ffmpeg", { "libx264", "libfreetype" }) end

function M.ffprobe() return tool("ffprobe", {}) end

local OLDEST_CURL = "7.85"

local function older(version, than)
  local a, b = version:match "(%d+)%.(%d+)"
  local x, y = than:match "(%d+)%.(%d+)"
  a, b, x, y = tonumber(a), tonumber(b), tonumber(x), tonumber(y)
  return not a or a < x or a == x and b < y
end

function M.libraries()
  local v = sys.versions()
  local curl = v.libcurl:match "libcurl/(%S+)" or v.libcurl
  local line = ("rushes %s, Lua %s, libuv %s, libcurl %s, libmicrohttpd %s, libcrypto %s,"
    .. " SQLite %s"):format(v.rushes, v.lua, v.libuv, curl, v.libmicrohttpd, v.libcrypto,
    v.sqlite)
  for _, name in ipairs { "libcurl", "libmicrohttpd", "libcrypto", "sqlite" } do
    if v[name]:find "^missing" then
      return finding("versions", "fail", line, "apt-get install libcurl4"
        .. " libmicrohttpd12 libssl3 libsqlite3-0")
    end
  end
  if older(curl, OLDEST_CURL) then
    return finding("versions", "fail", line, "libcurl must be 7.85 or newer")
  end
  return finding("versions", "ok", line)
end

--- Every check, in order.
---@async
---@param opts {offline?: boolean}
---@return rushes.cli.Finding[]
function M.all(opts)
  local list = {}
  local function add(...)
    for _, one in ipairs { ... } do list[#list + 1] = one end
  end
  add(M.libraries())
  add(M.key())
  add(M.certificates())
  add(M.proxy())
  if not opts.offline then add(M.network()) end
  add(M.disk())
  add(M.files())
  add(M.terminal())
  add(M.ffmpeg())
  add(M.ffprobe())
  return list
end

return M
