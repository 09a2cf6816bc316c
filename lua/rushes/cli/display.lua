--- Chooses how a run is shown (live view, lines, JSON) and feeds it with events.
local core = require "rt.c.core"
local event = require "rushes.event"
local boards = require "rushes.cli.board"

local M = {}

---@class rushes.cli.Display
---@field board rushes.cli.Board
---@field face rushes.cli.View|rushes.cli.Plain|rushes.cli.Jsonl
local Display = {}
Display.__index = Display

local function choose(program, opts, board)
  if opts.json then return require("rushes.cli.jsonl").open(board) end
  local live = not opts.no_progress and not opts.plain and os.getenv "TERM" ~= "dumb"
    and require("rt.c.sys").isatty(2)
  if live then return require("rushes.cli.view").open(program, board) end
  return require("rushes.cli.plain").open(board, not opts.no_progress)
end

--- Take in an event and show it.
---@param kind rushes.event.Kind
---@param f table
function Display:event(kind, f)
  local row, changed = self.board:event(kind, f)
  self.face:event(kind, f, row, changed)
end

--- A sentence for the person.
---@param line string
function Display:say(line) self.face:say(line) end

--- The user's code has ended: take the live view away, say what has become of it.
function Display:close()
  self.face:close()
  if self.board.planned > 0 and not self.json then
    self.face:say(require("rushes.cli.lines").summary(self.board))
  end
end

--- The exit status is known; the last thing shown.
---@param status integer
---@param e? rt.Err
function Display:finish(status, e)
  if self.json then self.face:finish(status, e) end
end

--- Open the display of a program and let it hear every event from now on.
---@param program rushes.cli.Program
---@param opts {json?: boolean, no_progress?: boolean, budget?: number}
---@return rushes.cli.Display
function M.open(program, opts)
  local board = boards.new(core.now, opts.budget)
  local display = setmetatable({ board = board, json = opts.json,
    face = choose(program, opts, board) }, Display)
  event.subscribe(function(kind, f) display:event(kind, f) end)
  program.display = display
  return display
end

return M
