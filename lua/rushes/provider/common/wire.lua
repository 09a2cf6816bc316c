--- What the provider modules share: reading answers that cannot be trusted, and turning
--- them into errors a person can read. Nothing here raises, whatever the bytes are, and
--- nothing that leaves here holds a key or a signed query.
local err = require "rt.err"
local json = require "rt.json"
local text = require "rushes.catalog.text"

local M = {}

local MOST_CREDITS = 1e9 -- above this an answer is not a price

-- The error's code is for programs and its class for retry rules: docs/providers.md.
local CODE = { auth = "auth", invalid = "invalid", asset = "invalid" }

---@param class string  one of the failure classes
---@param message string
---@param fields? table
---@return rt.Err
function M.fail(class, message, fields)
  local e = err.new(CODE[class] or "provider", message, fields)
  e.class = class
  return e
end

--- The JSON of an answer, or nil when it has none. A table always.
---@param resp table
---@return table?
function M.json(resp)
  if type(resp) ~= "table" then return nil end
  if type(resp.json) == "table" then return resp.json end
  local body = resp.body
  if type(body) ~= "string" or not body:find "^%s*[{%[]" then return nil end
  local value = json.decode(body)
  return type(value) == "table" and value or nil
end

--- Text from outside as part of a sentence: one line, printable, short, and without
--- anything that opens a door (keys, tokens, URL queries, data URIs).
---@param s any
---@param most? integer  bytes, 240 unless told
---@return string
function M.plain(s, most)
  if type(s) ~= "string" then return "" end
  most = most or 240
  if not utf8.len(s) then s = s:gsub("[\x80-\xFF]", "?") end
  s = s:sub(1, 4 * most)
    :gsub("data:%w+/[%w.+-]+[^%s\"'<>]*", "data:…")
    :gsub("(%a[%w+.-]*://[^%s\"'<>?#]*)[?#][^%s\"'<>]*", "%1?…")
    :gsub("(%a[%w+.-]*://)[^%s\"'<>/@]*@", "%1")
    :gsub("[Bb]earer%s+%S+", "Bearer …")
    :gsub("key_%w+", "key_…")
    :gsub("[%c%s]+", " "):gsub("^ ", ""):gsub(" $", "")
  if not utf8.len(s) then s = s:gsub("[\x80-\xFF]", "?") end
  if #s > most then s = s:sub(1, utf8.offset(s, 0, most) - 1) .. "…" end
  return s
end

--- The number of thousandths in an amount of credits, or nil for what is no amount.
---@param credits any
---@return integer?
function M.thousandths(credits)
  if type(credits) ~= "number" or credits ~= credits then return nil end
  if credits < 0 or credits > MOST_CREDITS then return nil end
  return math.floor(credits * 1000 + 0.5)
end

--- Like `t[k1][k2]…`, nil as soon as something on the way is no table.
function M.dig(t, ...)
  for i = 1, select("#", ...) do
    if type(t) ~= "table" then return nil end
    t = t[(select(i, ...))]
  end
  return t
end

--- A header by its lower-case name.
function M.header(resp, name)
  local v = M.dig(resp, "headers", name)
  return type(v) == "string" and v or nil
end

--- Seconds the peer asks us to wait, at most a day.
---@param resp table
---@return number?
function M.retry_after(resp)
  local wait = tonumber(M.header(resp, "retry-after") or "")
  if not wait or wait ~= wait or wait < 0 then return nil end
  return math.min(wait, 86400)
end

local function page_title(resp)
  local body = type(resp.body) == "string" and resp.body or ""
  local kind = M.header(resp, "content-type") or ""
  if not kind:find("html", 1, true) and not body:find "^%s*<" then return nil end
  local title = body:sub(1, 4096):match "<[Tt][Ii][Tt][Ll][Ee][^>]*>(.-)</"
  title = M.plain(title, 80)
  return title ~= "" and ('a web page, "%s"'):format(title) or "a web page"
end

local SAYING = { "error", "message", "detail", "failure_reason" }

local function first_text(answer)
  for _, key in ipairs(SAYING) do
    local v = answer[key]
    if type(v) == "table" then v = v.message end
    if type(v) == "string" and v ~= "" then return v end
  end
end

--- What an answer says, in one short line, or nil when it says nothing.
---@param resp table
---@return string?
function M.says(resp)
  if type(resp) ~= "table" then return nil end
  local answer = M.json(resp)
  local said = answer and first_text(answer)
  if said then return M.plain(said) end
  if answer then return nil end
  local page = page_title(resp)
  if page then return page .. " instead of JSON" end
  local body = M.plain(resp.body, 80)
  return body ~= "" and body or nil
end

--- The status as a whole number, or nil.
function M.status(resp)
  local s = type(resp) == "table" and resp.status
  return math.type(s) == "integer" and s or nil
end

--- Statuses that mean the same at every provider. `who` names it, `key_env` its key.
--- 500 and 504 leave the outcome of a paid call `unknown`; 502, 503 and a plain 429 are
--- the peer's word that it did nothing, so the same call may be sent again (`resend`).
---@param resp table
---@param who string
---@param key_env string
---@return rt.Err
function M.error(resp, who, key_env)
  local status, said = M.status(resp), M.says(resp)
  local tail = said and (": " .. said) or ""
  local fields = { status = status, retry_after = M.retry_after(resp),
    retryable = false }
  local function fail(class, sentence) return M.fail(class, sentence .. tail, fields) end
  if not status then
    fields.unknown = type(resp) ~= "table" or resp.sent ~= false
    fields.resend = not fields.unknown
    fields.retryable = fields.resend
    return fail("unavailable", ("%s did not answer"):format(who))
  elseif status == 401 then
    return fail("auth", ("%s does not accept the key (401); check %s"):format(who,
      key_env))
  elseif status == 403 then
    return fail("auth", ("%s does not let this account do that (403)"):format(who))
  elseif status == 402 then
    return fail("quota", ("%s wants payment first (402)"):format(who))
  elseif status == 429 then
    fields.retryable, fields.resend = true, true
    return fail("unavailable", ("%s asks to slow down (429)"):format(who))
  elseif status >= 500 then
    fields.resend = status == 502 or status == 503
    fields.retryable, fields.unknown = fields.resend, not fields.resend
    return fail("unavailable", ("%s is not available (%d)"):format(who, status))
  elseif status == 404 then
    return fail("expired", ("%s does not know that address or task (404)"):format(who))
  elseif status >= 400 then
    return fail("invalid", ("%s refused the request (%d)"):format(who, status))
  end
  fields.unknown = true
  return fail("unknown", ("%s answered %d, which rushes cannot use"):format(who, status))
end

--- The error of an answer to a poll. `final` says that asking again is of no use.
---@param resp table
---@param e rt.Err
---@return rt.Err
function M.poll_error(resp, e)
  local status = M.status(resp)
  e.unknown, e.resend = nil, nil -- nothing was bought by asking
  e.final = status ~= nil and status >= 400 and status < 500 and status ~= 408
    and status ~= 429
  return e
end

--- An id that can stand in a URL's path as it is.
---@param id any
---@return boolean
function M.usable_id(id)
  return type(id) == "string" and #id <= 128 and id:find "^[%w][%w_-]*$" ~= nil
end

-- A host, then neither blanks nor control characters. Anchored, and ranges instead of
-- classes: signed URLs are long, and this is tried for every byte of them.
local URL = "^https?://[!-.0-~\x80-\xFF][!-~\x80-\xFF]*$"

local function add_output(out, v)
  if type(v) == "table" then v = v.url end
  if type(v) ~= "string" or #v > 8192 or not v:find(URL) then return end
  out[#out + 1] = { url = v }
end

--- Outputs as a list of {url}, from a string, a list, or a table with `url`.
---@param output any
---@return table[]
function M.outputs(output)
  local out = {}
  if type(output) ~= "table" or output.url then
    add_output(out, output)
  else
    for _, v in ipairs(output) do add_output(out, v) end
  end
  return out
end

local NONE = {}
local STAND_IN = { image = "image/png", video = "video/mp4" }

--- The address of a job's file. The host has filled it in, or the script gave a URL.
--- While planning, a file that has none yet is stood in for by a placeholder of its kind,
--- which tells its content: a hash, or what an earlier call will have made.
---@param file table  an entry of a job's `images` or `assets`
---@param planning? boolean
---@return string?
function M.uri(file, planning)
  if type(file.uri) == "string" then return file.uri end
  local given = file.image
  local stored = type(given) == "table" and given or NONE
  local v = stored.url or given
  if type(v) == "string" and v:find "^%a[%w+.-]*:" then return v end
  if not planning then return nil end
  return ("data:%s;rushes=%s"):format(stored.type or STAND_IN[file.media or "image"],
    stored.hash or file.made or "0")
end

--- Unknown keys of a script's table are refused, with what was probably meant.
---@param t table
---@param known string[]
---@param what string  what the table is, for the sentence
---@return rt.Err?
function M.unknown_key(t, known, what)
  local set = {}
  for _, k in ipairs(known) do set[k] = true end
  for k in pairs(t) do
    if not set[k] then
      return M.fail("invalid", ("%s does not know %s%s; it knows %s"):format(what,
        text.show(k), text.hint(k, known), table.concat(known, ", ")))
    end
  end
end

--- The sentences of a list of issues as one error.
---@param issues rushes.catalog.Issue[]
---@return rt.Err
function M.issues(issues)
  local seen, out = {}, {}
  for _, issue in ipairs(issues) do
    if not seen[issue.sentence] then
      seen[issue.sentence] = true
      out[#out + 1] = issue.sentence
    end
  end
  local more = #out - 3
  local message = table.concat(out, "; ", 1, math.min(#out, 3))
  if more > 0 then message = ("%s; and %d more"):format(message, more) end
  return M.fail("invalid", message, { issues = issues })
end

return M
