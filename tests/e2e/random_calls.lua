--- Calls made by chance, the same for the same seed: every model of the catalogue at
--- every endpoint, with whatever it may be told. Each is one that rushes would send.
local dice = require "rushes.sim.dice"
local provider = require "rushes.provider.runway"
local text = require "rushes.catalog.text"

local M = {}

local WORDS = { "rain", "a street at night", "she turns", "neon", "slow pan", "a red door",
  "dust in the light", "no people" }
local TRIES = 200 -- for one call, until it is a right one

-- What a job says in words of its own, and what it is given as a file.
local SAID = { promptText = true, ratio = true, duration = true, seed = true }
local GIVEN = { uri = true, frames = true, array = true, object = true, variant = true }

local function one_of(roll, list) return list[roll(1, #list)] end
local function by_chance(roll, percent) return roll(1, 100) <= percent end

--- A value that the field allows; nil if it is no plain one.
local function value_of(roll, field)
  if field.also and by_chance(roll, 15) then return one_of(roll, field.also) end
  if field.enum then return one_of(roll, field.enum) end
  if field.type == "boolean" then return by_chance(roll, 50) end
  if field.type == "integer" then return roll(field.min, math.min(field.max, 1 << 30)) end
end

local function prompt(roll)
  local out = {}
  for i = 1, roll(1, 4) do out[i] = one_of(roll, WORDS) end
  return table.concat(out, ", ")
end

local function pictures(roll, least, most, files, tagged)
  local list = {}
  for i = 1, roll(least, most) do
    list[i] = { image = files.picture, tag = tagged and "ref" .. i or nil }
  end
  return #list > 0 and list or nil
end

--- The files that a call of this kind needs, and some that it may have.
local GIVE = {}

function GIVE.image_to_video(roll, call, fields, files)
  call.image = files.picture
  local frames = fields.promptImage
  if frames.positions[2] and by_chance(roll, 40) then call.last_frame = files.picture end
  if frames.unplaced and by_chance(roll, 30) then
    call.references = pictures(roll, 1, 3, files)
  end
end

function GIVE.text_to_video(roll, call, fields, files)
  if fields.references then call.references = pictures(roll, 0, 3, files) end
end

function GIVE.video_to_video(roll, call, fields, files)
  call.video = files[call.model] or files.clip
  if fields.references then call.references = pictures(roll, 0, 2, files) end
end

function GIVE.text_to_image(roll, call, fields, files)
  local list = fields.referenceImages
  call.references = pictures(roll, list.required and 1 or 0, 3, files, true)
end

function GIVE.character_performance(_, call, _, files)
  call.character, call.performance = { image = files.picture }, files[call.model] or files.clip
end

function GIVE.image_upscale(_, call, _, files) call.image = files.picture end
function GIVE.video_upscale(_, call, _, files)
  call.video = files[call.model] or files.clip
end
GIVE.video_to_hdr = GIVE.video_upscale

local function made_up(roll, endpoint, model, files)
  local fields = provider.catalog.endpoints[endpoint].models[model].fields
  local call = { mode = endpoint, model = model, options = {} }
  GIVE[endpoint](roll, call, fields, files)
  if fields.promptText then call.prompt = prompt(roll) end
  for _, name in ipairs { "ratio", "duration", "seed" } do
    local field = fields[name]
    if field and (field.required or by_chance(roll, 70)) then
      call[name == "duration" and "seconds" or name] = value_of(roll, field)
    end
  end
  for _, name in ipairs(text.keys(fields)) do
    local field = fields[name]
    if not SAID[name] and not GIVEN[field.type] and by_chance(roll, 40) then
      call.options[name] = value_of(roll, field)
    end
  end
  return call
end

--- Is it a call that rushes would send, and the simulator makes?
local function right(call)
  local format = call.options.outputFormat
  if format and format:find "_sequence" then return false end
  local job = provider.normalize(call)
  return job ~= nil and provider.check(job) == nil
end

-- ---- shots ----

local function group(name) return provider.catalog.endpoints[name].models end

--- What a model is asked with when a shot reaches it this way: text, a first frame, or
--- references, which may need a still first.
local WAYS = { "text", "first", "refs" }

local function fields_for(model, way)
  local text_entry, motion = group "text_to_video"[model], group "image_to_video"[model]
  local direct = text_entry and (way == "text"
    or way == "refs" and text_entry.fields.references)
  return (direct and text_entry or motion).fields
end

local function plain(values)
  local out = {}
  for _, v in ipairs(values) do
    if v ~= "adaptive" then out[#out + 1] = v end
  end
  return out
end

local function duration(roll, field)
  if field.enum then return one_of(roll, field.enum) end
  return roll(field.min, field.max)
end

local function shot(roll, model, way)
  local fields = fields_for(model, way)
  return { shot = true, model = model, [way] = true, prompt = prompt(roll),
    ratio = fields.ratio and one_of(roll, plain(fields.ratio.enum)) or "1280:720",
    seconds = duration(roll, fields.duration),
    seed = by_chance(roll, 50) and roll(0, 1 << 30) or nil }
end

--- `n` shots, every video model in turn by text, by a first frame and by references.
---@param seed integer
---@param n integer
---@return table[]  {model, prompt, ratio, seconds, seed?, and text, first or refs}
function M.shots(seed, n)
  local roll, list, models = dice(seed), {}, text.keys(group "image_to_video")
  for i = 1, n do
    local model = models[(i - 1) % #models + 1]
    list[i] = shot(roll, model, WAYS[(i - 1) // #models % #WAYS + 1])
  end
  return list
end

-- ---- calls ----

--- Every endpoint with every model of it, in order.
---@return {endpoint: string, model: string}[]
function M.offers()
  local list = {}
  for _, endpoint in ipairs(text.keys(provider.catalog.endpoints)) do
    for _, model in ipairs(text.keys(provider.catalog.endpoints[endpoint].models)) do
      list[#list + 1] = { endpoint = endpoint, model = model }
    end
  end
  return list
end

--- `n` calls for `provider:generate`, every offer in turn.
---@param seed integer
---@param n integer
---@param files table<string, string>  picture, clip; or a clip for one model, by its name
---@return table[]
function M.calls(seed, n, files)
  local roll, offers, list = dice(seed), M.offers(), {}
  for i = 1, n do
    local offer = offers[(i - 1) % #offers + 1]
    for _ = 1, TRIES do
      local call = made_up(roll, offer.endpoint, offer.model, files)
      if right(call) then
        list[i] = call
        break
      end
    end
    assert(list[i], ("no right call for %s at %s"):format(offer.model, offer.endpoint))
  end
  return list
end

return M
