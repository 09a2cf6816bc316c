--- HTTP for scripts and providers. All of these wait in the running task and return
--- a value, or nil and an error; `err.sent` tells whether a byte of the request may
--- have left. How it works inside: docs/internals/http.md.
local body = require "rt.net_body"
local c = require "rt.c.net"
local err = require "rt.err"
local json = require "rt.json"
local retry = require "rt.retry"
local suggest = require "rt.suggest"
local task = require "rt.task"

local await = task.await

local M = {}

---@class rt.net.Request
---@field method? "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE"  default GET
---@field path? string     below the client's base, begins with "/"
---@field url? string      or a whole URL
---@field headers? table<string, string>  replace the client's of the same name
---@field body? string|userdata  bytes, or from `net.body`
---@field json? any        a value to send as JSON
---@field files? table<string, rt.net.File>  for placeholders in `json`, see `net.body`
---@field form? rt.net.Field[]  to send as multipart/form-data
---@field timeout? number  seconds from its start to its end, default the client's
---@field max_body? integer  longest answer in bytes, default the client's
---@field auth? boolean    false leaves the secret out

---@class rt.net.Answer
---@field status integer
---@field body string
---@field headers table<string, string>  names in lower case
---@field json? any        the body as JSON; nil if it is none
---@field url string       where the answer came from, without its query
---@field sent boolean     true
---@field retry_after? number  seconds
---@field digest? integer  of the body, for the next `net.poll`

-- What an answer holds only when somebody asks; [1] is the URL and the head.
local lazy = {
  headers = function(answer) return c.headers(answer[1]) end,
  url = function(answer) return answer[1]:match "^[^\n]*" end,
  json = function(answer)
    if answer.body:find "^%s*[%[{\"]" then return (json.decode(answer.body)) end
  end,
}

c.answer_meta {
  __name = "rt.net.Answer",
  __index = function(answer, key)
    local make = lazy[key]
    local value = make and make(answer)
    if value ~= nil then rawset(answer, key, value) end
    return value
  end,
}

---@param what string
---@param options any
---@param allowed string[]
local function check_options(what, options, allowed)
  if type(options) ~= "table" then
    error(("%s wants a table, not a %s"):format(what, type(options)), 3)
  end
  for key in pairs(options) do
    local known = false
    for i = 1, #allowed do known = known or allowed[i] == key end
    if not known then
      local near = suggest.nearest(key, allowed)
      error(("%s has no option %q%s"):format(what, tostring(key),
        near and (", did you mean %q?"):format(near) or ""), 3)
    end
  end
end

---@param headers table<string, string>
---@return string[] lines  sorted, so that requests are the same each time
local function header_lines(headers)
  local lines = {}
  for name, value in pairs(headers) do
    if type(name) ~= "string" or not name:find "^[%w!#$%%&'*+.^_`|~-]+$"
      or type(value) ~= "string" or value:find "[%c]" then
      error(("header %s must be a name and a text of one line"):format(tostring(name)), 3)
    end
    lines[#lines + 1] = name .. ": " .. value
  end
  table.sort(lines)
  return lines
end

local SECRET = { "env", "value", "header", "scheme", "origins" }

--- A key that C keeps. Requests of a client that has it carry it when their origin
--- is in `origins`, and no other. The variable is wiped from the environment.
---@param o {env?: string, value?: string, header?: string, scheme?: string,
---  origins: string[]}  header "Authorization", scheme "Bearer"
---@return userdata? secret
---@return rt.Err? err  code "auth" if the variable is not set
function M.secret(o)
  check_options("net.secret", o, SECRET)
  if (o.env == nil) == (o.value == nil) then
    error("net.secret needs either env or value", 2)
  end
  if type(o.origins) ~= "table" or #o.origins == 0 then
    error("net.secret needs origins: a list like { \"https://host\" }", 2)
  end
  return c.secret { env = o.env, value = o.value, header = o.header or "Authorization",
    scheme = o.scheme or "Bearer", origins = o.origins }
end

--- A short mark of a secret, by which another one is told from it: the start of SHA-256
--- of `salt` and value. The value cannot be found out from it. Does not wait.
---@param secret userdata  of `net.secret`
---@param salt string
---@return string  8 hexadecimal digits
function M.mark(secret, salt) return c.mark(secret, salt) end

local CLIENT = { "base", "headers", "secret", "slots", "downloads", "timeout", "max_body",
  "insecure_http" }

local at_once = setmetatable({}, { __mode = "k" }) -- client -> downloads at once

--- How requests to one service go. Requests beyond `slots` wait in line here.
---@param o {base?: string, headers?: table<string, string>, secret?: userdata,
---  slots?: integer, downloads?: integer, timeout?: number, max_body?: integer,
---  insecure_http?: boolean}  slots 32, downloads at once from one host 8, timeout 60 s,
---  answers up to 16 MB; plain http goes to this machine only, unless insecure_http
---@return userdata? client
---@return rt.Err? err
function M.client(o)
  check_options("net.client", o, CLIENT)
  local client, e = c.client { base = o.base, secret = o.secret, slots = o.slots,
    headers = header_lines(o.headers or {}), timeout = o.timeout, max_body = o.max_body,
    insecure_http = o.insecure_http }
  if not client then return nil, e end
  at_once[client] = o.downloads
  return client
end

local function copy_with(req, headers)
  local copy = {}
  for k, v in pairs(req) do copy[k] = v end
  copy.headers = {}
  for k, v in pairs(req.headers or {}) do copy.headers[k] = v end
  for k, v in pairs(headers) do copy.headers[k] = v end
  return copy
end

--- What to send: the request, its data, whether that is JSON. Or nil and an error.
local function prepare(req)
  if req.form then
    local data, kind = body.form(req.form)
    if not data then return nil, kind end
    return copy_with(req, { ["Content-Type"] = kind }), data, false
  end
  if req.json ~= nil then
    local text = json.encode(req.json)
    if not req.files or not next(req.files) then return req, text, true end
    local data, e = body.json(text, req.files)
    if not data then return nil, e end
    return req, data, true
  end
  return req, req.body, type(req.body) == "userdata"
end

local function exchange(client, req, class)
  local request, data, is_json = prepare(req)
  if not request then return nil, data end
  return await(c.exchange(client, request, class, data, is_json))
end

--- Send a request once. It is never repeated once a byte of it may have left, not by
--- us and not by libcurl. Every answer of the server is an answer, a 500 too.
---@async
---@param client userdata
---@param req rt.net.Request
---@return rt.net.Answer? answer
---@return rt.Err? err  with `sent`: false only if nothing can have left
function M.submit(client, req) return exchange(client, req, "submit") end

local PASSING = { [408] = true, [429] = true, [500] = true, [502] = true, [503] = true,
  [504] = true }
local SAFE = { GET = true, HEAD = true }

--- An answer that is worth another try, as an error.
local function not_now(answer)
  return err.new("http", ("the answer was HTTP %d"):format(answer.status),
    { retryable = true, status = answer.status, retry_after = answer.retry_after,
      answer = answer })
end

--- Send a request, again if `opts.retry` says so. What is not GET or HEAD is repeated
--- only if nothing can have left, or for the answers listed in `retry.statuses`.
---@async
---@param client userdata
---@param req rt.net.Request
---@param opts? {retry?: rt.retry.Opts|true}  retry.statuses: a list; default for GET
---  and HEAD 408, 429, 500, 502, 503, 504
---@return rt.net.Answer? answer  of the last try
---@return rt.Err? err
function M.request(client, req, opts)
  local policy = opts and opts.retry
  if not policy then return exchange(client, req, "request") end
  if policy == true then policy = {} end
  local passing = SAFE[req.method or "GET"] and PASSING or {}
  if policy.statuses then
    passing = {}
    for _, status in ipairs(policy.statuses) do passing[status] = true end
  end
  local answer, e = retry.call(function()
    local got, why = exchange(client, req, "request")
    if got and passing[got.status] then return nil, not_now(got) end
    return got, why
  end, policy)
  if answer then return answer end
  if e.answer then return e.answer end
  return nil, e
end

--- Ask again and again, in C, until the answer is news: its body is not the one whose
--- digest is `seen`, or its status is one that will not pass. Busy servers, broken
--- connections and HTML pages are ridden out until the deadline.
---@async
---@param client userdata
---@param req rt.net.Request  a GET
---@param opts? {first?: number, every?: number, deadline?: number, seen?: integer}
---  seconds: before the first time (default `every`), between two (5, give or take a
---  tenth), until it ends with code "timeout" (900)
---@return rt.net.Answer? answer  `answer.digest` is for the next call
---@return rt.Err? err
function M.poll(client, req, opts)
  local op = c.poll(client, req, opts) -- not as an argument: that takes a slot more
  return await(op)
end

local DOWNLOAD = { "max_bytes", "sha256", "on_progress", "attempts" }
local MAX_BYTES = 64 << 30
local ATTEMPTS = 6
local EVERY = 0.5 -- seconds between two calls of on_progress

local function await_with_progress(op, counter, report)
  local result
  task.scope(function(s)
    s:spawn(function()
      while not op:done() do
        task.sleep(EVERY)
        local bytes, total = c.counted(counter)
        if bytes > 0 then report(bytes, total) end
      end
    end)
    result = table.pack(await(op))
    s:cancel() -- the watcher only
  end)
  return table.unpack(result, 1, result.n)
end

--- Fetch a file. Either the whole of it is at `path` afterwards or nothing is.
---@async
---@param client userdata
---@param url string
---@param path string
---@param opts? {max_bytes?: integer, sha256?: boolean, on_progress?: fun(bytes: integer,
---  total?: integer), attempts?: integer}  max_bytes 64 GB; sha256 true; on_progress
---  every half second; attempts 6, in a row without a new byte
---@return {path: string, bytes: integer, sha256?: string, type?: string}? file
---@return rt.Err? err  code "expired": ask for a fresh URL; "no_space", "denied",
---  "too_large", "http", "network", "timeout", "tls"
function M.download(client, url, path, opts)
  opts = opts or {}
  check_options("net.download", opts, DOWNLOAD)
  local counter = opts.on_progress and c.counter()
  local op, e = c.download(client, url, path, opts.max_bytes or MAX_BYTES,
    opts.sha256 ~= false, at_once[client] or 8, counter or nil,
    opts.attempts or ATTEMPTS)
  if not op then return nil, e end
  if not counter then return await(op) end
  return await_with_progress(op, counter, opts.on_progress)
end

--- What the program has asked of the network so far.
---@return {submits: integer, polls: integer, requests: integer, downloads: integer,
---  connections: integer}
M.stats = c.stats

--- A body of JSON in which placeholders `data:<mime>;rushes=<n>` become data URIs,
--- encoded in C while they are sent.
M.body = body.json

return M
