---@meta rt.httpd
-- Made by tools/meta.lua: do not edit.

-- A small HTTP server for loopback: the simulator, the review page. A request is
-- read whole before a task of its own answers it.
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

---@class rt.httpd.Writer
local Writer = {}

---@class rt.httpd.Server
---@field port integer
local Server = {}

local TYPES = {}

---@class rt.httpd.Answer
---@field status? integer   default 200
---@field headers? table<string, string|number>
---@field body? string
---@field file? string      a path, instead of `body`
---@field rate? number      bytes per second
---@field truncate? integer bytes of the body after which the connection is cut

local ANSWER = {}

--- Answer the request and wait until the kernel has the whole answer. A file is sent
--- with ETag, Range, If-Range and If-None-Match as HTTP wants it.
--- `rate` is in bytes per second; `truncate` cuts the connection after so many bytes
--- of the promised body. HEAD gets the headers only.
---@async
---@param answer rt.httpd.Answer
---@return true?
---@return rt.Err? err  "network": the client has gone; "not_found": no such file, and
---                     the request can still be answered
function Request:respond(answer) end

--- Answer with a body of unknown length, to be written piece by piece.
---@param answer {status?: integer, headers?: table}
---@return rt.httpd.Writer?
---@return rt.Err?
function Request:stream(answer) end

--- Cut the connection, before, during or instead of an answer.
---@param how? "reset"|"close"  a TCP reset (default), or an ordinary close
function Request:abort(how) end

--- The whole body, wherever it is kept.
---@return string?
---@return rt.Err?
function Request:text() end

--- Send bytes; returns when the kernel has them.
---@async
---@param s string
---@return true?
---@return rt.Err?  "network": the client has gone
function Writer:write(s) end

--- End the stream.
---@async
---@return true?
---@return rt.Err?
function Writer:close() end

--- Answer requests, each in a task of its own, until the server is closed and the
--- last one has its answer. A request is over when its handler returns.
---@async
---@param handler async fun(req: rt.httpd.Request)
---@return true?
---@return rt.Err?
function Server:serve(handler) end

--- Stop listening; what is being answered gets `grace` seconds, then it is cut.
---@async
---@param grace? number  seconds, default 5
function Server:close(grace) end

local LISTEN = {}

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
function M.listen(o) end

return M
