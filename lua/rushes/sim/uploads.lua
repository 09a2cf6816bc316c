--- Ephemeral uploads: a presigned form, the storage that takes it, and the runway://
--- address that is good for a day. The storage answers as S3 does.
local fs = require "rt.fs"

local M = {}

local KEEP = 86400            -- seconds, simulated
local MIN, MAX = 512, 200 << 20 -- bytes
local FORM_LIFE = 3600        -- seconds that a presigned form is good for

---@class rushes.sim.Uploads
---@field private dir string
---@field private clock rushes.sim.Clock
---@field private new_id fun(): string
---@field private slots table<string, table>
local Uploads = {}
Uploads.__index = Uploads

---@param dir string
---@param clock rushes.sim.Clock
---@param new_id fun(): string
---@return rushes.sim.Uploads
function M.new(dir, clock, new_id)
  return setmetatable({ dir = dir, clock = clock, new_id = new_id, slots = {} }, Uploads)
end

local function too_short(name, size)
  return { origin = "string", code = "too_small", minimum = size, inclusive = true,
    path = { name }, message = ("Too small: expected string to have >=%d characters")
      :format(size) }
end

--- What is wrong with the request for a form.
---@param body any
---@return table[] issues
function M.check(body)
  local issues = {}
  local name = type(body) == "table" and body.filename
  if type(name) ~= "string" then
    issues[1] = { code = "invalid_type", expected = "string", path = { "filename" },
      message = "Invalid input: expected string, received "
        .. (name == nil and "undefined" or type(name)) }
  elseif #name < 3 then
    issues[1] = too_short("filename", 3)
  elseif #name > 255 then
    issues[1] = { origin = "string", code = "too_big", maximum = 255, inclusive = true,
      path = { "filename" },
      message = "Too big: expected string to have <=255 characters" }
  elseif not name:find "^.+%.%w+$" then
    issues[1] = { code = "custom", path = { "filename" },
      message = "The filename must have an extension" }
  end
  if type(body) == "table" and body.type ~= "ephemeral" then
    issues[#issues + 1] = { code = "invalid_value", values = { "ephemeral" },
      path = { "type" }, message = "Invalid input: expected 'ephemeral'" }
  end
  return issues
end

--- A new form.
---@param filename string
---@param base string  our own address
---@return {uploadUrl: string, fields: table<string, string>, runwayUri: string}
function Uploads:open(filename, base)
  local id = self.new_id()
  local fields = {
    key = ("uploads/%s/%s"):format(id, (filename:gsub("[^%w._-]", "_"))),
    bucket = "simulated",
    ["X-Amz-Algorithm"] = "AWS4-HMAC-SHA256",
    ["X-Amz-Date"] = os.date("!%Y%m%dT%H%M%SZ", math.floor(self.clock:now())),
    Policy = self.new_id(),
    ["X-Amz-Signature"] = self.new_id():gsub("-", ""),
  }
  self.slots[id] = { fields = fields, opened = self.clock:now() }
  return { uploadUrl = base .. "/_storage/" .. id, fields = fields,
    runwayUri = "runway://" .. id }
end

local XML = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code>'
  .. "<Message>%s</Message></Error>"

local function refuse(req, status, code, message)
  return req:respond { status = status, body = XML:format(code, message),
    headers = { ["Content-Type"] = "application/xml" } }
end

--- Why a form is refused: status, code, message.
local function objection(self, slot, req)
  local parts = req.parts or {}
  if not slot then return 404, "NoSuchKey", "The specified key does not exist." end
  if req.headers.authorization then
    return 400, "InvalidArgument", "Only one auth mechanism allowed"
  elseif self.clock:now() - slot.opened > FORM_LIFE then
    return 403, "AccessDenied", "Invalid according to Policy: Policy expired."
  end
  local last = parts[#parts]
  if not last or last.name ~= "file" then
    return 400, "InvalidArgument",
      "POST requires exactly one file upload per request, as the last field."
  end
  local seen = {}
  for i = 1, #parts - 1 do seen[parts[i].name] = parts[i].body end
  for name, value in pairs(slot.fields) do
    if seen[name] ~= value then
      return 403, "AccessDenied",
        ("Invalid according to Policy: Policy Condition failed: %s"):format(name)
    end
  end
  if last.size < MIN then
    return 400, "EntityTooSmall", "Your proposed upload is smaller than the minimum"
  elseif last.size > MAX then
    return 400, "EntityTooLarge", "Your proposed upload exceeds the maximum"
  end
end

--- The POST to the storage.
---@async
---@param req rt.httpd.Request
---@param id string
function Uploads:receive(req, id)
  local slot = self.slots[id]
  local status, code, message = objection(self, slot, req)
  if status then return refuse(req, status, code, message) end
  local file = req.parts[#req.parts]
  local path = self.dir .. "/" .. id
  if file.file then
    assert(fs.rename(file.file, path))
  else
    assert(fs.write(path, file.body))
  end
  slot.path, slot.stored = path, self.clock:now()
  return req:respond { status = 204 }
end

--- The file of a runway:// address.
---@param uri string
---@return string? path
---@return string? why
function Uploads:find(uri)
  local slot = self.slots[uri:match "^runway://(.*)$"]
  if not slot or not slot.path then
    return nil, "Failed to fetch asset: unknown upload"
  end
  if self.clock:now() - slot.stored > KEEP then
    return nil, "Failed to fetch asset: the upload has expired"
  end
  return slot.path
end

return M
