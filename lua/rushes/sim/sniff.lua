--- What a file is by its first bytes, and how large a picture is.
local M = {}

---@class rushes.sim.Sniffed
---@field type string      media type
---@field media "image"|"video"|"audio"
---@field ext string
---@field width? integer   pixels, of a picture
---@field height? integer

local function png(s)
  if #s < 24 or s:sub(13, 16) ~= "IHDR" then return nil end
  return (">I4I4"):unpack(s, 17)
end

--- Walk the segments to the frame header. (C4, C8 and CC are tables, not frames.)
local function jpeg(s)
  local at = 3
  while at + 8 <= #s do
    local mark, kind, size = (">BBI2"):unpack(s, at)
    if mark ~= 0xFF then return nil end
    if kind == 0xFF then
      at = at + 1
    elseif kind >= 0xC0 and kind <= 0xCF and kind ~= 0xC4 and kind ~= 0xC8
      and kind ~= 0xCC then
      local height, width = (">I2I2"):unpack(s, at + 5)
      return width, height
    else
      at = at + 2 + size
    end
  end
end

local function webp(s)
  local kind = s:sub(13, 16)
  if #s < 30 then return nil end
  if kind == "VP8X" then
    local w, h = ("<I3I3"):unpack(s, 25)
    return w + 1, h + 1
  elseif kind == "VP8L" then
    local bits = ("<I4"):unpack(s, 22)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
  elseif kind == "VP8 " then
    local w, h = ("<I2I2"):unpack(s, 27)
    return w & 0x3FFF, h & 0x3FFF
  end
end

local PICTURES = {
  { "^\x89PNG\r\n\x1A\n", "image/png", "png", png },
  { "^\xFF\xD8\xFF", "image/jpeg", "jpg", jpeg },
  { "^RIFF....WEBP", "image/webp", "webp", webp },
}

local OTHERS = {
  { "^....ftypqt", "video/quicktime", "mov" },
  { "^....ftyp3g", "video/3gpp", "3gp" },
  { "^....ftypM4A", "audio/mp4", "m4a" },
  { "^....ftyp", "video/mp4", "mp4" },
  { "^\x1A\x45\xDF\xA3", "video/webm", "webm" },
  { "^OggS", "video/ogg", "ogv" },
  { "^RIFF....WAVE", "audio/wav", "wav" },
  { "^ID3", "audio/mpeg", "mp3" },
  { "^\xFF[\xFB\xF3\xF2]", "audio/mpeg", "mp3" },
  { "^fLaC", "audio/flac", "flac" },
}

--- Look at the beginning of a file; for a JPEG that is all up to its frame header.
---@param s string
---@return rushes.sim.Sniffed?  nil: nothing that the API takes
function M.sniff(s)
  for _, row in ipairs(PICTURES) do
    if s:find(row[1]) then
      local width, height = row[4](s)
      if not width or width == 0 or height == 0 then return nil end
      return { type = row[2], media = "image", ext = row[3], width = width,
        height = height }
    end
  end
  for _, row in ipairs(OTHERS) do
    if s:find(row[1]) then
      return { type = row[2], media = row[2]:match "^%a+", ext = row[3] }
    end
  end
end

local HEAD = 1 << 20 -- bytes; JPEGs may carry large profiles before the frame header

--- The same of a file on disk.
---@param path string
---@return rushes.sim.Sniffed?
function M.file(path)
  local f = io.open(path, "rb")
  if not f then return nil end
  local s = f:read(HEAD) or ""
  f:close()
  return M.sniff(s)
end

return M
