--- What happens to shows and takes, for whoever shows it. The studio emits, the
--- command line listens; with nobody listening an event costs a table lookup.
local suggest = require "rt.suggest"

local M = {}

---@alias rushes.event.Kind
---| "show"       name, budget (credits), output (folder), ledger: it has been opened
---| "planned"    a take is wanted; nothing has been sent
---| "submitted"  the provider has accepted it: `id`, `credits` reserved
---| "state"      `state` has changed: queued throttled running succeeded downloading
---| "progress"   `progress` 0..1
---| "landed"     `file` is on disk, `credits` is what it cost
---| "reused"     `file` is on disk since an earlier run, `credits` is what it cost then
---| "failed"     `err`; `credits` is what it cost all the same
---| "note"       `text`: a sentence for the person
---| "budget"     spent, reserved, left, total (credits)
---| "done"       a show:shoot() has ended
---| "call"       `rushes plan`: what one call would cost and why
---| "lanes"      the account has said what it has: lanes, balance

-- With `earlier` an event is of a take that an earlier run has paid for and the script
-- has not asked for: it is followed after the script's end, and never was "planned".

M.kinds = {
  show = true, planned = true, submitted = true, state = true, progress = true,
  landed = true, reused = true, failed = true, note = true, budget = true, done = true,
  call = true, lanes = true,
}

local listeners = {}

--- Call `fn(kind, fields)` for every event, inside the task that emits it: it must
--- not wait, nor keep `fields`, which the emitter may use again.
---@param fn fun(kind: rushes.event.Kind, fields: table)
---@return fun() unsubscribe
function M.subscribe(fn)
  listeners[#listeners + 1] = fn
  return function()
    for i, other in ipairs(listeners) do
      if other == fn then return table.remove(listeners, i) end
    end
  end
end

--- Tell the listeners. A listener that raises is taken off the list and named on
--- stderr: a display must never cost a paid take.
---@param kind rushes.event.Kind
---@param fields table  of a take: show shot take model state progress credits id file err
function M.emit(kind, fields)
  if not M.kinds[kind] then
    error(("there is no event %q%s"):format(tostring(kind),
      suggest.hint(kind, suggest.keys(M.kinds))), 2)
  end
  for i = #listeners, 1, -1 do
    local ok, e = pcall(listeners[i], kind, fields)
    if not ok then
      table.remove(listeners, i)
      io.stderr:write("rushes: a listener failed on ", kind, " and is off now: ",
        tostring(e), "\n")
    end
  end
end

return M
