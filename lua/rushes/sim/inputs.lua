--- The files that a request names: data URIs, uploads, the simulator's own outputs.
--- They become files on disk with their content hash. Other https addresses are
--- accepted but not fetched; they stand for a neutral plate.
local err = require "rt.err"
local fs = require "rt.fs"
local hash = require "rt.hash"
local json = require "rt.json"
local proc = require "rt.proc"
local sniff = require "rushes.sim.sniff"
local task = require "rt.task"

local M = {}

---@class rushes.sim.Input
---@field path any[]       where in the request it stands
---@field media "image"|"video"|"audio"
---@field uri string
---@field item? table      the object it stands in: tag, position
---@field file? string     nil: not fetched
---@field hash string
---@field type? string
---@field width? integer
---@field height? integer
---@field seconds? number  of a clip
---@field fps? number

-- ---- finding them ----

local function step(path, key)
  local deeper = json.array { table.unpack(path) }
  deeper[#deeper + 1] = key
  return deeper
end

local walk

local function walk_fields(fields, object, path, out)
  for name, spec in pairs(fields) do
    local value = object[name]
    if value ~= nil then walk(spec, value, step(path, name), object, out) end
  end
end

function walk(spec, value, path, item, out)
  if spec.type == "uri" or spec.type == "frames" and type(value) == "string" then
    out[#out + 1] = { path = path, uri = value, media = spec.media or "image",
      item = item }
  elseif spec.type == "frames" then
    for i, frame in ipairs(value) do
      out[#out + 1] = { path = step(step(path, i - 1), "uri"), uri = frame.uri,
        media = "image", item = frame }
    end
  elseif spec.type == "array" then
    for i, v in ipairs(value) do walk(spec.items, v, step(path, i - 1), value, out) end
  elseif spec.type == "object" then
    walk_fields(spec.fields, value, path, out)
  elseif spec.type == "variant" then
    walk_fields(spec.of[value[spec.by]], value, path, out)
  end
end

local function by_path(a, b)
  for i = 1, math.min(#a.path, #b.path) do
    local x, y = a.path[i], b.path[i]
    if x ~= y then
      if type(x) == type(y) then return x < y end
      return type(x) == "number"
    end
  end
  return #a.path < #b.path
end

--- Every file that a checked body names, in the order of their paths.
---@param entry table  the model's entry in the catalogue
---@param body table
---@return rushes.sim.Input[]
function M.collect(entry, body)
  local out = {}
  walk_fields(entry.fields, body, json.array {}, out)
  table.sort(out, by_path)
  return out
end

-- ---- getting them ----

---@class rushes.sim.Inputs
---@field private dir string
---@field private uploads rushes.sim.Uploads
---@field private own fun(url: string): string?
---@field private known table<string, table>  hash of a data URI, or a path -> facts
local Inputs = {}
Inputs.__index = Inputs

---@param dir string  where decoded data URIs are kept
---@param uploads rushes.sim.Uploads
---@param own fun(url: string): string?  the file behind an output's address
---@return rushes.sim.Inputs
function M.new(dir, uploads, own)
  return setmetatable({ dir = dir, uploads = uploads, own = own, known = {} }, Inputs)
end

local PROBE_TIME = 30 -- seconds
local PROBE = { "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
  "stream=width,height,avg_frame_rate:format=duration", "-of", "json" }

--- Length and size of a clip; nothing when ffprobe cannot tell.
local function probe(path)
  local argv = table.move(PROBE, 1, #PROBE, 1, {})
  argv[#argv + 1] = "file:" .. path
  local r = task.timeout(PROBE_TIME, proc.run, argv)
  local answer = r and r.code == 0 and json.decode(r.stdout)
  local stream = answer and answer.streams and answer.streams[1]
  if not stream then return {} end
  local n, d = (stream.avg_frame_rate or ""):match "^(%d+)/(%d+)$"
  return { seconds = answer.format and tonumber(answer.format.duration),
    width = stream.width, height = stream.height,
    fps = n and tonumber(d) > 0 and n / d or nil }
end

local function refuse(message) return nil, err.new("invalid", message) end

--- What is known of a file, looked at once.
function Inputs:_facts(key, path)
  local facts = self.known[key]
  if facts then return facts end
  facts = sniff.file(path)
  if not facts then return nil end
  if facts.media == "video" then
    for k, v in pairs(probe(path)) do facts[k] = v end
  end
  facts.file, facts.hash = path, assert(hash.sha256_file(path))
  self.known[key] = facts
  return facts
end

function Inputs:_data(uri)
  local key = assert(hash.sha256(uri))
  if self.known[key] then return self.known[key] end
  local payload = uri:match "^data:[^,]*;base64,(.*)$"
  local bytes = payload and hash.unbase64(payload)
  if not bytes then return refuse "Invalid data URI: expected base64" end
  local path = self.dir .. "/" .. key
  local ok, e = fs.write(path, bytes)
  if not ok then return nil, e end
  local facts = self:_facts(key, path)
  if not facts then return refuse "Failed to read asset: not a supported file" end
  return facts
end

function Inputs:_uploaded(uri)
  local path, why = self.uploads:find(uri)
  if not path then return refuse(why) end
  local facts = self:_facts(path, path)
  if not facts then return refuse "Failed to read asset: not a supported file" end
  return facts
end

function Inputs:_facts_of(uri)
  if uri:sub(1, 5) == "data:" then return self:_data(uri) end
  if uri:sub(1, 9) == "runway://" then return self:_uploaded(uri) end
  local path, why = self.own(uri)
  if path then return self:_facts(path, path) end
  if why then return refuse(why) end
  return { hash = assert(hash.sha256(uri)) }
end

--- Fill in what is known of one input.
---@async
---@param input rushes.sim.Input
---@return true?
---@return rt.Err? err  "invalid": the request is to be refused with this message
function Inputs:resolve(input)
  local facts, e = self:_facts_of(input.uri)
  if not facts then return nil, e end
  if facts.media and facts.media ~= input.media then
    return refuse(("Unsupported asset: expected %s, got %s"):format(input.media,
      facts.type))
  end
  input.file, input.hash, input.type = facts.file, facts.hash, facts.type
  input.width, input.height = facts.width, facts.height
  input.seconds, input.fps = facts.seconds, facts.fps
  return true
end

return M
