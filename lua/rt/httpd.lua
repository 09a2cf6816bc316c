--- A small HTTP server for loopback: the simulator, the review page. A request is
--- read whole before a task of its own answers it.
local c = require "rt.c.httpd"
local log = require "rt.log"
local suggest = require "rt.suggest"
local task = require "rt.task"

local M = {}

---@class rt.httpd.Part
---@field name string
---@field filename? string
---@field type? string
---@field body? string    what was sent, if it is small
---@field file? string    a file with it otherwise; removed with the request, so
---                       rename it to keep it
---@field size integer    bytes

---@class rt.httpd.Request
---@field method string
---@field path string                     percent-decoded, without the query
---@field query table<string, string>
---@field headers table<string, string>   names in lower case
---@field body? string
---@field file? string    as for a part
---@field size integer    bytes of the body
---@field parts? rt.httpd.Part[]  a form's fields, in the order they were sent
local Request = {}
Request.__index = Request
Request.__name = "rt.httpd.Request"

---@class rt.httpd.Writer
local Writer = {}
Writer.__index = Writer
Writer.__name = "rt.httpd.Writer"

---@class rt.httpd.Server
---@field port integer
local Server = {}
Server.__index = Server
Server.__name = "rt.httpd.Server"

local TYPES = {
  css = "text/css", gif = "image/gif", html = "text/html; charset=utf-8",
  jpg = "image/jpeg", js = "text/javascript", json = "application/json",
  mov = "video/quicktime", mp3 = "audio/mpeg", mp4 = "video/mp4", png = "image/png",
  svg = "image/svg+xml", txt = "text/plain; charset=utf-8", wav = "audio/wav",
  webp = "image/webp", zip = "application/zip",
}

local function flat(headers, file)
  local list, has_type = {}, false
  for name, value in pairs(headers or {}) do
    list[#list + 1] = name
    list[#list + 1] = tostring(value)
    has_type = has_type or name:lower() == "content-type"
  end
  local kind = file and not has_type and TYPES[(file:match "%.(%w+)$" or ""):lower()]
  if kind then
    list[#list + 1] = "Content-Type"
    list[#list + 1] = kind
  end
  return list
end

---@class rt.httpd.Answer
---@field status? integer   default 200
---@field headers? table<string, string|number>
---@field body? string
---@field file? string      a path, instead of `body`
---@field rate? number      bytes per second
---@field truncate? integer bytes of the body after which the connection is cut

local ANSWER = { status = 1, headers = 1, body = 1, file = 1, rate = 1, truncate = 1 }

--- Answer the request and wait until the kernel has the whole answer. A file is sent
--- with ETag, Range, If-Range and If-None-Match as HTTP wants it.
--- `rate` is in bytes per second; `truncate` cuts the connection after so many bytes
--- of the promised body. HEAD gets the headers only.
---@async
---@param answer rt.httpd.Answer
---@return true?
---@return rt.Err? err  "network": the client has gone; "not_found": no such file, and
---                     the request can still be answered
function Request:respond(answer)
  suggest.check_keys("an answer", answer, ANSWER)
  local ok, e = task.await(self.handle:respond(answer.status or 200,
    flat(answer.headers, answer.file), answer.body, answer.file, answer.rate,
    answer.truncate))
  if ok or e.code == "network" then self.answered = true end
  return ok, e
end

--- Answer with a body of unknown length, to be written piece by piece.
---@param answer {status?: integer, headers?: table}
---@return rt.httpd.Writer?
---@return rt.Err?
function Request:stream(answer)
  suggest.check_keys("a stream", answer, { status = 1, headers = 1 })
  local ok, e = self.handle:stream(answer.status or 200, flat(answer.headers))
  if not ok then return nil, e end
  self.answered = true
  return setmetatable({ _request = self }, Writer)
end

--- Cut the connection, before, during or instead of an answer.
---@param how? "reset"|"close"  a TCP reset (default), or an ordinary close
function Request:abort(how)
  self.answered = true
  self.handle:abort(how ~= "close")
end

--- The whole body, wherever it is kept.
---@return string?
---@return rt.Err?
function Request:text()
  if self.body then return self.body end
  local f = assert(io.open(self.file, "rb"))
  local text = f:read "a"
  f:close()
  return text
end

local function written(request, ok, e)
  if not ok and e.code == "closed" and request.method == "HEAD" then return true end
  return ok, e
end

--- Send bytes; returns when the kernel has them.
---@async
---@param s string
---@return true?
---@return rt.Err?  "network": the client has gone
function Writer:write(s)
  if s == "" then return true end
  return written(self._request, task.await(self._request.handle:write(s)))
end

--- End the stream.
---@async
---@return true?
---@return rt.Err?
function Writer:close()
  return written(self._request, task.await(self._request.handle:finish()))
end

local function complain(request, e)
  log.error("httpd: %s %s: %s\n%s", request.method, request.path, e,
    type(e) == "table" and e.traceback or "")
end

local function answer_one(server, handler, request)
  local ok, e
  if server._deadline then
    ok, e = task.try(task.timeout, server._deadline, handler, request)
  else
    ok, e = task.try(handler, request)
  end
  if ok == nil and e then server._on_error(request, e) end
  if not request.answered then
    request:respond { status = 500, headers = { ["Content-Type"] = "application/json" },
      body = '{"error":"The server could not answer this request."}' }
  end
  request.handle:release() -- its files must not wait for the collector
end

--- Answer requests, each in a task of its own, until the server is closed and the
--- last one has its answer. A request is over when its handler returns.
---@async
---@param handler async fun(req: rt.httpd.Request)
---@return true?
---@return rt.Err?
function Server:serve(handler)
  return task.scope(function(s)
    while true do
      local request, e = task.await(self._c:accept())
      if not request then
        if e.code == "closed" then return true end
        return nil, e
      end
      setmetatable(request, Request)
      s:spawn(answer_one, self, handler, request)
    end
  end)
end

--- Stop listening; what is being answered gets `grace` seconds, then it is cut.
---@async
---@param grace? number  seconds, default 5
function Server:close(grace)
  task.timeout(grace or 5, function() return task.await(self._c:close()) end)
  self._c:cut()
end

local LISTEN = { host = 1, port = 1, max_body = 1, max_memory = 1, spool = 1, idle = 1,
  connections = 1, deadline = 1, on_error = 1 }

---@class rt.httpd.Options
---@field host? string        an address, default 127.0.0.1
---@field port? integer       default 0: any free one, see `server.port`
---@field max_body? integer   bytes, default 16 MB; more is answered 413
---@field max_memory? integer bytes of a request kept in memory, default 1 MB
---@field spool? string       folder for the rest, default TMPDIR
---@field idle? integer       seconds without traffic until a connection ends, default 60
---@field connections? integer  at most at once, default 4096
---@field deadline? number    seconds for one handler, default none
---@field on_error? fun(req: rt.httpd.Request, e: any)  default: a line on stderr

--- Listen on an address.
---@param o? rt.httpd.Options
---@return rt.httpd.Server?
---@return rt.Err?
function M.listen(o)
  o = o or {}
  suggest.check_keys("listen", o, LISTEN)
  local host = o.host == "localhost" and "127.0.0.1" or o.host or "127.0.0.1"
  local server, e = c.listen(host, o.port or 0, o.max_body or 16 << 20,
    o.max_memory or 1 << 20, o.spool or os.getenv "TMPDIR" or "/tmp", o.idle or 60,
    o.connections or 4096)
  if not server then return nil, e end
  return setmetatable({ _c = server, port = server:port(), host = host,
    _deadline = o.deadline, _on_error = o.on_error or complain }, Server)
end

return M
