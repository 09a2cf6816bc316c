--- What is said when a run is stopped while takes are under way.
local text = require "rushes.cli.text"

local M = {}

local LIST_MAX = 20

--- After the first Ctrl-C.
---@param program rushes.cli.Program
---@param n integer     takes that the provider has accepted
---@param held number   credits held for them
function M.following(program, n, held)
  if program.display then program.display.board.stopping = true end
  local what = n > 0 and text.count(n, "take") .. " already paid for"
    or "what is being sent"
  program:say(("stopping: nothing more is submitted; following %s (%s held)."
    .. " Once more to leave now"):format(what, text.count(text.credits(held), "credit")))
end

--- After the second: name what goes on at the provider, so that it can be found again.
---@param program rushes.cli.Program
function M.left_behind(program)
  local board = program.display.board
  local out = { ("leaving: %s under way at the provider, charged all the same"):format(
    text.count(board.active, "take")) }
  for _, row in ipairs(board:top(LIST_MAX)) do
    out[#out + 1] = ("  %s %s %s: task %s"):format(text.clean(row.shot),
      text.clean(row.take), text.clean(row.model), text.clean(row.id or "not known"))
  end
  if board.active > LIST_MAX then
    out[#out + 1] = ("  and %d more"):format(board.active - LIST_MAX)
  end
  program:say(table.concat(out, "\n"))
end

return M
