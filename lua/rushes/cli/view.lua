--- The live view on a terminal: a line for each take under way and a footer. It is
--- drawn at most ten times a second, by a task that runs while takes do.
local task = require "rt.task"
local lines = require "rushes.cli.lines"
local terminal = require "rushes.cli.terminal"
local text = require "rushes.cli.text"

local M = {}

---@class rushes.cli.View
---@field region rushes.cli.Region
local View = {}
View.__index = View

local TICK = 0.1 -- seconds
local STILL = 10 -- ticks without news after which the clocks are drawn anew

local STYLE = { running = "cyan", downloading = "blue", succeeded = "blue",
  throttled = "yellow", queued = "dim", planned = "dim" }

-- ---- what a line looks like ----

-- What is not name, model, state and bar: take, percent, credits, clock and the gaps.
local FIXED = 31
local NARROW = 56 -- columns: below it only name and state are shown

--- Widths of the columns for a terminal of `columns`, and the names of the takes.
local function layout(columns, rows, many_shows)
  local name, model = 4, 5
  for _, row in ipairs(rows) do
    local full = many_shows and row.show .. "/" .. row.shot or row.shot
    row.name = text.clean(full)
    name = math.max(name, text.width(row.name))
    model = math.max(model, text.width(row.model))
  end
  local w = { name = math.min(name, 28), model = math.min(model, 20), state = 16,
    bar = 0 }
  local function spare()
    return columns - 1 - FIXED - w.name - w.model - w.state - w.bar
  end
  w.bar = math.max(0, math.min(30, spare()))
  if w.bar < 6 then w.bar = 0 end
  if spare() < 0 then w.model = math.max(0, w.model + spare()) end
  if spare() < 0 then w.name = math.max(6, w.name + spare()) end
  return w
end

--- Rounded down: 100 is for what is there.
local function percent(row) return math.floor(row.progress * 100) end

local function row_line(row, w, now, paint)
  local state = row.stage == "still" and "still " .. row.state or row.state
  local parts = {
    " " .. text.pad(row.name, w.name),
    paint("dim", text.pad(text.clean(row.take), 4)),
    w.model > 3 and paint("dim", text.pad(text.clean(row.model), w.model)) or false,
    paint(STYLE[row.state], text.pad(text.clean(state), w.state)),
    w.bar > 0 and paint(STYLE[row.state], text.bar(row.progress, w.bar)) or false,
    ("%3d%%"):format(percent(row)),
    text.pad(text.credits(row.credits) .. " cr", 8, true),
    paint("dim", text.pad(text.clock(now - row.since), 5, true)),
  }
  local kept = {}
  for _, part in ipairs(parts) do
    if part then kept[#kept + 1] = part end
  end
  return table.concat(kept, " ")
end

local function more_line(board, shown, columns, paint)
  local kinds = {}
  for _, state in ipairs { "running", "downloading", "throttled", "queued" } do
    local n = board.states[state] or 0
    if n > 0 then kinds[#kinds + 1] = ("%d %s"):format(n, state) end
  end
  local s = (" + %d more (in all %s)"):format(board.active - shown,
    table.concat(kinds, ", "))
  return paint("dim", text.cut(s, columns - 1))
end

local function money_words(board)
  local spent, held, left, before = board:money()
  local parts = { text.credits(spent) .. " spent", text.credits(held) .. " held" }
  if before and before > 0 then
    table.insert(parts, 1, text.credits(before) .. " before")
  end
  if left then
    parts[#parts + 1] = ("%s left of %s"):format(text.credits(left),
      text.credits(board.limit))
  end
  return table.concat(parts, ", ") .. " credits"
end

local function footer_parts(board)
  local parts = { ("%d of %d done"):format(board:done(), board.planned) }
  if board.stopping then table.insert(parts, 1, "stopping, Ctrl-C again to leave") end
  for _, what in ipairs { "failed", "unknown" } do
    if board[what] > 0 then parts[#parts + 1] = ("%d %s"):format(board[what], what) end
  end
  if board:waiting() > 0 then parts[#parts + 1] = board:waiting() .. " waiting" end
  parts[#parts + 1] = money_words(board)
  parts[#parts + 1] = text.clock(board:elapsed())
  return parts
end

local BETWEEN = " · "

--- On a narrow terminal the guess is left out first, then a second line is taken: what
--- is spent and left is never cut away.
local function footer(board, columns, paint)
  local parts, room = footer_parts(board), columns - 2
  local remaining, clock = board:remaining(), parts[#parts]
  if remaining and remaining >= 1.5 then
    parts[#parts] = clock .. ", about " .. text.clock(remaining) .. " to go"
  end
  if text.width(table.concat(parts, BETWEEN)) > room then parts[#parts] = clock end
  local out, line = {}, nil
  for _, part in ipairs(parts) do
    local longer = line and line .. BETWEEN .. part or part
    if line and text.width(longer) > room then
      out[#out + 1], longer = line, part
    end
    line = longer
  end
  out[#out + 1] = line
  for i, s in ipairs(out) do out[i] = paint("bold", " " .. text.cut(s, room)) end
  return out
end

--- The lines of the view. Pure, so that tests can look at them.
---@param board rushes.cli.Board
---@param columns integer
---@param rows integer    of the terminal
---@param paint fun(style: string?, s: string): string
---@return string[]
function M.lines(board, columns, rows, paint)
  local bottom = footer(board, columns, paint)
  local room = math.max(1, rows - 2 - #bottom)
  local top = board:top(board.active > room and room - 1 or room)
  local w, now, out = layout(columns, top, board.shows > 1), board.now(), {}
  for _, row in ipairs(top) do
    local line = row_line(row, w, now, paint)
    if columns < NARROW then
      line = text.cut((" %s %s %d%%"):format(row.name, row.state, percent(row)),
        columns - 1)
    end
    out[#out + 1] = line
  end
  if board.active > #top then out[#out + 1] = more_line(board, #top, columns, paint) end
  return table.move(bottom, 1, #bottom, #out + 1, out)
end

-- ---- drawing ----

local function draw(view)
  local columns, rows = terminal.size()
  view.region:show(M.lines(view.board, columns, rows, view.paint))
  view.dirty, view.quiet = false, 0
end

local function run(view)
  while view.board.active > 0 and not view.closed do
    task.sleep(TICK)
    view.quiet = view.quiet + 1
    local hidden = #view.region.lines == 0
    if view.closed then break end
    if view.dirty or hidden or view.quiet >= STILL then draw(view) end
  end
  view.running = false
  view.region:close()
end

-- ---- floods ----

local ALIKE = 3 -- in a row that are told one by one

-- Takes that were never sent, by the code of their error: hundreds at a time.
local UNSENT = { budget = "did not fit either", stopped = "were not sent",
  moderation = "were held back because of moderation" }

local function end_flood(view)
  if view.flood and view.alike > ALIKE then
    view.region:above(("  and %d more %s"):format(view.alike - ALIKE,
      UNSENT[view.flood]))
  end
  view.flood = nil
end

--- Is this one more of many that are not told one by one?
local function floods(view, kind, f, row)
  local code = kind == "failed" and not row and f.err and f.err.code
  if not UNSENT[code] then
    end_flood(view)
    return false
  end
  if view.flood ~= code then
    end_flood(view)
    view.flood, view.alike = code, 0
  end
  view.alike = view.alike + 1
  return view.alike > ALIKE
end

---@param kind string
---@param f table
---@param row? rushes.cli.Row
function View:event(kind, f, row)
  self.dirty = true
  local line = lines.lasting(kind, f, row, self.board, self.paint)
  if line and not floods(self, kind, f, row) then self.region:above(line) end
  if not self.running and self.board.active > 0 then
    self.running = true
    self.program.root:spawn(run, self)
  end
end

---@param line string
function View:say(line)
  end_flood(self)
  self.region:above(line)
end

function View:close()
  self.closed = true
  end_flood(self)
  self.region:close()
end

---@param program rushes.cli.Program
---@param board rushes.cli.Board
---@return rushes.cli.View
function M.open(program, board)
  return setmetatable({ program = program, board = board, region = terminal.open(),
    paint = text.painter(text.colour(2)), quiet = 0 }, View)
end

return M
