--- The rig of the benchmark: servers, runs, medians, tables and verdicts.
--- Plain lua5.4 and a shell; it knows no section.
local M = {}

---@class bench.Run  one run: the client's own line and what `measure` saw
---@field wall_s number
---@field cpu_s number
---@field peak_rss_mb number
---@field stats table<string, number>  the server's counters afterwards

local state = { verdicts = {}, handles = {} }

local function quote(s)
  return "'" .. tostring(s):gsub("'", "'\\''") .. "'"
end

---@param argv string[]
---@return string
local function command(argv)
  local parts = {}
  for i, a in ipairs(argv) do parts[i] = quote(a) end
  return table.concat(parts, " ")
end

--- Run a shell line; its output without the last newline, or nil when it failed.
function M.sh(line)
  local p = assert(io.popen(line, "r"))
  local out = p:read("a")
  return p:close() and (out:gsub("\n$", "")) or nil
end

function M.exists(path)
  local f = io.open(path, "r")
  if f then f:close() end
  return f ~= nil
end

-- nginx is a daemon to Debian, and users do not look there.
local PATH = "PATH=$PATH:/usr/sbin "

function M.have(program)
  return M.sh(PATH .. "command -v " .. quote(program) .. " 2>/dev/null") ~= nil
end

--- The numbers of one flat line of JSON.
---@param line string?
---@return table<string, number>
local function numbers(line)
  local t = {}
  for k, v in (line or ""):gmatch('"([%w_]+)":(%-?[%d.]+[eE]?[-+]?%d*)') do
    t[k] = tonumber(v)
  end
  return t
end

--- Where everything lies, and which core belongs to whom.
---@param opts {build: string, rounds: integer}
function M.open(opts)
  state.build, M.rounds = opts.build, opts.rounds
  local shm = M.sh("test -w /dev/shm && df -t tmpfs /dev/shm >/dev/null 2>&1 && echo yes")
  state.tmp = M.sh("mktemp -d " .. (shm and "/dev/shm" or "/tmp") .. "/rushes-bench.XXXXXX")
  state.shm = shm
  -- However this process ends, its pipe closes and gigabytes of memory come free.
  state.cleaner = io.popen("trap '' INT TERM; cat >/dev/null; rm -rf " .. quote(state.tmp), "w")
  state.cores = tonumber(M.sh("nproc"))
  state.pin = state.cores >= 2 and M.have("taskset")
  state.log = assert(io.open(state.build .. "/bench/runs.jsonl", "w"))
  if not shm then M.say("note: /dev/shm is not a tmpfs here; outputs go to a disk") end
  if not state.pin then M.say("note: one core, or no taskset: nothing is pinned") end
end

function M.close()
  for handle, stop in pairs(state.handles) do
    stop()
    handle:close()
  end
  state.handles = {}
  if state.cleaner then state.cleaner:close() end
  if state.log then state.log:close() end
end

function M.say(format, ...)
  io.stdout:write(select("#", ...) > 0 and format:format(...) or format, "\n")
  io.stdout:flush()
end

---@param core 0|1|nil  nil: not pinned
---@param argv string[]
local function pinned(core, argv)
  if not state.pin or not core then return argv end
  return { "taskset", "-c", core, table.unpack(argv) }
end

--- Start a program that prints something on its first line and stays.
local function start(argv, stop)
  local handle = assert(io.popen(PATH .. "exec " .. command(argv), "r"))
  state.handles[handle] = stop
  return handle
end

local function finish(handle)
  local stop = state.handles[handle]
  state.handles[handle] = nil
  stop()
  handle:close()
end

---@param args string[]
function M.server(args)
  local server = {}
  local argv = { state.build .. "/bench/server", "--die-with-parent" }
  table.move(args, 1, #args, #argv + 1, argv)
  local handle = start(pinned(1, argv), function()
    os.execute("curl -s -X POST " .. server.base .. "/__quit")
  end)
  server.port = assert(tonumber(handle:read("l")), "the bench server did not start")
  server.base = "http://127.0.0.1:" .. server.port
  function server.stats()
    return numbers(M.sh("curl -s " .. server.base .. "/__stats"))
  end
  function server.stop() finish(handle) end
  return server
end

local NGINX = [[
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  access_log off; client_body_temp_path tmp; proxy_temp_path tmp;
  fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  keepalive_requests 100000000; client_max_body_size 32m;
  upstream bench { server 127.0.0.1:%d; keepalive 512; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:%d ssl%s; ssl_protocols TLSv1.3;
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    location / {
      proxy_pass http://bench; proxy_http_version 1.1; proxy_buffering on;
      proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto https;
    }
  }
}
]]

--- nginx as the TLS end in front of a server; nil and why when there is none.
---@param server table
---@param h2 boolean
function M.proxy(server, h2)
  for _, program in ipairs { "nginx", "openssl", "setpriv" } do
    if not M.have(program) then return nil, program .. " is not installed" end
  end
  local dir = state.tmp .. "/nginx"
  local port = M.sh(state.build .. "/bench/server --probe-port")
  os.execute("mkdir -p " .. dir .. "/tmp")
  M.sh("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=bench " ..
    "-addext subjectAltName=IP:127.0.0.1 -keyout " .. dir .. "/key.pem -out " ..
    dir .. "/cert.pem 2>/dev/null")
  local conf = assert(io.open(dir .. "/nginx.conf", "w"))
  conf:write(NGINX:format(server.port, tonumber(port), h2 and " http2" or ""))
  conf:close()
  local argv = { "setpriv", "--pdeathsig", "TERM", "nginx", "-p", dir, "-c",
    dir .. "/nginx.conf", "-e", "stderr" }
  local handle = start(pinned(1, argv), function()
    os.execute("kill $(cat " .. dir .. "/nginx.pid) 2>/dev/null")
  end)
  local proxy = { base = "https://127.0.0.1:" .. port, cacert = dir .. "/cert.pem" }
  function proxy.stop() finish(handle) end
  local up = M.sh(("curl -s --retry 5 --retry-connrefused --cacert %s %s/__stats"):format(
    proxy.cacert, proxy.base))
  if not up then
    proxy.stop()
    return nil, "nginx did not start"
  end
  return proxy
end

--- A client's own complaint, for the reader of the table.
local function complaint(path)
  local f = io.open(path, "r")
  local text = f and f:read("a") or ""
  if f then f:close() end
  return text:sub(-400):gsub("\n$", "")
end

--- Run a command and measure it from outside.
---@param argv string[]
---@param opts? {unpinned?: boolean, env?: string, keep?: boolean}
---@return bench.Run
function M.measure(argv, opts)
  opts = opts or {}
  local tmp = state.tmp
  local full = { state.build .. "/bench/measure", tmp .. "/measured" }
  table.move(argv, 1, #argv, #full + 1, full)
  local core = not opts.unpinned and 0 or nil
  if not opts.keep then os.execute("rm -rf " .. tmp .. "/out; mkdir " .. tmp .. "/out") end
  local line = M.sh(("%s %s 2>%s/err"):format(opts.env or "",
    command(pinned(core, full)), tmp))
  local run = numbers(line and line:match("[^\n]*$"))
  for k, v in pairs(numbers(M.sh("cat " .. tmp .. "/measured"))) do run[k] = v end
  assert(run.wall_s, "could not run: " .. command(argv))
  run.cpu_s = run.user_s + run.sys_s
  run.complaint = complaint(tmp .. "/err")
  return run
end

--- Memory for the outputs of one run that stays ours between the runs (keep.c).
---@param mb integer
function M.ballast(mb)
  if not state.shm or mb <= (state.kept or 0) then return end
  local free = tonumber(M.sh("awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo"))
  if free < mb * 2 then
    M.say("note: %d MB of memory are free, too few to keep %d; figures will drift", free, mb)
    return
  end
  local keep = ("%s/bench/keep %s/kept %d"):format(state.build, state.tmp, mb)
  if os.execute(keep) then state.kept = mb end
end

function M.out() return state.tmp .. "/out" end
function M.tmp() return state.tmp end

--- One run of a client against a fresh server.
---@param client bench.Client
---@param args string[]
---@param opts {server: string[], tls?: "h1"|"h2", unpinned?: boolean}
---@return bench.Run
function M.run(client, args, opts)
  local server = M.server(opts.server)
  local base, env, proxy = server.base, "RUNWAYML_API_SECRET=key_" .. ("0"):rep(128), nil
  local argv = table.move(client.argv, 1, #client.argv, 1, {})
  if opts.tls then
    proxy = assert(M.proxy(server, opts.tls == "h2"))
    base = proxy.base
    env = env .. (" CURL_CA_BUNDLE=%s SSL_CERT_FILE=%s NODE_EXTRA_CA_CERTS=%s"):format(
      proxy.cacert, proxy.cacert, proxy.cacert)
    table.move({ "--cacert", proxy.cacert }, 1, 2, #argv + 1, argv)
  end
  table.move({ "--base", base, "--out", M.out() }, 1, 4, #argv + 1, argv)
  table.move(args, 1, #args, #argv + 1, argv)
  local run = M.measure(argv, { unpinned = opts.unpinned, env = env })
  run.stats = server.stats()
  if proxy then proxy.stop() end
  server.stop()
  state.log:write(('{"client":"%s","args":"%s"'):format(client.name, table.concat(args, " ")))
  for k, v in pairs(run) do
    if type(v) == "number" then state.log:write((',"%s":%.14g'):format(k, v)) end
  end
  state.log:write("}\n")
  return run
end

--- Whether a client can run here; says why not, once.
---@param client bench.Client
function M.present(client)
  for _, path in ipairs(client.needs) do
    if not M.exists(path) then
      if not state[client.name] then
        M.say("note: %s is left out: there is no %s", client.name, path)
      end
      state[client.name] = true
      return false
    end
  end
  return true
end

--- Interleaved: A B A B ...; a client may ask for fewer rounds.
---@param list {client: bench.Client, key: string, rounds?: integer, run: fun(): bench.Run}[]
---@return table<string, bench.Run[]>
function M.rounds_of(list)
  local runs = {}
  for round = 1, M.rounds do
    for _, item in ipairs(list) do
      if round <= (item.rounds or M.rounds) and M.present(item.client) then
        runs[item.key] = runs[item.key] or {}
        table.insert(runs[item.key], item.run())
      end
    end
  end
  return runs
end

--- The middle value of a field, nil when nobody has it.
---@param runs bench.Run[]?
---@param field string|fun(run: bench.Run): number?
---@return number?
function M.median(runs, field)
  local values = {}
  for _, run in ipairs(runs or {}) do
    local v
    if type(field) == "function" then v = field(run) else v = run[field] end
    if v then table.insert(values, v) end
  end
  if #values == 0 then return nil end
  table.sort(values)
  local mid = (#values + 1) // 2
  return #values % 2 == 1 and values[mid] or (values[mid] + values[mid + 1]) / 2
end

--- Compare with what was promised; nil values say that nothing was measured.
---@param what string
---@param value number?
---@param op "<="|">="
---@param target number
function M.verdict(what, value, op, target)
  local good
  if value then
    if op == "<=" then good = value <= target else good = value >= target end
  end
  local word = value == nil and "not measured" or good and "ok" or "MISSED"
  local text = ("%-58s %9s  (%s %g)  %s"):format(what,
    value and ("%.3g"):format(value) or "-", op, target, word)
  M.say("  -> %s", text)
  table.insert(state.verdicts, { text = text, good = good })
end

---@return integer missed
function M.summary()
  local missed = 0
  M.say("\n== all figures")
  for _, v in ipairs(state.verdicts) do
    M.say("%s", v.text)
    if v.good == false then missed = missed + 1 end
  end
  return missed
end

---@param a number?
---@param b number?
function M.ratio(a, b) return a and b and b > 0 and a / b or nil end

return M
