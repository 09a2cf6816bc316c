--- --only: shots that it leaves out are counted, and a run in which it has left out every
--- shot is a slip of the hand and must not end as if all were well.
local err = require "rt.err"
local event = require "rushes.event"
local suggest = require "rt.suggest"
local text = require "rushes.cli.text"

local M = {}

--- Did --only leave out the take that an event tells of?
---@param f table  fields of the event
---@return boolean
function M.left_out(f) return f.err ~= nil and f.err.flag == "only" end

local TAKES = { planned = true, failed = true, call = true }

local function no_match(globs, names)
  local hint = #globs == 1 and suggest.hint(globs[1]:gsub("[*?]", ""), names) or ""
  return err.new("usage", ("--only %s: none of the %s has such a name%s"):format(
    table.concat(globs, " --only "), text.count(#names, "shot"), hint))
end

--- A body that raises, after `run` has ended well, if no shot was meant.
---@param globs string[]
---@param run async fun(program)
---@return async fun(program)
function M.body(globs, run)
  local names, seen, matched = {}, {}, false
  event.subscribe(function(kind, f)
    if not TAKES[kind] or not f.shot or f.earlier then return end
    if not M.left_out(f) then
      matched = true
    elseif not seen[f.shot] then
      seen[f.shot] = true
      names[#names + 1] = f.shot
    end
  end)
  return function(program)
    run(program)
    if not matched and #names > 0 then error(no_match(globs, names), 0) end
  end
end

return M
