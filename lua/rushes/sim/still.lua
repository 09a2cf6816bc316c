--- The still that the simulator delivers: up to three references composed into one
--- picture. The character stands large at one third, a style or a location becomes
--- the blurred backdrop, a prop is an inset (or the subject, when there is no
--- character). Tags, prompt and seed are burned in at the top, away from the figure.
--- Pure: it builds the arguments of one ffmpeg process; the caller runs it.
---
--- A reference with an alpha channel is cut out by it; any other one gets soft edges.
local burnin = require "rushes.sim.burnin"
local dice = require "rushes.sim.dice"
local plate = require "rushes.sim.plate"

local M = {}

---@class rushes.sim.Reference
---@field path string
---@field tag? string
---@field kind? string      "character" | "prop" | "style" | "location"; guessed if absent
---@field width? integer    pixels; with height, they help guessing the kind
---@field height? integer

---@class rushes.sim.Still
---@field references? rushes.sim.Reference[]  at most three are used
---@field width integer
---@field height integer
---@field out string        path of the file to write (PNG), such as "still.png.part"
---@field slate? string     path of the text file that holds `slate(o)`; else no words
---@field seed? integer     chooses the side, the size, the tint and the plate
---@field model? string
---@field prompt? string    also chooses the light: "golden hour", "night", "office" …
---@field threads? integer  default 1
---@field font? string      path of a monospaced font, default DejaVu Sans Mono
---@field ffmpeg? string    program, default "ffmpeg"

local COLUMNS = 44   -- longest line of the label
local LINES = 2      -- longest prompt of the label
local SCALE = 0.8    -- the label's text against a clip's slate
local LIMIT = 3      -- references in one picture, the API's own limit
local BOX_ALPHA = "0.46"
local INSET_X = 9    -- percent of the width that a later camera move may cut off

local BACKDROP = { style = true, location = true }

--- What a reference without a kind most likely is: what is wider than high is a
--- place; if its size is unknown, the first is the subject and the second the place.
local function kind_of(reference, place)
  if reference.kind then return reference.kind end
  if reference.width and reference.height then
    return reference.width > reference.height * 1.2 and "style" or "character"
  end
  return place == 2 and "style" or "character"
end

---@class rushes.sim.Cast
---@field figure? integer   index of the reference that is the subject
---@field place? integer    index of the one that is the backdrop
---@field insets integer[]  the others

--- Who plays what.
---@param references rushes.sim.Reference[]
---@return rushes.sim.Cast
function M.cast(references)
  local cast, kinds = { insets = {} }, {}
  for i = 1, math.min(#references, LIMIT) do
    kinds[i] = kind_of(references[i], i)
    if BACKDROP[kinds[i]] then
      cast.place = cast.place or i
    elseif kinds[i] == "character" then
      cast.figure = cast.figure or i
    end
  end
  for i, kind in ipairs(kinds) do
    if not cast.figure and not BACKDROP[kind] then cast.figure = i end
    if i ~= cast.figure and i ~= cast.place then cast.insets[#cast.insets + 1] = i end
  end
  return cast
end

--- Where things stand; all of it follows from the seed and the frame's shape.
local function layout(o)
  local roll = dice(o.seed)
  local wide = o.width > o.height * 0.95
  local left = roll(1, 2) == 1
  local third = left and 0.34 or 0.66
  local prompt = (o.prompt or ""):lower()
  local close = (prompt:find "close.?up" or prompt:find "macro") and 1.45 or 1
  return {
    left = left, wide = wide,
    centre = wide and third + roll(-3, 3) / 100 or 0.5 + roll(-4, 4) / 100,
    high = close * (wide and roll(100, 126) or roll(84, 92)) / 100,
    broad = close * (wide and 0.72 or 1.14),
    hue = roll(-3, 3), flip = roll(1, 2) == 2,
  }
end

local function slate_lines(o)
  local m = burnin.metrics(o.width, o.height, COLUMNS, SCALE)
  local fields = {}
  for i, reference in ipairs(o.references or {}) do
    if i <= LIMIT and reference.tag then fields[#fields + 1] = "@" .. reference.tag end
  end
  local head = #fields > 0 and { table.concat(fields, " ") } or {}
  if o.model then head[#head + 1] = o.model end
  head[#head + 1] = ("seed %s"):format(o.seed or 0)
  local bar = " " .. burnin.bar .. " "
  local meta = #head > 1 and table.concat(head, bar) or burnin.bar .. " " .. head[1]
  local lines = { burnin.shorten(burnin.clean(meta), m.columns) }
  local prompt = burnin.wrap(burnin.clean(o.prompt or ""), m.columns, LINES)
  return table.move(prompt, 1, #prompt, 2, lines)
end

--- The words of the label, wrapped for the picture: tags, model and seed, then at
--- most two lines of the prompt. To be written to the file `o.slate`.
---@param o rushes.sim.Still
---@return string text
function M.slate(o)
  return table.concat(slate_lines(o), "\n")
end

--- Backdrop: the place, out of focus and lit as the prompt says; else a plate.
local function backdrop(o, cast, stage)
  local painted = plate.graph(o, "plate")
  if not cast.place then return { painted .. ";[plate]null[back]" } end
  local blur = math.min(o.width, o.height) / (cast.figure and 150 or 400)
  return {
    painted,
    ("[%d:v]format=gbrp,scale=%d:%d:force_original_aspect_ratio=increase:flags=bicubic,"
      .. "crop=%d:%d%s,gblur=sigma=%.1f[place]"):format(cast.place - 1, o.width, o.height,
      o.width, o.height, stage.flip and ",hflip" or "", blur),
    "[plate]split=2[light][haze]",
    "[place][light]blend=all_mode=softlight:all_opacity=0.4[lit]",
    "[lit][haze]blend=all_mode=normal:all_opacity=0.76[back]", -- 24 % of the plate
  }
end

--- The alpha of a figure: its own, faded out at the left and right edge of the picture,
--- and at the upper edge where the figure does not reach up to the frame's. (Black is
--- drawn as luma 16; the last table makes it 0, or a faint rectangle would remain.)
local function soft_alpha(input, output, stage)
  local top = stage.wide and "" or "drawbox=x=0:y=0:w=iw:h=ih/40:color=black:t=fill,"
  return {
    ("[%s]alphaextract,split=2[own][edge]"):format(input),
    "[edge]lutyuv=y=255,scale=iw/8:ih/8,drawbox=x=0:y=0:w=iw/12:h=ih:color=black:t=fill,"
      .. "drawbox=x=iw-iw/12:y=0:w=iw:h=ih:color=black:t=fill," .. top
      .. "gblur=sigma=2,lutyuv=y=clip((val-20)*1.1\\,0\\,255),scale=iw*8:ih*8[faded]",
    ("[own][faded]blend=all_mode=multiply[%s]"):format(output),
  }
end

--- Filters that put the figure in front of [back], with the shadow it throws.
local function figure(o, index, kind, stage)
  local w, h = o.width, o.height
  local high = ("min(%d,%d*ih/iw)"):format(
    math.floor(h * stage.high), math.floor(w * stage.broad))
  local shadow = math.max(4, h // 45)
  local out = {
    ("[%d:v]format=rgba,scale=w='trunc(iw/ih*%s/8)*8':h='trunc(%s/8)*8':flags=bicubic,"
      .. "format=gbrap,split=2[body][bodyalpha]"):format(index - 1, high, high),
  }
  table.move(soft_alpha("bodyalpha", "alpha", stage), 1, 3, 2, out)
  local x = ("%d-w/2"):format(math.floor(w * stage.centre))
  local y = (kind == "prop" and "(%d-h)/2" or "max(0,%d-h)"):format(h)
  local function place(dx, dy)
    return ("overlay=x=%s%+d:y='%s%+d':format=gbrp"):format(x, dx, y, dy)
  end
  out[#out + 1] = "[alpha]split=2[cut][dark]"
  out[#out + 1] = "[body]format=gbrp,split=2[skin][dull];[skin][cut]alphamerge[actor]"
  out[#out + 1] = ("[dark]scale=iw/8:ih/8,gblur=sigma=%d,lutyuv=y=max(0\\,val-30)*0.46,"
    .. "scale=iw*8:ih*8[shade]")
    :format(math.max(2, h // 180))
  out[#out + 1] = "[dull]lutrgb=r=0:g=0:b=0[black];[black][shade]alphamerge[shadow]"
  out[#out + 1] = ("[back][shadow]%s[grounded]"):format(
    place(stage.left and shadow or -shadow, shadow // 2))
  out[#out + 1] = ("[grounded][actor]%s[scene]"):format(place(0, 0))
  return out
end

--- Filters that hang the other references, framed in white: on the side that the
--- figure leaves free, or in an upright picture next to the label.
local function insets(o, list, stage)
  local out, from = {}, "scene"
  local side = math.min(o.width, o.height) * (stage.wide and 26 or 20) // 100
  local edge = math.max(2, side // 50)
  local x, y = o.width * INSET_X // 100, o.height * (stage.wide and 30 or 6) // 100
  if stage.left == stage.wide then x = o.width - x - side - 2 * edge end
  for n, index in ipairs(list) do
    local pad, to = "inset" .. n, "hung" .. n
    out[#out + 1] = ("[%d:v]format=gbrp,scale=%d:%d:force_original_aspect_ratio=increase,"
      .. "crop=%d:%d,pad=iw+%d:ih+%d:%d:%d:0xF4F1EA[%s]"):format(
      index - 1, side, side, side, side, 2 * edge, 2 * edge, edge, edge, pad)
    out[#out + 1] = ("[%s][%s]overlay=x=%d:y=%d:format=gbrp[%s]"):format(
      from, pad, x, y, to)
    from, y = to, y + side + 4 * edge
  end
  return out, from
end

--- Light that all share, so that the figure belongs to the place, and the label.
local function finish(o, from, stage)
  local m = burnin.metrics(o.width, o.height, COLUMNS, SCALE)
  local longest, lines = 0, slate_lines(o)
  for _, line in ipairs(lines) do longest = math.max(longest, utf8.len(line)) end
  local out = { ("[%s]hue=h=%d,vignette=angle=0.38:dither=0"):format(from, stage.hue) }
  if not o.slate then return out[1] .. ",format=rgb24[out]" end
  local pad = m.pad
  local width = longest * m.advance + 2 * pad
  local x, y = o.width * INSET_X // 100, o.height * 6 // 100
  if stage.left then x = o.width - x - width end
  out[2] = burnin.box("0x0B0E14@" .. BOX_ALPHA, x, y, width,
    math.ceil(#lines * m.line) + 2 * pad)
  out[3] = burnin.box(burnin.accent(o.seed), x, y, width, math.max(2, m.font // 7))
  out[4] = burnin.file(o.slate, o.font or burnin.font, m.font, "0xE6EBF2",
    x + pad, y + pad)
  return table.concat(out, ",") .. ",format=rgb24[out]"
end

local function graph(o, cast)
  local stage = layout(o)
  local parts = backdrop(o, cast, stage)
  local function add(list) table.move(list, 1, #list, #parts + 1, parts) end
  local kind = cast.figure and o.references[cast.figure].kind
  add(cast.figure and figure(o, cast.figure, kind, stage) or { "[back]null[scene]" })
  local framed, last = insets(o, cast.insets, stage)
  add(framed)
  add { finish(o, last, stage) }
  return table.concat(parts, ";")
end

--- The ffmpeg process that makes the still.
---@param o rushes.sim.Still
---@return string[] argv  the program first
function M.args(o)
  if math.type(o.width) ~= "integer" or math.type(o.height) ~= "integer" then
    error(("a still's width and height must be whole numbers of pixels, got %s x %s")
      :format(o.width, o.height), 2)
  end
  local references = o.references or {}
  local threads = ("%d"):format(o.threads or 1)
  local argv = { o.ffmpeg or "ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-y",
    "-filter_complex_threads", threads }
  local function add(...)
    for _, word in ipairs { ... } do argv[#argv + 1] = word end
  end
  for i = 1, math.min(#references, LIMIT) do
    add("-threads", threads, "-i", "file:" .. references[i].path)
  end
  add("-filter_complex", graph(o, M.cast(references)), "-map", "[out]",
    "-map_metadata", "-1", "-frames:v", "1")
  add("-c:v", "png", "-threads", threads, "-flags:v", "+bitexact", "-fflags", "+bitexact",
    "-f", "image2pipe", "file:" .. o.out)
  return argv
end

return M
