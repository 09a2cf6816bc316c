--- The bottom lines of a terminal: drawn, taken away while something else is printed,
--- drawn again. Catches what scripts print, so that nothing is torn.
local core = require "rt.c.core"
local prints = require "rushes.cli.prints"
local sys = require "rt.c.sys"
local text = require "rushes.cli.text"

local M = {}

---@class rushes.cli.Region
---@field lines string[]     what is on the screen now; empty when hidden
---@field last? string[]      what was drawn last
---@field again_at number     when it may be drawn again right after a print
---@field mid_line boolean   a script printed the beginning of a line: stay away
---@field private write function  the real file:write
local Region = {}
Region.__index = Region

local SIZE = { 80, 24 }
local AGAIN = 0.1 -- seconds between two drawings caused by prints

--- Columns and rows of the terminal.
---@return integer columns
---@return integer rows
function M.size()
  local columns, rows = sys.window(2)
  return columns or tonumber(os.getenv "COLUMNS") or SIZE[1], rows or SIZE[2]
end

--- Lines on the screen that the drawn ones take: a window that has become narrower
--- since has wrapped them.
local function height(lines)
  local columns, n = M.size(), 0
  for _, line in ipairs(lines) do
    local plain = line:gsub("\27%[[%d;]*m", "")
    n = n + math.max(1, (text.width(plain) + columns - 1) // columns)
  end
  return n
end

--- Take the lines away; the cursor is where they began.
function Region:hide()
  if #self.lines == 0 then return end
  local up = height(self.lines) - 1
  self.write(io.stderr, up > 0 and ("\r\27[%dA\27[J"):format(up) or "\r\27[J")
  self.lines = {}
end

--- Draw lines (none wider than the terminal) in place of the old ones.
---@param lines string[]
function Region:show(lines)
  if self.mid_line then return end
  local up = #self.lines > 0 and height(self.lines) - 1 or 0
  local parts = { "\27[?2026h\r", up > 0 and ("\27[%dA"):format(up) or "" }
  for i, line in ipairs(lines) do
    parts[#parts + 1] = line .. "\27[K" .. (i < #lines and "\n" or "")
  end
  parts[#parts + 1] = "\27[J\27[?2026l"
  self.lines, self.last = lines, lines
  self.write(io.stderr, table.concat(parts))
end

--- Draw again what a print has just pushed away, but not for every line of a flood.
function Region:again()
  local now = core.now()
  if self.last and now >= self.again_at then
    self.again_at = now + AGAIN
    self:show(self.last)
  end
end

--- Take the lines away for good.
function Region:close()
  self:hide()
  self.last = nil
end

--- A whole line above the region.
---@param line string
function Region:above(line)
  self:hide()
  io.stdout:flush()
  self.write(io.stderr, self.mid_line and "\n" or "", line, "\n")
  self.mid_line = false
  self:again()
end

local function note_end(region, ...)
  local last = select("#", ...)
  while last > 0 do
    local s = tostring((select(last, ...)))
    if s ~= "" then
      region.mid_line = s:byte(-1) ~= 10
      return
    end
    last = last - 1
  end
end

--- Let everything that Lua code writes to the terminal step around the region.
local function catch(region, on_screen)
  local methods = getmetatable(io.stderr).__index
  local write = methods.write
  region.write = write
  methods.write = function(file, ...)
    if on_screen[file] then
      region:hide()
      note_end(region, ...)
      local result = table.pack(write(file, ...))
      file:flush()
      region:again()
      return table.unpack(result, 1, result.n)
    end
    return write(file, ...)
  end
  io.write = function(...) return io.output():write(...) end -- luacheck: ignore 122
  prints.through(io.stdout)
end

local current

--- The person has ended a line of theirs: the cursor is at the beginning of the next.
function M.typed_line()
  if current then current.mid_line = false end
end

--- Make the region at the bottom of the terminal on stderr.
---@return rushes.cli.Region
function M.open()
  local region = setmetatable({ lines = {}, mid_line = false, again_at = 0 }, Region)
  current = region
  catch(region, { [io.stderr] = true, [io.stdout] = sys.isatty(1) or nil })
  return region
end

return M
