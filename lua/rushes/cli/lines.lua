--- Events as lines of text that stay: for logs, and above the live view.
local log = require "rt.log"
local only = require "rushes.cli.only"
local text = require "rushes.cli.text"

local M = {}

local function name(f)
  local shot = text.clean(f.shot or f.id or "?")
  return f.take and shot .. " " .. text.clean(f.take) or shot
end

local function took(row, board)
  return row and " in " .. text.clock(board.now() - row.since) or ""
end

local function landed(f, row, board, paint)
  return ("%s %s landed%s: %s, %s, %s"):format(paint("green", "✓"), name(f),
    took(row, board), text.clean(f.model or "?"),
    text.count(text.credits(f.credits or 0), "credit"), text.clean(f.file or "no file"))
end

local function reused(f, paint)
  return ("%s %s is there already: %s, %s, cost %s"):format(paint("green", "✓"), name(f),
    text.clean(f.file or "no file"), text.clean(f.model or "?"),
    text.count(text.credits(f.credits or 0), "credit"))
end

-- {mark, style} of what is no plain failure.
local MARKS = { skipped = { "-", "yellow" }, stopped = { "-", "yellow" },
  unknown = { "?", "magenta" } }
local FAILED = { "✗", "red" }

--- What a take without a clip costs, in brackets. One that goes on at the provider has
--- not been charged yet.
local function cost_of(f, row)
  local amount = text.count(text.credits(f.credits), "credit")
  local code = f.err and f.err.code
  if f.err and f.err.unknown then return (" (%s held)"):format(amount) end
  if code == "stopped" or code == "timeout" then return (" (up to %s)"):format(amount) end
  return (" (%s charged%s)"):format(amount, row and "" or " by an earlier run")
end

local function failed(f, row, board, paint)
  if only.left_out(f) then return nil end -- the sum at the end counts them
  local why = f.err and text.clean(log.scrub(tostring(f.err))) or "no reason was given"
  local mark = MARKS[f.state] or FAILED
  local cost = (f.credits or 0) > 0 and cost_of(f, row) or ""
  return ("%s %s %s%s: %s%s"):format(paint(mark[2], mark[1]), name(f),
    MARKS[f.state] and f.state or "failed", took(row, board), why, cost)
end

--- A line that stays on the screen, for the events that deserve one.
---@param kind string
---@param f table
---@param row? rushes.cli.Row
---@param board rushes.cli.Board
---@param paint fun(style: string?, s: string): string
---@return string?
function M.lasting(kind, f, row, board, paint)
  if kind == "landed" and not f.earlier then -- a note names those
    return landed(f, row, board, paint)
  end
  if kind == "reused" then return reused(f, paint) end
  if kind == "failed" then return failed(f, row, board, paint) end
  if kind == "note" then return text.clean(f.text or "") end
end

--- A line for each step of a take, where no live view can be.
---@param kind string
---@param f table
---@param row? rushes.cli.Row
---@return string?
function M.step(kind, f, row)
  if kind == "planned" then
    return ("  %s planned: %s, %s%s"):format(name(f), text.clean(f.model or "?"),
      text.count(text.credits(f.credits or 0), "credit"),
      f.why and " (" .. text.clean(f.why) .. ")" or "")
  elseif kind == "submitted" then
    local still, what = f.stage == "still", f.earlier and "followed" or "submitted"
    return ("  %s %s%s%s"):format(name(f), still and "still " or "", what,
      f.id and ": task " .. text.clean(f.id) or "")
  elseif (kind == "state" or kind == "progress") and row then
    local stage = row.stage == "still" and "still " or ""
    return ("  %s %s%s"):format(name(f), stage, row.state)
  end
end

--- What has become of a run, in one line.
---@param board rushes.cli.Board
---@return string
function M.summary(board)
  local parts = { ("%d of %s landed"):format(board.landed,
    text.count(board.planned, "take")) }
  if board.reused > 0 then
    parts[1] = ("%s (%d of them before)"):format(parts[1], board.reused)
  end
  for _, what in ipairs { "failed", "unknown", "skipped", "stopped" } do
    if board[what] > 0 then parts[#parts + 1] = ("%d %s"):format(board[what], what) end
  end
  if board.fetched > 0 then
    parts[#parts + 1] = board.fetched .. " fetched for earlier runs"
  end
  if board.not_fetched > 0 then
    parts[#parts + 1] = board.not_fetched .. " not fetched"
  end
  if board.active > 0 then parts[#parts + 1] = board.active .. " still under way" end
  local spent, held = board:money()
  parts[#parts + 1] = text.count(text.credits(spent), "credit") .. " spent"
  if held > 0 then
    parts[#parts + 1] = text.count(text.credits(held), "credit") .. " still held"
  end
  parts[#parts + 1] = text.clock(board:elapsed())
  return table.concat(parts, " · ")
end

return M
