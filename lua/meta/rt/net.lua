---@meta rt.net
-- Made by tools/meta.lua: do not edit.

-- HTTP for scripts and providers. All of these wait in the running task and return
-- a value, or nil and an error; `err.sent` tells whether a byte of the request may
-- have left. How it works inside: docs/internals/http.md.
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

local SECRET = {}

--- A key that C keeps. Requests of a client that has it carry it when their origin
--- is in `origins`, and no other. The variable is wiped from the environment.
---@param o {env?: string, value?: string, header?: string, scheme?: string,
---  origins: string[]}  header "Authorization", scheme "Bearer"
---@return userdata? secret
---@return rt.Err? err  code "auth" if the variable is not set
function M.secret(o) end

--- A short mark of a secret, by which another one is told from it: the start of SHA-256
--- of `salt` and value. The value cannot be found out from it. Does not wait.
---@param secret userdata  of `net.secret`
---@param salt string
---@return string  8 hexadecimal digits
function M.mark(secret, salt) end

local CLIENT = {}

--- How requests to one service go. Requests beyond `slots` wait in line here.
---@param o {base?: string, headers?: table<string, string>, secret?: userdata,
---  slots?: integer, downloads?: integer, timeout?: number, max_body?: integer,
---  insecure_http?: boolean}  slots 32, downloads at once from one host 8, timeout 60 s,
---  answers up to 16 MB; plain http goes to this machine only, unless insecure_http
---@return userdata? client
---@return rt.Err? err
function M.client(o) end

--- Send a request once. It is never repeated once a byte of it may have left, not by
--- us and not by libcurl. Every answer of the server is an answer, a 500 too.
---@async
---@param client userdata
---@param req rt.net.Request
---@return rt.net.Answer? answer
---@return rt.Err? err  with `sent`: false only if nothing can have left
function M.submit(client, req) end

local PASSING = {}

local SAFE = {}

--- Send a request, again if `opts.retry` says so. What is not GET or HEAD is repeated
--- only if nothing can have left, or for the answers listed in `retry.statuses`.
---@async
---@param client userdata
---@param req rt.net.Request
---@param opts? {retry?: rt.retry.Opts|true}  retry.statuses: a list; default for GET
---  and HEAD 408, 429, 500, 502, 503, 504
---@return rt.net.Answer? answer  of the last try
---@return rt.Err? err
function M.request(client, req, opts) end

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
function M.poll(client, req, opts) end

local DOWNLOAD = {}

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
function M.download(client, url, path, opts) end

--- What the program has asked of the network so far.
---@return {submits: integer, polls: integer, requests: integer, downloads: integer,
---  connections: integer}
M.stats = nil

--- A body of JSON in which placeholders `data:<mime>;rushes=<n>` become data URIs,
--- encoded in C while they are sent.
M.body = nil

return M
