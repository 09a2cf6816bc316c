--- Text for a terminal: widths, cutting, numbers as a person reads them, colour.
local M = {}

-- Ranges of code points that take two columns, and none (combining marks, joiners,
-- variation selectors). Short on purpose: names and prompts, not a typesetter.
local WIDE = {
  0x1100, 0x115f, 0x231a, 0x231b, 0x23e9, 0x23ec, 0x2614, 0x2615, 0x26a1, 0x26a1,
  0x2705, 0x2705, 0x270a, 0x270b, 0x2728, 0x2728, 0x274c, 0x274c, 0x2753, 0x2755,
  0x2b50, 0x2b50, 0x2e80, 0x303e, 0x3041, 0x4dbf, 0x4e00, 0xa4cf, 0xa960, 0xa97c,
  0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe30, 0xfe6f, 0xff00, 0xff60, 0xffe0, 0xffe6,
  0x1f1e6, 0x1f1ff, 0x1f300, 0x1f64f, 0x1f680, 0x1f6ff, 0x1f7e0, 0x1f7eb,
  0x1f900, 0x1faff, 0x20000, 0x3fffd,
}
local ZERO = {
  0x300, 0x36f, 0x483, 0x489, 0x591, 0x5bd, 0x610, 0x61a, 0x64b, 0x65f, 0x93c, 0x93c,
  0x1ab0, 0x1aff, 0x1dc0, 0x1dff, 0x200b, 0x200f, 0x202a, 0x202e, 0x2060, 0x2064,
  0x20d0, 0x20ff, 0xfe00, 0xfe0f, 0xfe20, 0xfe2f, 0xfeff, 0xfeff, 0x1f3fb, 0x1f3ff,
  0xe0100, 0xe01ef,
}

local function within(ranges, c)
  for i = 1, #ranges, 2 do
    if c < ranges[i] then return false end
    if c <= ranges[i + 1] then return true end
  end
  return false
end

local function columns(c)
  if c < 0x300 then return 1 end
  if within(ZERO, c) then return 0 end
  return within(WIDE, c) and 2 or 1
end

--- One line that cannot move the cursor: control characters become spaces, what is not
--- UTF-8 becomes "?". Names and messages may come from a provider.
---@param s any
---@return string
function M.clean(s)
  s = tostring(s)
  if not utf8.len(s) then
    s = s:gsub("[\x80-\xff]+", function(run) return utf8.len(run) and run or "?" end)
  end
  return (s:gsub("%c", " "):gsub("\xc2[\x80-\x9f]", "?")
    :gsub("\xe2\x80[\xaa-\xae]", "?"))
end

--- Columns that a clean string takes on the screen.
---@param s string
---@return integer
function M.width(s)
  if not s:find "[\x80-\xff]" then return #s end
  local n = 0
  for _, c in utf8.codes(s) do n = n + columns(c) end
  return n
end

--- The string, or as much of it as fits into `max` columns with "…" at the end.
---@param s string
---@param max integer
---@return string
function M.cut(s, max)
  if M.width(s) <= max then return s end
  if max < 1 then return "" end
  local n, stop = 0, #s
  for at, c in utf8.codes(s) do
    n = n + columns(c)
    if n > max - 1 then
      stop = at - 1
      break
    end
  end
  return s:sub(1, stop) .. "…"
end

--- Exactly `n` columns: cut or filled with spaces, on the left if `right` is set.
---@param s string
---@param n integer
---@param right? boolean
---@return string
function M.pad(s, n, right)
  s = M.cut(s, n)
  local fill = (" "):rep(n - M.width(s))
  return right and fill .. s or s .. fill
end

local NAME = 30 -- columns of a take in a table

--- A shot and its take in at most `n` columns: the take is never cut away.
---@param shot string
---@param take? string  "t001"
---@param n? integer    30
---@return string
function M.take(shot, take, n)
  take = M.clean(take or "")
  return M.cut(M.clean(shot), (n or NAME) - #take - 1) .. " " .. take
end

--- The same of what `take` gave, for a table that has less room.
---@param s string
---@param n integer
---@return string
function M.cut_take(s, n)
  local shot, take = s:match "^(.*) (t%d+)$"
  return shot and M.take(shot, take, n) or M.cut(s, n)
end

--- What a row of the journal was bought for, in a table: a take, or a call that a script
--- made by hand.
---@param shot? string
---@param number? integer  of the take
---@param call integer
---@return string
function M.bought_for(shot, number, call)
  if not shot then return ("call %d by hand"):format(call) end
  return M.take(shot, ("t%03d"):format(number))
end

--- A clean string as lines of at most `n` columns, broken at spaces.
---@param s string
---@param n integer  at least 1
---@return string[]
function M.wrap(s, n)
  local lines, line, used = {}, {}, 0
  for word in s:gmatch "%S+" do
    word = M.cut(word, n)
    local w = M.width(word)
    if used > 0 and used + 1 + w > n then
      lines[#lines + 1] = table.concat(line, " ")
      line, used = {}, 0
    end
    line[#line + 1] = word
    used = used + w + (used > 0 and 1 or 0)
  end
  lines[#lines + 1] = table.concat(line, " ")
  return lines
end

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

--- A bar of `n` columns.
---@param share number  0 to 1
---@param n integer
---@return string
function M.bar(share, n)
  local eighths = math.floor(math.max(0, math.min(1, share)) * n * 8 + 0.5)
  local full, rest = eighths // 8, eighths % 8
  local s = ("█"):rep(full) .. (rest > 0 and EIGHTHS[rest] or "")
  return s .. ("·"):rep(n - full - (rest > 0 and 1 or 0))
end

--- Seconds as 0:07, 12:30 or 1:02:03.
---@param seconds number
---@return string
function M.clock(seconds)
  local s = math.floor(seconds + 0.5)
  if s < 3600 then return ("%d:%02d"):format(s // 60, s % 60) end
  return ("%d:%02d:%02d"):format(s // 3600, s // 60 % 60, s % 60)
end

--- A length of time in words: "64 s", "38 min", "5 h 20 min", "3 days".
---@param seconds number
---@return string
function M.span(seconds)
  local s = math.floor(seconds + 0.5)
  if s < 120 then return s .. " s" end
  local minutes = (s + 30) // 60
  if minutes < 120 then return minutes .. " min" end
  if minutes < 48 * 60 then
    return ("%d h %02d min"):format(minutes // 60, minutes % 60)
  end
  return ("%.0f days"):format(minutes / 1440)
end

--- A number of credits: 25, 12.5, 0.125.
---@param n number
---@return string
function M.credits(n)
  return (("%.3f"):format(n):gsub("%.?0+$", ""))
end

--- Thousandths of a credit, as journals and ledgers count, as a number of credits.
---@param n integer
---@return string
function M.thousandths(n) return M.credits(n / 1000) end

--- "1 take", "3 takes", "12.5 credits".
---@param n integer|string
---@param noun string
---@return string
function M.count(n, noun)
  return tostring(n) .. " " .. noun .. (tostring(n) == "1" and "" or "s")
end

--- Bytes as 812 B, 4.2 MB, 1.5 TB.
---@param n number
---@return string
function M.bytes(n)
  local units, i = { "B", "kB", "MB", "GB", "TB" }, 1
  while n >= 1000 and i < #units do
    n, i = n / 1000, i + 1
  end
  return (i == 1 and "%d %s" or n < 10 and "%.1f %s" or "%.0f %s"):format(n, units[i])
end

local STYLES = { bold = 1, dim = 2, red = 31, green = 32, yellow = 33, blue = 34,
  magenta = 35, cyan = 36 }

--- A function that puts a style around a string, or leaves it alone.
---@param colour boolean
---@return fun(style: string?, s: string): string
function M.painter(colour)
  if not colour then
    return function(_, s) return s end
  end
  return function(style, s)
    if not style or s == "" then return s end
    return ("\27[%dm%s\27[0m"):format(STYLES[style], s)
  end
end

--- May this stream carry colour? NO_COLOR, TERM=dumb and --no-color say no;
--- FORCE_COLOR and CLICOLOR_FORCE say yes although it is no terminal.
---@param fd integer
---@return boolean
function M.colour(fd)
  local function set(name)
    local v = os.getenv(name)
    return v ~= nil and v ~= "" and v ~= "0"
  end
  local no = (os.getenv "NO_COLOR" or "") ~= "" or os.getenv "TERM" == "dumb"
  if no then return false end
  if set "FORCE_COLOR" or set "CLICOLOR_FORCE" then return true end
  return require("rt.c.sys").isatty(fd)
end

return M
