--- A journal that has lost its end: what was written last stands in journal.db-wal alone
--- until the run ends, and a copy or a tidy hand may leave that file out. `rt.db` notices
--- (`conn.lost`, after `conn:guard()`); here is what is said and done about it.
local core = require "rt.c.core"
local config = require "rushes.config"
local err = require "rt.err"
local quote = require("rt.shell").quote
local when = require "rushes.when"

local M = {}

--- The command that gives up what is missing.
---@param folder string
---@return string
function M.command(folder)
  return ("rushes reconcile %s --accept-loss"):format(quote(folder))
end

--- What is missing, what that would cost, and what to do. Waits.
---@async
---@param conn table  rt.db connection
---@param folder string
---@return string? sentence  nil: nothing is missing
function M.lost(conn, folder)
  if not conn.lost then return nil end
  local rows = conn:rows "SELECT MAX(changed) AS at FROM attempts"
  local at = rows and rows[1].at
  return ("the end of the journal in %s is missing%s: journal.db-wal, which held what was"
    .. " written last, is gone, and what stood only there would be bought again. Put"
    .. " journal.db-wal back from where the folder was copied; only if it is lost for"
    .. " good, '%s' goes on without it"):format(folder,
    at and " (what is left ends at " .. when.of(at, core.time()) .. ")" or "",
    M.command(folder))
end

--- May it be written? In a rehearsal nothing was paid for.
---@async
---@param conn table
---@param folder string
---@return true?
---@return rt.Err?  damaged
function M.allow(conn, folder)
  local sentence = M.lost(conn, folder)
  if not sentence or config.options.accept_loss or config.options.sim then return true end
  return nil, err.new("damaged", sentence)
end

return M
