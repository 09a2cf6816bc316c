--- What the API finds out about a file only after the call, checked before it when the
--- host knows the file: lengths of videos, sides and shapes of pictures. What is known
--- stands in the stored file, `image` of the job's entry: `width`, `height`, `seconds`,
--- `fps`. What is not known is not judged.
local wire = require "rushes.provider.common.wire"

local M = {}

local function stored(file)
  return type(file) == "table" and type(file.image) == "table" and file.image or {}
end

--- The video whose length the model's limits and price are about.
local function moving(job, entry)
  local rule = entry.video
  if not rule then return nil end
  return stored(rule.field == "reference" and job.performance or job.video), rule
end

--- What is known of a job's input, for the price.
---@param job table
---@param entry table
---@param body table
---@return table facts  {seconds?, fps?, pixels?, longest_side?}
function M.facts(job, entry, body)
  local clip = moving(job, entry) or {}
  local facts = { seconds = clip.seconds, fps = clip.fps,
    pixels = clip.width and clip.height and clip.width * clip.height }
  local rule, image = entry.picture, stored(job.images and job.images[1])
  if rule and image.width and image.height then
    local scale = body[rule.scale] or rule.default_scale
    facts.longest_side = math.max(image.width, image.height) * scale
  end
  return facts
end

local function bad(...) return wire.fail("asset", (...):format(select(2, ...))) end

local function check_clip(clip, rule, model)
  local s = clip.seconds
  if not s then return nil end
  if rule.min and s < rule.min then
    return bad("the video lasts %g s; %s takes %g to %g s", s, model, rule.min, rule.max)
  elseif s > rule.max then
    return bad("the video lasts %g s; %s takes at most %g s", s, model, rule.max)
  end
end

local function check_shape(image, i, aspect, model)
  local shape = image.width / image.height
  if shape >= aspect.min and shape <= aspect.max then return nil end
  return bad("picture %d is %d by %d, width to height %.3f; %s takes %g to %g",
    i, image.width, image.height, shape, model, aspect.min, aspect.max)
end

local function check_sides(image, i, rule, scale, model)
  local w, h = image.width, image.height
  if math.min(w, h) < rule.min_side or math.max(w, h) > rule.max_side then
    return bad("picture %d is %d by %d; %s takes sides of %d to %d", i, w, h, model,
      rule.min_side, rule.max_side)
  elseif w * scale * h * scale > rule.max_area then
    return bad("picture %d would become %d by %d; %s makes at most %d pixels", i,
      w * scale, h * scale, model, rule.max_area)
  end
end

--- Refuse what the model cannot take, as far as the files are known.
---@param job table
---@param entry table
---@param body table
---@return rt.Err?
function M.check(job, entry, body)
  local clip, rule = moving(job, entry)
  local e = rule and check_clip(clip, rule, body.model)
  if e then return e end
  for i, file in ipairs(job.images or {}) do
    local image = stored(file)
    if image.width and image.height and image.height > 0 then
      e = entry.aspect and check_shape(image, i, entry.aspect, body.model)
        or entry.picture and check_sides(image, i, entry.picture,
          body[entry.picture.scale] or entry.picture.default_scale, body.model)
      if e then return e end
    end
  end
end

return M
