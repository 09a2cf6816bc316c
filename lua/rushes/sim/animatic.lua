--- The clip that the simulator delivers: a slow camera move over the input picture
--- with a slate and the running timecode burned in. Pure: it builds the arguments
--- of one ffmpeg process and reads its progress; the caller runs it.
---
--- The same request gives the same bytes: one thread, bitexact muxing, and all that
--- varies comes from the seed. A killed ffmpeg leaves a valid but shorter file, so
--- the clip is good only if the exit status is 0 and `expected` frames were counted.
local burnin = require "rushes.sim.burnin"
local dice = require "rushes.sim.dice"
local plate = require "rushes.sim.plate"

local M = {}

---@class rushes.sim.Clip
---@field width integer     pixels, even
---@field height integer    pixels, even
---@field seconds? number   length; or
---@field frames? integer   length in frames
---@field fps? integer      frames in a second, default 24
---@field image? string     path of the picture; without it a plate is painted
---@field video? string     path of a clip to be used instead of a picture
---@field out string        path of the file to write (MP4), such as "clip.mp4.part"
---@field slate? string     path of the text file that holds `slate(o)`; else no words
---@field seed? integer     chooses the camera move and the slate's colour
---@field show? string
---@field shot? string
---@field take? integer|string
---@field model? string
---@field prompt? string
---@field credits? number
---@field timecode? string  of the first frame, default "01:00:00:00"
---@field preset? string    "veryfast" (default) or "ultrafast": quicker, for tests
---@field threads? integer  default 1; another number gives other bytes
---@field font? string      path of a monospaced font, default DejaVu Sans Mono
---@field bold? string      path of its bold face
---@field ffmpeg? string    program, default "ffmpeg"

---@class rushes.sim.Expected
---@field frames integer
---@field fps integer
---@field width integer
---@field height integer
---@field seconds number

local COLUMNS = 68       -- longest line of a slate
local LINES = 3          -- longest prompt of a slate
local START = "01:00:00:00"
local WIDEST = 3840      -- pixels; no canvas is painted wider than this, or the clip

local BOX_ALPHA = 142    -- of 255, the slate's box

-- swscale would turn RGB into BT.601, which is not what the clip's tags say.
local BT709 = "scale=out_color_matrix=bt709:out_range=tv,format=%s"

-- Of a blurred mask, the half that lies within its shape, as a lutrgb expression.
local INSIDE = "clip((val-128)*2.05\\,0\\,255)"

-- x264 quality, and the canvas that the camera moves over: its size against the
-- clip's and its pixel format. zoompan moves by whole canvas pixels (by two where
-- chroma is halved), so a larger canvas is a smoother move and costs more.
local PRESETS = {
  veryfast = { crf = 23, canvas = 1.5, format = "yuv444p" },
  ultrafast = { crf = 30, canvas = 1, format = "yuv420p" },
}

-- Camera moves: zoom and centre at the first and the last frame. Centres are parts
-- of the free way, 0 left or top, 1 right or bottom; they keep to the upper half,
-- where faces are. `1` in a zoom stands for the widest frame, `2` for the closest.
local MOVES = {
  { zoom = { 1, 2 }, x = { 0.50, 0.50 }, y = { 0.30, 0.30 } }, -- push in
  { zoom = { 2, 1 }, x = { 0.50, 0.50 }, y = { 0.30, 0.30 } }, -- pull out
  { zoom = { 2, 2 }, x = { 0.20, 0.80 }, y = { 0.35, 0.35 } }, -- pan right
  { zoom = { 2, 2 }, x = { 0.80, 0.20 }, y = { 0.35, 0.35 } }, -- pan left
  { zoom = { 2, 2 }, x = { 0.50, 0.50 }, y = { 0.50, 0.05 } }, -- rise
  { zoom = { 1, 2 }, x = { 0.50, 0.30 }, y = { 0.40, 0.25 } }, -- push in to the left
  { zoom = { 1, 2 }, x = { 0.50, 0.70 }, y = { 0.40, 0.25 } }, -- push in to the right
}

local function even(n)
  return math.floor(n / 2 + 0.5) * 2
end

--- What the clip must turn out to be.
---@param o rushes.sim.Clip
---@return rushes.sim.Expected
function M.expected(o)
  local fps = o.fps or 24
  local frames = o.frames or math.floor(o.seconds * fps + 0.5)
  return {
    frames = frames, fps = fps, width = o.width, height = o.height,
    seconds = frames / fps,
  }
end

local function slate_lines(o)
  local m = burnin.metrics(o.width, o.height, COLUMNS)
  local fields = {}
  local function field(format, value)
    if value ~= nil then fields[#fields + 1] = format:format(value) end
  end
  field("%s", o.model)
  field("seed %s", o.seed and tostring(o.seed))
  field("%g credits", o.credits)
  local meta = burnin.clean(table.concat(fields, " " .. burnin.bar .. " "))
  if #fields < 2 then meta = burnin.bar .. " " .. meta end
  local lines = { burnin.shorten(meta, m.columns) }
  local prompt = burnin.wrap(burnin.clean(o.prompt or ""), m.columns, LINES)
  return table.move(prompt, 1, #prompt, 2, lines)
end

--- The words of the slate below its title, wrapped for the clip's width: model, seed
--- and credits, then at most three lines of the prompt. To be written to `o.slate`.
---@param o rushes.sim.Clip
---@return string text
function M.slate(o)
  return table.concat(slate_lines(o), "\n")
end

local function title(o, columns)
  local take = math.type(o.take) and ("t%03d"):format(o.take) or o.take
  local names = {}
  for _, name in ipairs { o.show or false, o.shot or false, take or false } do
    if name then names[#names + 1] = name end
  end
  if #names == 0 then names[1] = "animatic" end
  return burnin.inline(table.concat(names, "  /  "), columns)
end

--- Draw the slate: a translucent box in the lower left with a rule in the seed's
--- colour, title and timecode on one line, the words below. All but the timecode is
--- drawn once, on a small frame of its own that is laid over each frame of the clip:
--- drawing two hundred glyphs for each frame would cost a sixth of the whole clip.
local function with_slate(chain, o, fps)
  local m = burnin.metrics(o.width, o.height, COLUMNS)
  local big = math.floor(m.font * burnin.title_scale + 0.5)
  local head = math.floor(big * 1.5)
  local rule = math.max(3, m.font // 5)
  local width = even(m.box + rule)
  local height = even(m.pad * 2 + head + math.ceil(#slate_lines(o) * m.line))
  -- An input clip may bring a slate of its own, which is below: leave it readable.
  local x, y = even(m.margin), even(o.video and m.margin or o.height - m.margin - height)
  local baseline = m.pad + math.floor(big * 0.8)
  local font, bold = o.font or burnin.font, o.bold or o.font or burnin.bold
  local room = math.floor((m.columns - 13) / burnin.title_scale)
  local card = table.concat({
    ("color=c=0x0B0E14:s=%dx%d:r=1,trim=end_frame=1,format=gbrp"):format(width, height),
    burnin.box(burnin.accent(o.seed), 0, 0, rule, height),
    burnin.name(title(o, room), bold, big, "white", m.pad + rule, baseline),
    burnin.file(o.slate, font, m.font, "0xE6EBF2", m.pad + rule, m.pad + head),
  }, ",")
  return table.concat({
    chain .. ",format=yuv420p[bare]",
    card .. ",split=2[ink][light]",
    ("[light]format=gray,lutyuv=y=min(255\\,%d+val)[cover]"):format(BOX_ALPHA),
    "[ink][cover]alphamerge," .. BT709:format("yuva420p") .. "[card]",
    ("[bare][card]overlay=%d:%d"):format(x, y),
  }, ";") .. "," .. burnin.timecode(o.timecode or START, fps, font, m.font, "0xFFD27A",
    x + width - m.pad, y + baseline)
end

--- A picture of any shape, scaled until it covers the frame or loses an eighth of its
--- longer side, and cut to the frame; less is cut off above than below.
local function fitted(w, h)
  local cover = ("max(%d/iw,%d/ih)"):format(w, h)
  local fit = ("1.14*min(%d/iw,%d/ih)"):format(w, h)
  local size = ("min(%s,%s)"):format(cover, fit)
  return ("scale=w='trunc(iw*%s/2+0.5)*2':h='trunc(ih*%s/2+0.5)*2':flags=bicubic,"
    .. "crop=w='min(iw,%d)':h='min(ih,%d)':x='(iw-ow)/2':y='(ih-oh)/4'"):format(
    size, size, w, h)
end

--- The picture as a small frame of soft colours, to be blown up behind `fitted`.
local function blurred(w, h)
  return ("scale=%d:%d:force_original_aspect_ratio=increase,crop=%d:%d,gblur=sigma=%d")
    :format(w, h, w, h, math.max(2, h // 7))
end

--- Filters that fit a picture of any shape into the canvas without cutting off more
--- than an eighth: what remains free is filled with the picture itself, blurred and
--- darkened, and the seam between them is soft.
local function canvas(w, h)
  local sw, sh = w // 8, h // 8
  return table.concat({
    "format=gbrp,split=2[back][front]",
    ("[back]%s,lutrgb=r=val*0.62:g=val*0.62:b=val*0.66,scale=%d:%d:flags=bicubic[fill]")
      :format(blurred(sw, sh), w, h),
    ("[front]%s,split=2[fitted][shape]"):format(fitted(w, h)),
    ("[shape]lutrgb=r=255:g=255:b=255,pad=%d:%d:(ow-iw)/2:(oh-ih)/2,scale=%d:%d,"
      .. "gblur=sigma=%d,lutrgb=r=%s:g=%s:b=%s,scale=%d:%d:flags=bicubic[mask]"):format(
      w, h, sw, sh, math.max(2, sw // 28), INSIDE, INSIDE, INSIDE, w, h),
    ("[fitted]pad=%d:%d:(ow-iw)/2:(oh-ih)/2[figure]"):format(w, h),
    "[fill][figure][mask]maskedmerge",
  }, ";")
end

--- The camera: zoompan over the canvas, easing in and out of the move.
local function camera(o, expected)
  local roll = dice(o.seed)
  roll(1, 2) -- the first throw is the slate's colour
  local move = MOVES[roll(1, #MOVES)]
  local closest = 1 + math.min(0.22, 0.09 + 0.008 * expected.seconds)
    + roll(0, 3) / 100
  local last = math.max(1, expected.frames - 1)
  local t = ("on/%d"):format(last)
  local ease = ("(0.5*%s+%s*%s*(1.5-%s))"):format(t, t, t, t)
  local function between(a, b)
    return a == b and ("%.4f"):format(a) or ("(%.4f%+.4f*%s)"):format(a, b - a, ease)
  end
  local function zoom(step) return step == 1 and 1 or closest end
  return ("zoompan=z='%s':x='(iw-iw/zoom)*%s':y='(ih-ih/zoom)*%s'"
    .. ":d=%d:s=%dx%d:fps=%d"):format(
    between(zoom(move.zoom[1]), zoom(move.zoom[2])), between(move.x[1], move.x[2]),
    between(move.y[1], move.y[2]), expected.frames, o.width, o.height, expected.fps)
end

local function picture_chain(o, expected, preset)
  local long = math.max(o.width, o.height)
  local factor = math.max(1, math.min(preset.canvas, WIDEST / long))
  local w, h = even(o.width * factor), even(o.height * factor)
  local tail = "," .. BT709:format(preset.format) .. "," .. camera(o, expected)
  if o.image then return "[0:v]" .. canvas(w, h) .. tail end
  local backdrop = plate.graph(
    { width = w, height = h, seed = o.seed, prompt = o.prompt }, "plate")
  return backdrop .. ";[plate]null" .. tail
end

--- A clip over a clip: the same frames in the asked shape, in a tint of the seed; the
--- last one stays when the input is shorter.
local function video_chain(o, expected)
  local w, h = o.width, o.height
  return table.concat({
    ("[0:v]fps=%d,format=yuv420p,split=2[back][front]"):format(expected.fps),
    ("[back]%s,lutyuv=y=val*0.62,scale=%d:%d[fill]"):format(
      blurred(w // 8, h // 8), w, h),
    ("[front]%s[figure]"):format(fitted(w, h)),
    ("[fill][figure]overlay=(W-w)/2:(H-h)/2,hue=h=%d:s=1.12,tpad=stop=-1:stop_mode=clone")
      :format(dice(o.seed)(-28, 28)),
  }, ";")
end

local function check(o)
  local length = o.frames or o.seconds
  if math.type(o.width) ~= "integer" or math.type(o.height) ~= "integer"
    or o.width % 2 ~= 0 or o.height % 2 ~= 0 then
    error(("a clip's width and height must be even whole numbers of pixels, got %s x %s")
      :format(o.width, o.height), 3)
  elseif not (tonumber(length) and length > 0) then
    error("a clip needs seconds or frames above zero", 3)
  elseif o.preset and not PRESETS[o.preset] then
    error(("preset must be veryfast or ultrafast, got %s"):format(o.preset), 3)
  end
end

--- The ffmpeg process that makes the clip. Raises on sizes that H.264 cannot have.
---@param o rushes.sim.Clip
---@return string[] argv  the program first; stdout carries `progress` lines
function M.args(o)
  check(o)
  local expected, preset = M.expected(o), PRESETS[o.preset or "veryfast"]
  local threads = ("%d"):format(o.threads or 1)
  local chain = o.video and video_chain(o, expected) or picture_chain(o, expected, preset)
  if o.slate then chain = with_slate(chain, o, expected.fps) end
  local argv = { o.ffmpeg or "ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-y",
    "-progress", "pipe:1", "-nostats", "-filter_complex_threads", threads }
  local function add(...)
    for _, word in ipairs { ... } do argv[#argv + 1] = word end
  end
  local input = o.video or o.image
  if input then add("-threads", threads, "-i", "file:" .. input) end
  add("-filter_complex", chain .. ",format=yuv420p[v]", "-map", "[v]",
    "-map_metadata", "-1", "-frames:v", ("%d"):format(expected.frames))
  add("-c:v", "libx264", "-preset", o.preset or "veryfast",
    "-crf", ("%d"):format(preset.crf), "-x264-params", "subme=1",
    "-g", ("%d"):format(expected.fps), "-threads", threads,
    "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709",
    "-color_range", "tv", "-flags:v", "+bitexact", "-fflags", "+bitexact")
  add("-timecode", o.timecode or START, "-movflags", "+faststart", "-f", "mp4",
    "file:" .. o.out)
  return argv
end

--- What a line of ffmpeg's `-progress` output says: the number of frames written so
--- far, "end" when it has finished, nil for all other lines.
---@param line string
---@return integer|"end"|nil
function M.progress(line)
  local frame = line:match "^frame=%s*(%d+)%s*$"
  if frame then return math.tointeger(frame) end
  return line:match "^progress=end%s*$" and "end" or nil
end

return M
