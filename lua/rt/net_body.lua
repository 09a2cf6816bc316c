--- Request bodies with files in them: JSON whose placeholders stand for data URIs,
--- and forms. The files are read, and encoded, while they are sent.
local c = require "rt.c.net"

local M = {}

---@class rt.net.File
---@field path string
---@field type? string  media type; default: what the placeholder says

---@class rt.net.Field
---@field name string
---@field value? string     either this
---@field file? string      or the path of a file
---@field filename? string  default: the file's own name
---@field type? string      media type of the file

--- A JSON text in which every string that is a placeholder `data:<mime>;rushes=<n>`
--- becomes the data URI of a file.
---@param text string
---@param files table<string, rt.net.File>  by placeholder
---@return userdata? body  for `req.body`
---@return rt.Err? err     a file that cannot be read
function M.json(text, files)
  local parts, from = {}, 1
  -- a slash may be written "\/" in JSON
  for open, mark, close in text:gmatch '()"(data:[^"]-;rushes=%d+)"()' do
    local key = mark:gsub("\\/", "/")
    local file = files[key]
    if file then
      local mime = file.type or key:match "^data:(.-);"
      parts[#parts + 1] = ('%s"data:%s;base64,'):format(text:sub(from, open - 1), mime)
      parts[#parts + 1] = { path = file.path, base64 = true }
      from = close - 1
    end
  end
  parts[#parts + 1] = text:sub(from)
  return c.body(parts)
end

local ESCAPES = { ['"'] = "%22", ["\r"] = "%0D", ["\n"] = "%0A" }

local function quoted(s) return '"' .. s:gsub('["\r\n]', ESCAPES) .. '"' end

local function disposition(field)
  local filename = field.filename or (field.file and field.file:match "[^/]*$")
  local lines = { "Content-Disposition: form-data; name=" .. quoted(field.name) ..
    (filename and "; filename=" .. quoted(filename) or "") }
  if field.type then lines[2] = "Content-Type: " .. field.type:gsub("[\r\n]", "") end
  return table.concat(lines, "\r\n")
end

local function check(field, i)
  if type(field) ~= "table" or type(field.name) ~= "string" then
    error(("field %d of the form needs a name"):format(i), 0)
  end
  if (field.value == nil) == (field.file == nil) then
    error(("field %q of the form needs either a value or a file"):format(field.name), 0)
  end
end

--- A form, as multipart/form-data; the fields are sent in their order.
---@param fields rt.net.Field[]
---@return userdata? body
---@return string|rt.Err type  the Content-Type, or the error
function M.form(fields)
  local boundary = ("rushes-%016x%016x"):format(math.random(0), math.random(0))
  local parts = {}
  for i, field in ipairs(fields) do
    check(field, i)
    parts[#parts + 1] = ("--%s\r\n%s\r\n\r\n"):format(boundary, disposition(field))
    parts[#parts + 1] = field.file and { path = field.file } or tostring(field.value)
    parts[#parts + 1] = "\r\n"
  end
  parts[#parts + 1] = "--" .. boundary .. "--\r\n"
  local body, e = c.body(parts)
  if not body then return nil, e end
  return body, "multipart/form-data; boundary=" .. boundary
end

return M
