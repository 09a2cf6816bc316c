--- What is wanted: a prompt, references, seconds, a ratio. A shot is made by
--- `show:shot{…}` and checked there, before anything is spent.
local object = require "rushes.studio.object"
local suggest = require "rt.suggest"

local M = {}

---@class rushes.Shot
---@field name string
---@field prompt? string
---@field refs rushes.Reference[]
---@field seconds number
---@field ratio string
---@field seed? integer
---@field first_frame? string|table  path, https URL or reference
---@field last_frame? string|table
---@field policy? function           instead of the show's
---@field priority number           among shots that wait for a lane, higher first; 0
---@field show rushes.Show
local Shot = {}

local SPEC = object.set
  "name prompt refs seconds ratio seed first_frame last_frame policy priority"
local FIELDS = object.set
  "name prompt refs seconds ratio seed first_frame last_frame policy priority show asked"
local class = object.class("shot", Shot, FIELDS, object.set "policy priority asked")

local DEFAULT_SECONDS = 5

local function refuse(level, text, ...) error(text:format(...), level + 1) end

local function check_type(spec, key, wanted, level)
  local value = spec[key]
  if value ~= nil and type(value) ~= wanted then
    refuse(level + 1, "shot %s: %s must be a %s, not a %s", tostring(spec.name), key,
      wanted, type(value))
  end
end

local function check_frame(spec, key, level)
  local kind = type(spec[key])
  local reference = kind == "table" and spec[key].images
  if kind ~= "nil" and kind ~= "string" and not reference then
    refuse(level + 1, "shot %s: %s must be a path, an https URL or a reference, not a %s",
      spec.name, key, kind)
  end
end

local function check_name(name, level)
  if type(name) ~= "string" or name == "" then
    refuse(level + 1, "a shot needs a name, such as name = \"street\"")
  end
  if name:find "[^%w%._%-]" or name:sub(1, 1) == "." then
    refuse(level + 1, "shot %q: a name becomes a file name, so it takes letters, digits,"
      .. " '.', '_' and '-' only", name)
  end
end

local function check_refs(show, spec, level)
  local tags = {}
  for key in pairs(spec.refs or {}) do
    if math.type(key) ~= "integer" then
      refuse(level + 1, "shot %s: refs is a list, as in refs = { hero }; this one has a"
        .. " field %q", spec.name, tostring(key))
    end
  end
  for i, ref in ipairs(spec.refs or {}) do
    if type(ref) ~= "table" or not ref.tag then
      refuse(level + 1, "shot %s: refs[%d] is a %s; it takes what show:character{…},"
        .. " show:style{…}, show:location{…} or show:prop{…} returned", spec.name,
        i, type(ref))
    end
    local tag = ref.tag:lower()
    if tags[tag] then
      refuse(level + 1, "shot %s: two references have the tag %q; give one another tag",
        spec.name, ref.tag)
    end
    tags[tag] = true
  end
  return show and spec.refs or {}
end

--- Make a shot from a script's table; raises with the script's position.
---@param show rushes.Show
---@param spec table
---@param level integer  as for `error`, counted from the caller
---@return rushes.Shot
function M.new(show, spec, level)
  level = level + 1
  if type(spec) ~= "table" then
    refuse(level, "show:shot wants a table, not a %s", type(spec))
  end
  suggest.check_keys("shot", spec, SPEC, level)
  check_name(spec.name, level)
  check_type(spec, "prompt", "string", level)
  check_type(spec, "seconds", "number", level)
  check_type(spec, "ratio", "string", level)
  check_type(spec, "priority", "number", level)
  check_type(spec, "policy", "function", level)
  check_type(spec, "refs", "table", level)
  check_frame(spec, "first_frame", level)
  check_frame(spec, "last_frame", level)
  if spec.seed ~= nil and math.type(spec.seed) ~= "integer" then
    refuse(level, "shot %s: seed must be a whole number, not %s", spec.name,
      tostring(spec.seed))
  end
  return setmetatable({ show = show, name = spec.name, prompt = spec.prompt,
    refs = check_refs(show, spec, level), seconds = spec.seconds or DEFAULT_SECONDS,
    ratio = spec.ratio or show.ratio, seed = spec.seed, first_frame = spec.first_frame,
    last_frame = spec.last_frame, policy = spec.policy,
    priority = spec.priority or 0 }, class)
end

--- Shoot this one shot: one more take of it. Waits; spends.
---@async
---@return rushes.Take
function Shot:shoot()
  return self.show:shoot { only = self }[1]
end

return M
