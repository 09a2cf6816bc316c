--- A job as a request of Runway's developer API: which endpoint, and its body.
--- What the API cannot say is refused when it would change the picture, and noted when
--- it is only not sent. No value is changed.
local catalog = require "rushes.catalog"
local data = require "rushes.catalog.runway"
local spec = require "rushes.provider.runway.spec"
local text = require "rushes.catalog.text"
local wire = require "rushes.provider.common.wire"

local M = { aliases = { gen4 = "gen4.5", ["gen4-standard"] = "gen4.5",
  ["gen4-turbo"] = "gen4_turbo", aleph = "aleph2" } }

local function refuse(...)
  return wire.fail("invalid", select("#", ...) > 1 and (...):format(select(2, ...))
    or (...))
end

-- This file runs several times for each paid call, so what never changes is made once.
local NONE = {} -- no pictures of a role; never written to
local NO_PICTURES = { first = NONE, last = NONE, ref = NONE, key = NONE }
local ONLY = {} -- model -> its endpoint, for models that have one

for _, model in ipairs(catalog.models(data)) do
  local offered = catalog.endpoints_of(data, model)
  if #offered == 1 then ONLY[model] = offered[1] end
end

--- The endpoint that the job's inputs point to, for a model that has several.
local function wanted_endpoint(job, roles, model)
  if job.performance or job.character then return "character_performance" end
  if job.video then return "video_to_video" end
  if roles.first[1] or roles.last[1] then return "image_to_video" end
  if roles.ref[1] then
    local entry = data.endpoints.text_to_video.models[model]
    if not (entry and entry.fields.references) then return "image_to_video" end
  end
  return "text_to_video"
end

local function choose(job, roles, model)
  if job.mode then return spec.MODES[job.mode] or job.mode end
  return ONLY[model] or wanted_endpoint(job, roles, model)
end

--- A file's address, or an error that names the file.
local function uri(ctx, file, what)
  if type(file) ~= "table" then return nil, refuse("%s is missing", what) end
  local v = wire.uri(file, ctx.planning)
  if v then return v end
  return nil, refuse("%s has no address yet; the host resolves it first", what)
end

local function by_role(job)
  if not job.images or not job.images[1] then return NO_PICTURES end
  local roles = { first = NONE, last = NONE, ref = NONE, key = NONE }
  for i, image in ipairs(job.images) do
    local role = image.role or "ref"
    local list = roles[role]
    if not list then
      return nil, refuse("picture %d has the role %s; it may be first, last, ref or key",
        i, text.show(role))
    elseif list == NONE then
      roles[role] = { image }
    else
      list[#list + 1] = image
    end
  end
  return roles
end

local function none(list, model, endpoint, what, instead)
  if #list == 0 then return nil end
  return refuse("%s takes no %s for %s; %s", model, what, endpoint, instead)
end

local function listed(ctx, images, what, make)
  local out = {}
  for i, image in ipairs(images) do
    local address, bad = uri(ctx, image, ("%s %d"):format(what, i))
    if not address then return nil, bad end
    out[i] = make(address, image)
  end
  return out
end

local function plain_item(address) return { uri = address } end

local FRAME_ROLES = { "first", "last", "ref" }

--- Keyframes at the ends of the clip, or loose pictures, as the model allows.
local function prompt_image(ctx, roles)
  local frames = ctx.entry.fields.promptImage
  if #roles.ref > 0 and not frames.unplaced then
    return nil, refuse("%s takes no references, only a first frame; make a still with "
      .. "gen4_image first, or use seedance2", ctx.model)
  end
  if #roles.last > 0 and not frames.positions[2] then
    return nil, refuse("%s takes no last frame; veo3.1 and seedance2 do", ctx.model)
  end
  if #roles.first == 1 and not roles.last[1] and not roles.ref[1] then
    return uri(ctx, roles.first[1], "the first frame")
  end
  local list = {}
  for _, role in ipairs(FRAME_ROLES) do
    for _, image in ipairs(roles[role]) do
      local address, bad = uri(ctx, image, role == "ref" and "a reference"
        or ("the %s frame"):format(role))
      if not address then return nil, bad end
      list[#list + 1] = { uri = address, position = role ~= "ref" and role or nil }
    end
  end
  return list[1] and list or nil
end

local FILL = {} -- endpoint -> function(ctx, job, body, roles) -> err?

function FILL.image_to_video(ctx, _, body, roles)
  local bad
  body.promptImage, bad = prompt_image(ctx, roles)
  return bad
end

function FILL.text_to_video(ctx, _, body, roles)
  local bad = none(roles.first, ctx.model, ctx.endpoint, "frames",
      "use mode image_to_video")
    or none(roles.last, ctx.model, ctx.endpoint, "frames", "use mode image_to_video")
  if bad or #roles.ref == 0 then return bad end
  if not ctx.entry.fields.references then
    return refuse("%s takes no references; make a still with gen4_image first, or use "
      .. "seedance2", ctx.model)
  end
  body.references, bad = listed(ctx, roles.ref, "reference", plain_item)
  return bad
end

local function tagged_item(item_fields)
  return function(address, image)
    local item = { uri = address, tag = item_fields.tag and image.tag or nil }
    if item_fields.subject and image.kind then
      item.subject = image.kind == "character" and "human" or "object"
    end
    return item
  end
end

function FILL.text_to_image(ctx, _, body, roles)
  local bad = none(roles.first, ctx.model, ctx.endpoint, "first frame",
      "give the picture as a reference")
    or none(roles.last, ctx.model, ctx.endpoint, "last frame",
      "give the picture as a reference")
  if bad or #roles.ref == 0 then return bad end
  local list = ctx.entry.fields.referenceImages
  body.referenceImages, bad = listed(ctx, roles.ref, "reference",
    tagged_item(list.items.fields))
  return bad
end

local function keyframe_item(address, image)
  local range = image.range
  return { uri = address, seconds = image.seconds, at = image.at,
    range = range and { start_seconds = range.start_seconds or range[1],
      end_seconds = range.end_seconds or range[2] } }
end

function FILL.video_to_video(ctx, job, body, roles)
  local bad
  body.videoUri, bad = uri(ctx, job.video, "the video")
  local fields = ctx.entry.fields
  if bad then return bad end
  bad = none(roles.first, ctx.model, ctx.endpoint, "first frame",
      "give it as a keyframe at 0 seconds")
    or none(roles.last, ctx.model, ctx.endpoint, "last frame", "give it as a keyframe")
    or not fields.references and none(roles.ref, ctx.model, ctx.endpoint, "references",
      "give the pictures as keyframes")
    or not fields.keyframes and none(roles.key, ctx.model, ctx.endpoint, "keyframes",
      "give the pictures as references")
    or nil
  if not bad and #roles.ref > 0 then
    body.references, bad = listed(ctx, roles.ref, "reference", plain_item)
  end
  if not bad and #roles.key > 0 then
    body.keyframes, bad = listed(ctx, roles.key, "keyframe", keyframe_item)
  end
  return bad
end

function FILL.character_performance(ctx, job, body)
  local who, bad = uri(ctx, job.character, "the character")
  if bad then return bad end
  body.character = { type = job.character.media or "image", uri = who }
  local acting
  acting, bad = uri(ctx, job.performance, "the performance")
  if acting then body.reference = { type = "video", uri = acting } end
  return bad
end

function FILL.image_upscale(ctx, _, body, roles)
  local bad
  body.imageUri, bad = uri(ctx, roles.first[1] or roles.ref[1], "the picture")
  return bad
end

function FILL.video_upscale(ctx, job, body)
  local bad
  body.videoUri, bad = uri(ctx, job.video, "the video")
  return bad
end

FILL.video_to_hdr = FILL.video_upscale

-- job field, body field, what to say when the model has no such field
local COMMON = {
  { "prompt", "promptText" }, { "seconds", "duration" }, { "ratio", "ratio" },
  { "seed", "seed" },
}

local function note(ctx, format, ...)
  ctx.notes[#ctx.notes + 1] = format:format(...)
end

local function common(ctx, job, body)
  local fields, ignores = ctx.entry.fields, ctx.entry.ignores or NONE
  for i = 1, #COMMON do
    local said, name = COMMON[i][1], COMMON[i][2]
    local value = job[said]
    if value ~= nil and fields[name] and not ignores[name] then
      body[name] = value
    elseif value ~= nil and not (said == "seconds" and ctx.entry.class == "image") then
      note(ctx, "%s takes no %s for %s; %s is not sent%s", ctx.model, said,
        ctx.endpoint, text.show(value), ignores[name] and ": " .. ignores[name] or "")
    end
  end
end

local function options(ctx, job, body)
  for name, value in pairs(job.extra or NONE) do
    if name == "model" or not ctx.entry.fields[name] then
      local known = text.keys(ctx.entry.fields)
      return refuse("%s has no option %s for %s%s; it has %s", ctx.model,
        text.show(name), ctx.endpoint, text.hint(name, known), table.concat(known, ", "))
    end
    if body[name] ~= nil then
      return refuse("option %s says again what the job already says", text.show(name))
    end
    body[name] = value
  end
end

local function unknown_mentions(ctx, job, prompt)
  local tags, known = {}, {}
  for _, image in ipairs(job.images or NONE) do
    if image.tag then
      tags[#tags + 1] = tostring(image.tag)
      known[tags[#tags]:lower()] = true
    end
  end
  for mention in prompt:gmatch "%f[%w@]@(%a[%w_]+)" do
    if not known[mention:lower()] then
      note(ctx, "the prompt mentions @%s, but no reference has that tag%s", mention,
        text.hint(mention, tags))
    end
  end
end

--- What is worth a word although the call is right.
local function remarks(ctx, job, body)
  for _, image in ipairs(job.images or NONE) do
    if image.strength ~= nil then
      note(ctx, "Runway has no strength for references; it is kept in the record only")
      break
    end
  end
  local prompt = body.promptText
  if ctx.entry.fields.referenceImages and type(prompt) == "string"
    and prompt:find("@", 1, true) then
    unknown_mentions(ctx, job, prompt)
  end
end

local function context(job, roles, planning)
  local model = M.aliases[job.model] or job.model
  local endpoint = choose(job, roles, model)
  local entry, found = catalog.find(data, model, endpoint)
  if not entry then return nil, found end
  local ctx = { model = model, endpoint = endpoint, entry = entry, notes = {},
    planning = planning }
  if model ~= job.model then note(ctx, "model %s means %s here", job.model, model) end
  return ctx
end

--- The endpoint and body of a job.
---@param job table
---@param planning? boolean  files may lack their address; the body is not for sending
---@return string? endpoint
---@return table|rt.Err body  the body, or why there is none
---@return string[]? notes    sentences the host shows once each
function M.build(job, planning)
  local roles, bad = by_role(job)
  if not roles then return nil, bad end
  local ctx
  ctx, bad = context(job, roles, planning)
  if not ctx then return nil, bad end
  local body = { model = ctx.model }
  common(ctx, job, body)
  bad = FILL[ctx.endpoint](ctx, job, body, roles) or options(ctx, job, body)
  if bad then return nil, bad end
  remarks(ctx, job, body)
  return ctx.endpoint, body, ctx.notes
end

return M
