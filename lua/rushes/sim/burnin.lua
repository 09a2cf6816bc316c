--- Words burned into a picture: what may be drawn, how it is wrapped, and the
--- ffmpeg filters that draw it. Pure: builds strings, opens nothing.
---
--- Prompts never stand in a filter string. They are written to a text file that
--- drawtext reads with expansion=none; only names cut down by `inline` and file
--- paths quoted by `escape` are put into the filter itself.
local dice = require "rushes.sim.dice"

local M = {}

local FOLDER = "/usr/share/fonts/truetype/dejavu/"

--- The fonts of Debian's fonts-dejavu-core that are used when none is given.
M.font = FOLDER .. "DejaVuSansMono.ttf"
M.bold = FOLDER .. "DejaVuSansMono-Bold.ttf"

--- Separates fields. Its glyph is as tall as the font's line, and drawtext steps
--- lines by the tallest glyph in the text, so a text that has it has fixed steps.
M.bar = "│"

M.title_scale = 1.25 -- title size in text sizes

local ADVANCE = 0.602 -- width of a DejaVu Sans Mono glyph in em
local STEP = 1.18     -- height of a line in em, the bar's glyph

-- Code points that the font can draw, left to right, one cell each.
local DRAWABLE = {
  { 0x21, 0x7E }, { 0xA1, 0x24F }, { 0x250, 0x2FF }, { 0x370, 0x3FF },
  { 0x400, 0x45F }, { 0x48A, 0x4FF }, { 0x1E00, 0x1EFF }, { 0x2010, 0x2027 },
  { 0x2030, 0x205E }, { 0x2070, 0x209F }, { 0x20A0, 0x20B5 }, { 0x2100, 0x214F },
  { 0x2190, 0x23CF }, { 0x2500, 0x26FF }, { 0x2701, 0x27BF },
}

-- Marks of no width, joiners and variation selectors leave no trace.
local SILENT = {
  { 0x300, 0x36F }, { 0x200B, 0x200F }, { 0x202A, 0x202E }, { 0x2060, 0x206F },
  { 0xAD, 0xAD }, { 0xFE00, 0xFE0F }, { 0xFEFF, 0xFEFF }, { 0x1F3FB, 0x1F3FF },
}

local SPACES = { { 0x00, 0x20 }, { 0x7F, 0xA0 }, { 0x2000, 0x200A }, { 0x2028, 0x2029 } }

local ACCENTS = {
  "0xE8B44F", "0xE0524D", "0x3EC6C0", "0x8E7BFF", "0x7BC86C", "0xF2789F",
  "0x4FA3F7", "0xF29B4B",
}

local function within(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return true end
  end
  return false
end

--- What stands for one code point: itself, a space, a dot, or nothing.
local function stand_in(char)
  local code = utf8.len(char) == 1 and utf8.codepoint(char)
  if not code then return "·" end
  if within(SPACES, code) then return " " end
  if within(SILENT, code) then return "" end
  return within(DRAWABLE, code) and char or "·"
end

--- One line of text that the font can draw: line breaks and control characters
--- become spaces, a run of what it cannot draw (emoji, Han, broken UTF-8) one dot.
---@param text string
---@return string
function M.clean(text)
  local out = text:gsub("[\0-\x7F\xC2-\xF4][\x80-\xBF]*", stand_in)
  out = out:gsub("[\x80-\xFF]+", function(bytes)
    return utf8.len(bytes) and bytes or "·"
  end)
  repeat
    local n
    out, n = out:gsub("··", "·")
  until n == 0
  return (out:gsub(" +", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function head(text, n)
  local stop = utf8.offset(text, n + 1)
  return stop and text:sub(1, stop - 1) or text
end

--- `text` in at most `n` characters, the last of them an ellipsis if it was cut.
---@param text string
---@param n integer
---@return string
function M.shorten(text, n)
  if utf8.len(text) <= n then return text end
  return (head(text, n - 1):gsub("[ ,;:.]+$", "")) .. "…"
end

--- Break the text into at most `limit` lines of at most `columns` characters,
--- between words where possible; what does not fit ends in an ellipsis.
---@param text string    cleaned
---@param columns integer
---@param limit integer
---@return string[] lines
function M.wrap(text, columns, limit)
  local lines, rest = {}, text
  while rest ~= "" do
    if #lines == limit - 1 or utf8.len(rest) <= columns then
      lines[#lines + 1] = M.shorten(rest, columns)
      break
    end
    local line = head(rest, columns + 1)
    local cut = line:match "^.*() " or 0
    line = cut > 1 and line:sub(1, cut - 1) or head(rest, columns)
    lines[#lines + 1] = line
    rest = rest:sub(#line + 1):gsub("^ +", "")
  end
  return lines
end

--- A file path as a filter's option value inside a filter graph: quoted once for
--- the option, once for the graph.
---@param path string
---@return string
function M.escape(path)
  local option = path:gsub("[\\':]", "\\%0")
  return (option:gsub("[\\'%[%],;]", "\\%0"))
end

--- A name that may stand in a filter string as it is: whatever the filter
--- grammar could read as its own is dropped.
---@param text string
---@param columns integer  at most so many characters
---@return string
function M.inline(text, columns)
  local safe = M.clean(text):gsub("[\\':%[%],;=%%{}\"`$]", "")
  return M.shorten(safe, columns)
end

---@class rushes.sim.Metrics  sizes in pixels
---@field font integer     size of the text
---@field margin integer   from the frame's edge to the box
---@field pad integer      from the box's edge to the words
---@field line number      height of a line
---@field advance integer  width of a character
---@field columns integer  characters in a line
---@field box integer      width of the box

--- Sizes for a frame, from its shorter side, so that a slate is as easy to read
--- at 720x1280 as at 1280x720. `scale` is the text's size against the slate's.
---@param width integer
---@param height integer
---@param longest integer  most characters in a line
---@param scale? number
---@return rushes.sim.Metrics
function M.metrics(width, height, longest, scale)
  local short = math.min(width, height)
  local font = math.max(11, math.floor(short / 40 * (scale or 1) + 0.5))
  local margin = math.floor(short * 0.045)
  local pad = math.floor(font * 0.8)
  local advance = math.floor(font * ADVANCE + 0.5) -- hinting makes it whole pixels
  local room = (width - 2 * margin - 2 * pad) // advance
  local columns = math.max(8, math.min(longest, room))
  return {
    font = font, margin = margin, pad = pad, columns = columns,
    line = font * STEP, advance = advance, box = columns * advance + 2 * pad,
  }
end

--- The colour of a seed, so that two takes side by side are told apart at once.
---@param seed? integer
---@return string colour
function M.accent(seed)
  return ACCENTS[dice(seed)(1, #ACCENTS)]
end

local function drawtext(font, size, colour, x, y, what)
  return ("drawtext=fontfile=%s:fontsize=%d:fontcolor=%s:x=%s:y=%s:%s"):format(
    M.escape(font), size, colour, x, y, what)
end

--- A filter that fills a rectangle.
function M.box(colour, x, y, width, height)
  return ("drawbox=x=%d:y=%d:w=%d:h=%d:color=%s:t=fill"):format(
    x, y, width, height, colour)
end

--- A filter that draws a text file whose top left corner is at x, y.
function M.file(path, font, size, colour, x, y)
  return drawtext(font, size, colour, x, y,
    "expansion=none:textfile=" .. M.escape(path))
end

--- A filter that draws a short name on the baseline y. `text` comes from `inline`.
function M.name(text, font, size, colour, x, y)
  return drawtext(font, size, colour, x, y .. "-max_glyph_a",
    ("expansion=none:text='%s'"):format(text))
end

--- A filter that draws the running timecode on the baseline y, ending at x.
---@param start string  "HH:MM:SS:FF"
---@param rate integer  frames in a second
function M.timecode(start, rate, font, size, colour, x, y)
  return drawtext(font, size, colour, x .. "-tw", y .. "-max_glyph_a",
    ("timecode='%s':rate=%d"):format(start:gsub(":", "\\:"), rate))
end

return M
