--- What a script hands to `provider:generate` becomes a job, or a sentence that says why
--- not. Pictures and clips stay as the script gave them, in the `image` of each entry of
--- `images` and `assets`; the host resolves them and writes the entry's `uri`.
local text = require "rushes.catalog.text"
local wire = require "rushes.provider.common.wire"

local M = {}

M.MODES = {
  text_to_video = "text_to_video", t2v = "text_to_video",
  image_to_video = "image_to_video", i2v = "image_to_video",
  video_to_video = "video_to_video", v2v = "video_to_video", edit = "video_to_video",
  text_to_image = "text_to_image", still = "text_to_image",
  character_performance = "character_performance",
  performance = "character_performance",
  image_upscale = "image_upscale", video_upscale = "video_upscale",
  video_to_hdr = "video_to_hdr",
}

local KEYS = { "model", "prompt", "seconds", "ratio", "seed", "image", "first_frame",
  "last_frame", "references", "keyframes", "video", "performance", "character", "mode",
  "options" }
local REFERENCE_KEYS = { "image", "kind", "tag", "strength" }
local KEYFRAME_KEYS = { "image", "seconds", "at", "range" }
local MOVING = { "video", "performance", "character" }
local PLAIN = { model = "string", prompt = "string", ratio = "string",
  seed = "number", mode = "string", references = "table", keyframes = "table",
  options = "table" }

local WANTED = {} -- key -> type, or true for any; most specs need no closer look
for _, key in ipairs(KEYS) do WANTED[key] = PLAIN[key] or true end
WANTED.seconds = "number"

local function is_odd(spec)
  for key, v in pairs(spec) do
    local want = WANTED[key]
    if want ~= true and type(v) ~= want then return true end
  end
  return false
end

local function wrong_type(spec)
  for _, key in ipairs(KEYS) do
    local v, want = spec[key], PLAIN[key]
    if v ~= nil and want and type(v) ~= want then
      return wire.fail("invalid", ("%s must be a %s, not %s"):format(key, want,
        text.show(v)))
    end
  end
  local s = spec.seconds
  if s ~= nil and type(s) ~= "number" and s ~= "auto" then
    return wire.fail("invalid", ('seconds must be a number or "auto", not %s'):format(
      text.show(s)))
  end
end

--- A list of tables, each with a picture and none with an unknown key.
local function each_picture(list, name, known, add)
  for i, item in ipairs(list) do
    local what = ("%s item %d"):format(name, i)
    if type(item) ~= "table" then item = { image = item } end
    local bad = wire.unknown_key(item, known, what)
    if not bad and item.image == nil then
      bad = wire.fail("invalid", what .. " has no image")
    end
    if bad then return bad end
    add(item)
  end
end

local VIDEO_NAME = { mp4 = true, mov = true, webm = true, mkv = true, ogv = true,
  ["3gp"] = true }

--- A character is a picture or a clip: said by {image = …} or {video = …}, or by the
--- ending of a bare name.
local function moving_or_still(value)
  if value == nil then return nil end
  if type(value) == "table" and (value.image or value.video) then
    return { image = value.image or value.video,
      media = value.image and "image" or "video" }
  end
  local ending = type(value) == "string" and value:match "%.(%w+)$"
  return { image = value,
    media = ending and VIDEO_NAME[ending:lower()] and "video" or "image" }
end

local function clip(value)
  if value == nil then return nil end
  return { image = value, media = "video" }
end

local function pictures(spec)
  local images = {}
  local function add(item, role)
    images[#images + 1] = { image = item.image, role = role, kind = item.kind,
      tag = item.tag, strength = item.strength, seconds = item.seconds, at = item.at,
      range = item.range }
  end
  if spec.image ~= nil and spec.first_frame ~= nil then
    return nil, wire.fail("invalid", "image and first_frame are the same thing; "
      .. "give one of them")
  end
  local first = spec.first_frame
  if first == nil then first = spec.image end
  if first ~= nil then add({ image = first }, "first") end
  if spec.last_frame ~= nil then add({ image = spec.last_frame }, "last") end
  local bad = spec.references and each_picture(spec.references, "references",
      REFERENCE_KEYS, function(item) add(item, "ref") end)
    or spec.keyframes and each_picture(spec.keyframes, "keyframes", KEYFRAME_KEYS,
      function(item) add(item, "key") end)
  if bad then return nil, bad end
  return images
end

--- Turn a script's table into a job.
---@param spec table
---@return table? job
---@return rt.Err?
function M.normalize(spec)
  if type(spec) ~= "table" then
    return nil, wire.fail("invalid", "generate takes a table, not " .. text.show(spec))
  end
  local bad = is_odd(spec)
    and (wire.unknown_key(spec, KEYS, "generate") or wrong_type(spec)) or nil
  if not bad and not spec.model then bad = wire.fail("invalid", "model is missing") end
  if not bad and spec.mode and not M.MODES[spec.mode] then
    bad = wire.fail("invalid", ("there is no mode %s; there are %s%s"):format(
      text.show(spec.mode), text.list(text.keys(M.MODES)),
      text.hint(spec.mode, text.keys(M.MODES))))
  end
  local images
  if not bad then images, bad = pictures(spec) end
  if bad then return nil, bad end
  local job = { mode = spec.mode and M.MODES[spec.mode], model = spec.model,
    prompt = spec.prompt, seconds = spec.seconds, ratio = spec.ratio, seed = spec.seed,
    images = images, video = clip(spec.video), performance = clip(spec.performance),
    character = moving_or_still(spec.character), assets = {},
    extra = spec.options or {} }
  for _, name in ipairs(MOVING) do
    if job[name] then table.insert(job.assets, job[name]) end
  end
  return job
end

return M
