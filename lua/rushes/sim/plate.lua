--- A backdrop when there is no picture: sky or wall, light and out-of-focus shapes,
--- coloured after what the prompt speaks of ("golden hour", "night", "office"), or
--- by the seed when it speaks of nothing known. Pure: builds ffmpeg filters.
---
--- It is painted 320 pixels long and blown up, which is what makes it soft.
local dice = require "rushes.sim.dice"

local M = {}

local LONG = 320 -- pixels of the longer side while painting
local SHORT = 48 -- at least so many of the shorter one, even for a ribbon

---@class rushes.sim.Mood
---@field words string[]   lower case; what a prompt says to ask for it
---@field sky string[]     three colours from top to bottom
---@field shape string     colour of what stands in front of the sky
---@field light string     colour of the lamps
---@field scene string     "city" | "room" | "hills"

---@type rushes.sim.Mood[]
M.moods = {
  { scene = "city", shape = "0x6B2A3E", light = "0xFFE2A0",
    sky = { "0x4A3F7A", "0xF08A5D", "0xFFD98A" },
    words = { "golden hour", "sunset", "sunrise", "dusk", "dawn", "warm", "autumn" } },
  { scene = "city", shape = "0x150A33", light = "0xFF5FB0",
    sky = { "0x070820", "0x2C1259", "0xB02F7F" },
    words = { "neon", "night", "midnight", "moody", "cyberpunk", "moon", "club" } },
  { scene = "room", shape = "0x2E5568", light = "0xEAF8FF",
    sky = { "0xC6DCE6", "0x8FB2C4", "0x45697D" },
    words = { "office", "lobby", "glass", "steel", "meeting", "executive", "modern",
      "architectural", "business", "hospital", "laboratory" } },
  { scene = "hills", shape = "0x22503F", light = "0xF6FFD2",
    sky = { "0x8CC4D8", "0xCDE5C8", "0x7FA66A" },
    words = { "forest", "outdoor", "mountain", "garden", "field", "adventure",
      "jungle", "natural light", "meadow", "countryside" } },
  { scene = "room", shape = "0x9A8468", light = "0xFFFDF4",
    sky = { "0xF4EEE4", "0xDCD0BF", "0xA9977F" },
    words = { "marble", "studio", "premium", "product", "white", "minimal", "macro",
      "kitchen" } },
  { scene = "hills", shape = "0x1C4E75", light = "0xE9FBFF",
    sky = { "0x9CD3F0", "0x4FA0CB", "0x1B5580" },
    words = { "ocean", "sea", "beach", "water", "river", "rain", "snow", "winter" } },
  { scene = "hills", shape = "0x7A3520", light = "0xFFE9C0",
    sky = { "0xF7C98B", "0xE48E55", "0xA24B2E" },
    words = { "desert", "sand", "dune", "mars", "fire", "canyon", "savanna" } },
}

--- The mood of which the prompt says most, or the seed's own.
---@param prompt? string
---@param seed? integer
---@return rushes.sim.Mood
function M.mood(prompt, seed)
  local text = (prompt or ""):lower():gsub("depth of field", "")
  local best, most = nil, 0
  for _, mood in ipairs(M.moods) do
    local hits = 0
    for _, word in ipairs(mood.words) do
      if text:find("%f[%a]" .. word .. "s?%f[%A]") then hits = hits + 1 end
    end
    if hits > most then best, most = mood, hits end
  end
  return best or M.moods[dice(seed)(1, #M.moods)]
end

local function box(x, y, w, h, colour, alpha)
  return ("drawbox=x=%d:y=%d:w=%d:h=%d:color=%s@%.2f:t=fill"):format(
    x, y, w, h, colour, alpha)
end

--- Two rows of houses, the far one paler.
local function city(w, h, roll, mood, out)
  local ground = h * 78 // 100
  for row = 1, 2 do
    local x = -roll(0, 12)
    while x < w do
      local wide = roll(14, 34)
      local tall = roll(h * 16 // 100, h * (row == 1 and 58 or 40) // 100)
      out[#out + 1] = box(x, ground - tall, wide, tall, mood.shape, row * 0.36)
      for _ = 1, row == 2 and 5 or 0 do
        local across, up = roll(2, wide - 4), roll(4, math.max(4, tall - 4))
        out[#out + 1] = box(x + across, ground - up, 2, 3, mood.light, roll(45, 90) / 100)
      end
      x = x + wide + (row == 2 and roll(0, 22) or 0)
    end
  end
  out[#out + 1] = box(0, ground, w, h - ground, mood.shape, 0.72)
  out[#out + 1] = box(0, ground, w, 2, mood.light, 0.45)
end

--- A wall of tall windows over a floor that mirrors them.
local function room(w, h, roll, mood, out)
  local floor = h * roll(68, 76) // 100
  local pane, sill = roll(44, 68), h * 9 // 100
  local x = -roll(0, pane)
  while x < w do
    local glow = roll(20, 44) / 100
    out[#out + 1] = box(x + 2, sill, pane - 4, floor - sill, mood.light, glow)
    out[#out + 1] = box(x + 2, floor + 3, pane - 4, h - floor, mood.light, glow * 0.45)
    out[#out + 1] = box(x, 0, 2, floor, mood.shape, 0.42)
    for _ = 1, 2 do -- houses seen through the glass
      local wide, tall = roll(8, 18), roll(h // 10, h * 38 // 100)
      local across = roll(2, pane - wide)
      out[#out + 1] = box(x + across, floor - tall, wide, tall, mood.shape, 0.13)
    end
    x = x + pane
  end
  out[#out + 1] = box(0, sill, w, 2, mood.shape, 0.30)
  out[#out + 1] = box(0, floor, w, 3, mood.shape, 0.55)
  out[#out + 1] = box(0, floor + 3, w, h - floor, mood.shape, 0.30)
end

--- Waves of land, one behind the other, drawn as columns.
local function hills(w, h, roll, mood, out)
  for row = 1, 3 do
    local phase, swell = roll(0, 628) / 100, roll(22, 46)
    for x = 0, w, 2 do
      local crest = 0.46 + 0.13 * row
        + (0.09 - 0.02 * row) * math.sin(x / swell + phase)
        + 0.02 * math.sin(x / 9 + phase * 3)
      local y = math.floor(h * crest)
      out[#out + 1] = box(x, y, 2, h - y, mood.shape, 0.16 + 0.12 * row)
    end
  end
end

local SCENES = { city = city, room = room, hills = hills }

--- Lamps out of focus: round spots of light, as an expression for alpha.
local function lamps(w, h, roll)
  local spots = {}
  for i = 1, 9 do
    spots[i] = ("%d*clip(%d-hypot(X-%d,Y-%d),0,1)"):format(
      roll(24, 84), roll(3, math.min(w, h) // 13), roll(0, w),
      roll(h * 20 // 100, h * 84 // 100))
  end
  return table.concat(spots, "+")
end

--- Filters that paint one frame of width x height pixels, ending in the pad `label`.
---@param o {width: integer, height: integer, seed?: integer, prompt?: string}
---@param label string  name of the output pad
---@return string graph
function M.graph(o, label)
  local mood, roll = M.mood(o.prompt, o.seed), dice(o.seed)
  local long = math.max(o.width, o.height)
  local w = math.max(SHORT, o.width * LONG // long)
  local h = math.max(SHORT, o.height * LONG // long)
  local lean = w * roll(-12, 12) // 100
  local shapes = {}
  SCENES[mood.scene](w, h, roll, mood, shapes)
  local sky = ("gradients=s=%dx%d:n=3:c0=%s:c1=%s:c2=%s:x0=%d:y0=0:x1=%d:y1=%d"
    .. ":seed=1:speed=0.00001:r=1,trim=end_frame=1,format=gbrp"):format(
    w, h, mood.sky[1], mood.sky[2], mood.sky[3], w // 2, w // 2 + lean, h)
  local lit = ("color=c=%s:s=%dx%d:r=1,trim=end_frame=1,format=gbrap,"
    .. "geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='%s'"):format(
    mood.light, w, h, lamps(w, h, roll))
  return ("%s,%s[%s_sky];%s[%s_lit];"
    .. "[%s_sky][%s_lit]overlay=format=gbrp,gblur=sigma=1.2,"
    .. "scale=%d:%d:flags=bicubic[%s]"):format(
    sky, table.concat(shapes, ","), label, lit, label,
    label, label, o.width, o.height, label)
end

return M
