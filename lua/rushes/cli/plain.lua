--- Lines on stderr where there is no live view: each step of each take, or with
--- --no-progress only what failed.
local lines = require "rushes.cli.lines"
local text = require "rushes.cli.text"

local M = {}

---@class rushes.cli.Plain
---@field steps boolean
local Plain = {}
Plain.__index = Plain

---@param kind string
---@param f table
---@param row? rushes.cli.Row
---@param changed boolean
function Plain:event(kind, f, row, changed)
  if not self.steps and kind ~= "failed" and kind ~= "note" then return end
  local line = lines.lasting(kind, f, row, self.board, self.paint)
    or changed and lines.step(kind, f, row)
  if line then self:say(line) end
end

---@param line string
function Plain:say(line) -- luacheck: ignore 212
  io.stdout:flush()
  io.stderr:write(line, "\n")
end

function Plain:close() end -- luacheck: ignore 212

---@param board rushes.cli.Board
---@param steps boolean
---@return rushes.cli.Plain
function M.open(board, steps)
  return setmetatable({ board = board, steps = steps,
    paint = text.painter(text.colour(2)) }, Plain)
end

return M
