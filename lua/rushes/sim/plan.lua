--- From a checked request and its files to the pictures and clips that answer it.
--- Pure: it says what to make; `rushes.sim.media` makes it.
local M = {}

---@class rushes.sim.Piece
---@field kind "clip"|"still"|"scaled"
---@field ext string
---@field options table  for animatic or still, without the paths of what is made
---@field figures? rushes.sim.Reference[]  a clip's first frame is composed of these
---@field bare? boolean      without a label
---@field prores? boolean

-- Lines of the shorter side, by the API's names for sizes.
local SHORT = { ["480p"] = 480, ["720p"] = 720, ["768p"] = 768, ["1080p"] = 1080,
  ["1k"] = 1080, ["2k"] = 1440, ["4k"] = 2160 }
local LARGEST = 4096  -- pixels of the longer side of a clip
local FPS = 24
local AUTO = 5        -- seconds when the model is to choose
local NO_FILE = 5     -- seconds of an input clip that is not known

local function even(n) return math.max(2, math.floor(n / 2 + 0.5) * 2) end

--- Width and height from a shape and the length of the shorter side.
local function shaped(aspect, short)
  if aspect >= 1 then return even(short * aspect), even(short) end
  return even(short), even(short / aspect)
end

local function parse_ratio(ratio)
  local w, h = tostring(ratio):match "^(%d+):(%d+)$"
  if not w then return nil end
  return math.tointeger(w), math.tointeger(h)
end

--- The size of what comes out. `like` is the input whose shape is kept by default.
local function size_of(body, like)
  local short = SHORT[tostring(body.resolution):lower()]
  local w, h = parse_ratio(body.ratio)
  if not w then w, h = parse_ratio(body.targetAspectRatio) end
  if w and w >= 100 then return even(w), even(h) end
  if w then return shaped(w / h, short or 720) end
  if like and like.width then
    if not short and math.max(like.width, like.height) <= LARGEST then
      return even(like.width), even(like.height)
    end
    return shaped(like.width / like.height, short or 720)
  end
  return shaped(16 / 9, short or 720)
end

local function longest(spec)
  if not spec then return NO_FILE end
  if spec.max then return spec.max end
  local top = 0
  for _, v in ipairs(spec.enum or {}) do
    if type(v) == "number" then top = math.max(top, v) end
  end
  return top
end

--- How long the clip is, and whether the model chose.
local function seconds_of(r)
  if type(r.body.duration) == "number" then return r.body.duration, false end
  if r.body.duration == "auto" then return AUTO, true end
  if r.clip then return r.clip.seconds or NO_FILE, false end
  return longest(r.entry.fields.duration), false
end

local function first_of(inputs, media)
  for _, input in ipairs(inputs) do
    if input.media == media and (not input.item or input.item.position ~= "last") then
      return input
    end
  end
end

local function reference_of(input)
  return { path = input.file, tag = input.item and input.item.tag,
    kind = input.item and input.item.type, width = input.width, height = input.height,
    hash = input.hash }
end

--- The pictures that could be fetched, as references of a still.
local function figures_of(inputs)
  local list = {}
  for _, input in ipairs(inputs) do
    if input.media == "image" and input.file then
      list[#list + 1] = reference_of(input)
    end
  end
  return list
end

local PRORES = { prores = true, hdr_prores = true, hdr_pq_12bit_master = true }

--- Formats that would come as an archive of pictures.
---@param body table
---@return boolean
function M.is_sequence(body)
  return tostring(body.outputFormat):find "_sequence" ~= nil
end

local function labels(r, options)
  options.seed, options.model = r.seed, r.body.model
  options.prompt = r.body.promptText or r.body.prompt
  options.show, options.shot, options.take = r.names.show, r.names.shot, r.names.take
  return options
end

--- The input whose shape the clip keeps. References give their looks, not their shape,
--- unless the request says so ("adaptive", "auto_720p").
local function model_of(r, picture)
  local ratio = r.body.ratio
  local follows = ratio and not parse_ratio(ratio)
  return r.clip or (r.body.promptImage or r.body.character or follows) and picture or nil
end

local function clip(r)
  local picture = first_of(r.inputs, "image")
  local w, h = size_of(r.body, model_of(r, picture))
  if math.max(w, h) > LARGEST then w, h = shaped(w / h, 2160) end
  local seconds, chosen = seconds_of(r)
  local fps = r.body.fps or FPS
  local piece = { kind = "clip", ext = "mp4", options = labels(r, {
    width = w, height = h, fps = fps,
    frames = math.max(1, math.floor(seconds * fps + 0.5)) }) }
  local figures = figures_of(r.inputs)
  if r.clip and r.clip.file then
    piece.options.video = r.clip.file
  elseif #figures > 1 and not r.body.promptImage and not r.body.character then
    piece.figures = figures
  elseif picture and picture.file then
    piece.options.image = picture.file
  end
  if PRORES[r.body.outputFormat] then piece.prores, piece.ext = true, "mov" end
  return { piece }, seconds, chosen
end

local function stills(r)
  local w, h = size_of(r.body, first_of(r.inputs, "image"))
  local list = {}
  for i = 1, r.body.outputCount or 1 do
    local options = labels(r, { width = w, height = h,
      references = figures_of(r.inputs) })
    options.seed = r.seed + i - 1
    list[i] = { kind = "still", ext = "png", options = options }
  end
  return list
end

local function scaled(r)
  local input = r.inputs[1]
  local factor = r.body.scaleFactor or 2
  return { { kind = "scaled", ext = "png", options = {
    image = input.file, width = even((input.width or 640) * factor),
    height = even((input.height or 360) * factor), seed = r.seed,
    model = r.body.model, prompt = "" } } }
end

--- The clip that is worked on, where there is one.
local function clip_of(r)
  local input = first_of(r.inputs, "video")
  if not input then return nil end
  local on_picture = r.body.character and r.body.character.type == "image"
  if on_picture or r.body.references or r.body.referenceVideos then
    -- a performance, or a reference: it gives its length, not its frames
    return { seconds = r.body.character and input.seconds or nil }
  end
  return input
end

---@class rushes.sim.Order
---@field endpoint string
---@field entry table
---@field body table
---@field inputs rushes.sim.Input[]
---@field seed integer
---@field names {show?: string, shot?: string, take?: string}

--- What is to be made.
---@param r rushes.sim.Order
---@return rushes.sim.Piece[] pieces
---@return number? seconds  of the clip
---@return boolean? chosen  the model chose the length: what is too much is given back
function M.make(r)
  if r.endpoint == "text_to_image" then return stills(r) end
  if r.endpoint == "image_upscale" then return scaled(r) end
  r.clip = clip_of(r)
  return clip(r)
end

--- What the price rule may ask about the input.
---@param r rushes.sim.Order
---@return table facts
function M.facts(r)
  local video, picture = first_of(r.inputs, "video"), first_of(r.inputs, "image")
  local facts = {}
  if video then
    facts.seconds, facts.fps = video.seconds, video.fps
    if video.width then facts.pixels = video.width * video.height end
  end
  if r.endpoint == "image_upscale" and picture and picture.width then
    facts.longest_side = math.max(picture.width, picture.height)
      * (r.body.scaleFactor or 2)
  end
  return facts
end

return M
