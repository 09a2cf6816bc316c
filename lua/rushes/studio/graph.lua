--- From a shot to calls: which stages one take of a shot needs. Decided by what the
--- catalogue says a model takes, not by the model's name.
local catalogs = require "rushes.catalog"
local err = require "rt.err"

local M = {}

---@class rushes.Stage
---@field name "still"|"motion"
---@field spec table  the provider's job, without the keyframe that a stage before makes

M.STILL_MODEL = "gen4_image"
local MAX_STILL_REFERENCES = 3

local function entry(catalog, endpoint, model)
  local group = catalog.endpoints[endpoint]
  return group and group.models[model]
end

local function field(catalog, endpoint, model, name)
  local found = entry(catalog, endpoint, model)
  return found and found.fields[name]
end

local function allows(spec, value)
  if not spec or not spec.enum then return true end
  for _, allowed in ipairs(spec.enum) do
    if allowed == value then return true end
  end
  return false
end

local function aspect(ratio)
  local w, h = ratio:match "^(%d+):(%d+)$"
  return w and tonumber(w) / tonumber(h)
end

--- The still's ratio: the shot's own where the image model has it, else the allowed one
--- nearest in shape; the video model crops it from the centre.
local function still_ratio(catalog, model, ratio)
  local spec = field(catalog, "text_to_image", model, "ratio")
  if not spec or allows(spec, ratio) then return ratio end
  local want, best, best_d = aspect(ratio), nil, nil
  for _, candidate in ipairs(spec.enum) do
    local d = want and aspect(candidate) and math.abs(math.log(aspect(candidate) / want))
    if d and (not best_d or d < best_d) then best, best_d = candidate, d end
  end
  return best or ratio
end

local PHRASE = { character = "The character is %s.", style = "The style is that of %s.",
  location = "The place is %s.", prop = "The object is %s." }

--- The still's prompt: every reference must be mentioned by its tag, so those that the
--- script did not mention are named at the end.
local function with_mentions(prompt, refs)
  local lower, extra = prompt:lower(), {}
  for _, ref in ipairs(refs) do
    local mention = "@" .. ref.tag
    if not (lower .. " "):find(mention:lower() .. "[^%w_]") then
      extra[#extra + 1] = PHRASE[ref.kind]:format(mention)
    end
  end
  if #extra == 0 then return prompt end
  return prompt .. "\n" .. table.concat(extra, " ")
end

--- The motion's prompt: a video model knows nothing of tags.
local function without_mentions(prompt, refs)
  local tags = {}
  for _, ref in ipairs(refs) do tags[ref.tag:lower()] = true end
  return (prompt:gsub("@([%w_]+)", function(tag)
    return tags[tag:lower()] and tag or nil
  end))
end

--- Do the mentions that were added for the script make its prompt too long?
local function too_long(catalog, model, shot, prompt, mentioned)
  local max = (field(catalog, "text_to_image", model, "promptText") or {}).max
  local before, after = catalogs.utf16_length(prompt), catalogs.utf16_length(mentioned)
  if not max or not before or before > max or after <= max then return nil end
  return err.new("invalid", ("shot %q: with the names of its references added, the prompt"
    .. " has %d characters, and %s takes at most %d. Write them into it, as in @%s, or"
    .. " shorten it by %d"):format(shot.name, after, model, max,
    shot.refs[1].tag, after - max))
end

local function reference_images(refs)
  local images = {}
  for i, ref in ipairs(refs) do
    images[i] = { role = "ref", kind = ref.kind, tag = ref.tag, strength = ref.strength,
      image = ref.images[1] }
  end
  return images
end

--- The frames of a motion; `made` leaves the first one to the stage before.
local function frames(shot, made)
  local images = {}
  if made or shot.first_frame then
    images[1] = { role = "first", image = shot.first_frame }
  end
  if shot.last_frame then
    images[#images + 1] = { role = "last", image = shot.last_frame }
  end
  return images
end

local function still(catalog, shot, decision, base)
  local model = decision.still or M.STILL_MODEL
  if #shot.refs > MAX_STILL_REFERENCES then
    return nil, err.new("invalid", ("shot %q has %d references; %s takes at most %d."
      .. " Leave some out, or choose a model that takes them itself (rushes models)")
      :format(shot.name, #shot.refs, model, MAX_STILL_REFERENCES))
  end
  local prompt = with_mentions(base.prompt, shot.refs)
  local e = too_long(catalog, model, shot, base.prompt, prompt)
  if e then return nil, e end
  return { name = "still", spec = { mode = "text_to_image", model = model,
    name = base.name .. " (still)", prompt = prompt,
    ratio = still_ratio(catalog, model, base.ratio), seed = base.seed,
    images = reference_images(shot.refs) } }
end

local function motion(base, mode, model, images)
  local spec = {}
  for k, v in pairs(base) do spec[k] = v end
  spec.mode, spec.model, spec.images = mode, model, images
  return { name = "motion", spec = spec }
end

local function takes_references(catalog, model)
  for name in pairs(catalog.endpoints) do
    local found = field(catalog, name, model, "references")
      or field(catalog, name, model, "visual_references")
    if found and name ~= "video_to_video" then return name end
  end
end

--- The stages of one take, in order. Where the model takes only a first frame and the
--- shot has references (or the model makes no video from text), a still comes first.
---@param catalog table
---@param shot table
---@param decision rushes.Decision
---@param base table  {prompt, seconds, ratio, seed, name}
---@return rushes.Stage[]?
---@return rt.Err?
function M.stages(catalog, shot, decision, base)
  local model = decision.model
  local found, e = catalogs.find(catalog, model)
  if not found then return nil, e end
  if shot.first_frame and #shot.refs > 0 then
    return nil, err.new("invalid", ("shot %q has both first_frame and refs; a first frame"
      .. " already shows who is in it. Leave out one of the two"):format(shot.name))
  end
  if shot.first_frame then
    return { motion(base, "image_to_video", model, frames(shot)) }
  end
  if #shot.refs > 0 then
    local endpoint = takes_references(catalog, model)
    if endpoint then
      return { motion(base, endpoint, model, reference_images(shot.refs)) }
    end
  elseif entry(catalog, "text_to_video", model)
    and allows(field(catalog, "text_to_video", model, "ratio"), base.ratio) then
    return { motion(base, "text_to_video", model, {}) }
  end
  if not entry(catalog, "image_to_video", model) then
    return nil, err.new("invalid", catalogs.why_not(catalog, model, "image_to_video"))
  end
  local first
  first, e = still(catalog, shot, decision, base)
  if not first then return nil, e end
  local second = motion(base, "image_to_video", model, frames(shot, true))
  second.spec.prompt = without_mentions(base.prompt, shot.refs)
  return { first, second }
end

return M
