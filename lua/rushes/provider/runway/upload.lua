--- Uploading a file to Runway: ask for a place, send the file there, use the runway://
--- address for a day. The storage checks that the form's parts come in the order in
--- which the API listed them, and decoded JSON has no order, so it is read off the text.
local catalog = require "rushes.catalog.runway"
local json = require "rt.json"
local wire = require "rushes.provider.common.wire"

local M = {}

local ENDING = { ["image/jpeg"] = "jpg", ["image/jpg"] = "jpg", ["image/png"] = "png",
  ["image/webp"] = "webp", ["video/mp4"] = "mp4", ["video/quicktime"] = "mov",
  ["video/webm"] = "webm", ["video/x-matroska"] = "mkv", ["audio/mpeg"] = "mp3",
  ["audio/wav"] = "wav", ["audio/flac"] = "flac", ["audio/mp4"] = "m4a" }

--- End of the JSON string that begins at `at`, or nil.
local function string_end(s, at)
  local i = at + 1
  while true do
    local stop = s:find('["\\]', i)
    if not stop then return nil end
    if s:byte(stop) == 34 then return stop end
    i = stop + 2
  end
end

--- Where the value of a top-level key begins.
local function value_of_key(s, wanted)
  local depth, at = 0, 1
  while true do
    at = s:find('["{}%[%]]', at)
    if not at then return nil end
    local c = s:sub(at, at)
    if c == '"' then
      local stop = string_end(s, at)
      if not stop then return nil end
      local colon = s:match("^%s*:()", stop + 1)
      if depth == 1 and colon and s:sub(at + 1, stop - 1) == wanted then return colon end
      at = stop + 1
    else
      depth = depth + ((c == "{" or c == "[") and 1 or -1)
      at = at + 1
    end
  end
end

--- The names of a flat object of strings, in the order in which they are written.
---@param s string
---@param key string  the object's name at the top level
---@return string[]?
function M.ordered_names(s, key)
  local at = value_of_key(s, key)
  at = at and s:match("^%s*{()", at)
  if not at then return nil end
  local names, is_name = {}, true
  while true do
    local stop
    at = s:find('["}{]', at)
    if not at or s:byte(at) == 123 then return nil end
    if s:byte(at) == 125 then return names end
    stop = string_end(s, at)
    if not stop then return nil end
    if is_name then
      local one = json.decode("[" .. s:sub(at, stop) .. "]")
      if type(one) ~= "table" or type(one[1]) ~= "string" then return nil end
      names[#names + 1] = one[1]
    end
    is_name, at = not is_name, stop + 1
  end
end

--- 3 to 255 characters with an extension, which the API asks for.
local function filename(file)
  local name = (file.name or file.path or "file"):match "[^/]*$"
  if not name:find "%.%w+$" then name = name .. "." .. (ENDING[file.type] or "bin") end
  if #name < 3 then name = "file" .. name end
  if #name > 200 then name = name:sub(-200) end
  return (name:gsub("[%c\"\\\x80-\xFF]", "_"))
end

local function ask(file)
  local limit = catalog.inputs.upload
  if file.bytes and (file.bytes < limit.min or file.bytes > limit.max) then
    return nil, wire.fail("asset", ("%s has %d bytes; an upload must have %d to %d")
      :format(filename(file), file.bytes, limit.min, limit.max))
  end
  return { method = "POST", path = "/v1/uploads", auth = true,
    json = { filename = filename(file), type = "ephemeral" } }
end

local function form_of(resp)
  local answer = wire.json(resp)
  local fields = wire.dig(answer, "fields")
  local url, uri = wire.dig(answer, "uploadUrl"), wire.dig(answer, "runwayUri")
  if type(fields) ~= "table" or type(url) ~= "string" or type(uri) ~= "string"
    or not url:find "^https?://[^/]" or not uri:find "^runway://" then return nil end
  local names = type(resp.body) == "string" and M.ordered_names(resp.body, "fields")
  if not names then return nil end
  local form = {}
  for i, name in ipairs(names) do
    if type(fields[name]) ~= "string" then return nil end
    form[i] = { name = name, value = fields[name] }
  end
  return form, url, uri
end

local function send(file, resp, refused)
  local status = wire.status(resp)
  if not status or status >= 300 then return nil, refused(resp) end
  local form, url, uri = form_of(resp)
  if not form then
    return nil, wire.fail("unavailable", "Runway's answer to an upload request has no "
      .. "usable address", { status = status, retryable = true })
  end
  -- The storage ignores whatever comes after the file.
  form[#form + 1] = { name = "file", file = file.path, filename = filename(file),
    type = file.type }
  file.upload = { uri = uri }
  return { method = "POST", url = url, form = form, auth = false }
end

local function stored(file, resp)
  local status = wire.status(resp)
  if status and status >= 200 and status < 300 and file.upload then
    return { uri = file.upload.uri, expires = catalog.inputs.upload.keep }
  end
  local says = wire.says(resp)
  return nil, wire.fail("unavailable", ("the storage did not take the file (%s)%s; "
    .. "start the upload again"):format(status or "no answer",
    says and ": " .. says or ""), { status = status, retryable = true })
end

--- One step of an upload. Step 1 gives the request for a place, step 2 (with its answer)
--- the request that sends the file, step 3 (with the storage's answer) the address.
--- Between the steps the module keeps what it needs in `file.upload`.
---@param file {path: string, name?: string, type?: string, bytes?: integer}
---@param step 1|2|3
---@param resp? table
---@param refused fun(resp: table): rt.Err
---@return table? request_or_result  a request, or {uri, expires = seconds}
---@return rt.Err?
function M.step(file, step, resp, refused)
  if step == 1 then return ask(file) end
  if step == 2 then return send(file, resp, refused) end
  return stored(file, resp)
end

return M
