--- Rows of cells as lines of text in columns.
local text = require "rushes.cli.text"

local M = {}

---@class rushes.cli.Column
---@field title string
---@field right? boolean   a number
---@field most? integer    columns of the screen at most; what is longer is cut
---@field cut? fun(s: string, n: integer): string  how, if not at its end
---@field wrap? boolean    the last column only: goes on below where it does not fit

---@alias rushes.cli.Cell string|{[1]: string, [2]: string?}  text, style

local GAP = "  "
local ROOM = 24 -- columns that a cell needs to be wrapped beside the others
local LEAST = 8 -- columns that a text keeps on a narrow screen

local function content(cell)
  if type(cell) == "table" then return cell[1], cell[2] end
  return cell or ""
end

--- Columns of no text at all are left out.
local function used(columns, rows)
  local kept = {}
  for i in ipairs(columns) do
    for _, row in ipairs(rows) do
      if content(row[i]) ~= "" then
        kept[#kept + 1] = i
        break
      end
    end
  end
  return kept
end

local function widths(columns, rows, kept)
  local width, sum = {}, 0
  for _, i in ipairs(kept) do
    local w = text.width(columns[i].title)
    for _, row in ipairs(rows) do w = math.max(w, text.width((content(row[i])))) end
    width[i] = math.min(w, columns[i].most or w)
    if not columns[i].wrap then sum = sum + width[i] + #GAP end
  end
  return width, sum
end

--- On a narrow screen texts give way, the longest first: numbers are never cut away.
---@return integer sum  what the columns take now
local function shrink(columns, kept, width, sum, room)
  while sum > room do
    local longest
    for _, i in ipairs(kept) do
      local column = columns[i]
      if not column.right and not column.wrap and width[i] > LEAST
        and (not longest or width[i] > width[longest]) then
        longest = i
      end
    end
    if not longest then break end
    width[longest], sum = width[longest] - 1, sum - 1
  end
  return sum
end

--- The text of one cell in its column, and what of a wrapped one goes below.
local function fit(column, i, s, o, last)
  if column.wrap then
    if s == "" or text.width(s) <= o.room then return s, {} end
    local rest = text.wrap(s, o.below or o.room)
    return o.below and "" or table.remove(rest, 1), rest
  end
  if last and not column.right and not column.most then return s, {} end
  local width = o.width[i]
  if column.cut and text.width(s) > width then s = column.cut(s, width) end
  return text.pad(s, width, column.right), {}
end

local function add(lines, row, o)
  local parts, rest, style, left = {}, {}, nil, o.whole
  for n, i in ipairs(o.kept) do
    local s
    s, style = content(row[i])
    s, rest = fit(o.columns[i], i, s, o, n == #o.kept)
    if left then
      s = text.cut(s, math.max(left, 0))
      left = left - text.width(s) - #GAP
    end
    parts[n] = o.paint(style, s)
  end
  lines[#lines + 1] = (o.indent .. table.concat(parts, GAP)):gsub(" +$", "")
  for _, more in ipairs(rest) do
    lines[#lines + 1] = o.indent .. (" "):rep(o.hang) .. o.paint(style, more)
  end
end

---@class rushes.cli.TableOptions
---@field width? integer    columns of the screen; absent: as wide as it gets
---@field indent? integer   default 2
---@field paint fun(style: string?, s: string): string
---@field titles? boolean   false: no line of titles

--- The lines of a table; columns without any text are left out.
---@param columns rushes.cli.Column[]
---@param rows rushes.cli.Cell[][]
---@param opts rushes.cli.TableOptions
---@return string[]
function M.lines(columns, rows, opts)
  local kept = used(columns, rows)
  if #kept == 0 then return {} end
  local width, sum = widths(columns, rows, kept)
  local indent, last = opts.indent or 2, columns[kept[#kept]]
  if opts.width then
    -- the gap behind the last one counts only where a wrapped one stands there
    sum = shrink(columns, kept, width, sum, opts.width - indent + #GAP)
  end
  local o = { columns = columns, kept = kept, width = width, paint = opts.paint,
    indent = (" "):rep(indent), hang = sum, room = math.maxinteger }
  if opts.width and last.wrap then
    o.room = opts.width - indent - sum
    if o.room < ROOM and o.room < width[kept[#kept]] then
      o.hang = 4
      o.below = math.max(1, opts.width - indent - o.hang)
    end
  elseif opts.width then
    o.whole = opts.width - indent
  end
  local lines, titles = {}, {}
  for i, column in ipairs(columns) do
    local room = not column.wrap or #column.title <= o.room
    titles[i] = { room and column.title or "", "dim" }
  end
  if opts.titles ~= false then add(lines, titles, o) end
  for _, row in ipairs(rows) do add(lines, row, o) end
  return lines
end

return M
