--- A person settles submissions whose outcome is not known.
local config = require "rushes.config"
local core = require "rt.c.core"
local err = require "rt.err"
local journals = require "rushes.take.journal"

local M = {}

---@alias rushes.settle.How
---| "lost"      it was not taken: its credits are given back
---| "charged"   it was taken and cannot be found: its credits count as spent
---| "resubmit"  not settled, but the next run asks anew; its credits stay held

local SET = {
  lost = ", cost = 0, held = 0, ended = ?1",
  charged = ", cost = held, held = 0, ended = ?1",
  resubmit = "",
}

local function statements(ids, how)
  local list, now = {}, core.time()
  for _, id in ipairs(ids) do
    list[#list + 1] = { ([[UPDATE attempts SET state = ?3, changed = ?1%s
      WHERE id = ?2 AND state IN ('unknown', 'resubmit')]]):format(SET[how]), now, id,
      how }
    list[#list + 1] = { [[INSERT INTO history (attempt, at, state, detail)
      VALUES (?, ?, ?, 'settled by a person')]], id, now, how }
  end
  return list
end

--- Go on with a journal that has lost its end. Takes the show's lock. Waits; spends
--- nothing, but a later run may buy again what stood only there.
---@async
---@param folder string
---@return true?
---@return rt.Err?  locked, …
function M.accept_loss(folder)
  config.options.accept_loss = true
  local journal, e = journals.open(folder)
  return journal and true, e
end

--- Settle attempts, all or none. Takes the show's lock: not while a run goes on. Waits;
--- spends nothing.
---@async
---@param folder string
---@param ids integer[]
---@param how rushes.settle.How
---@return true?
---@return rt.Err?  locked; invalid: one of them is not open
function M.settle(folder, ids, how)
  local journal, e = journals.open(folder)
  if not journal then return nil, e end
  for _, id in ipairs(ids) do
    local rows
    rows, e = journal.conn:rows("SELECT state FROM attempts WHERE id = ?", id)
    if not rows then return nil, e end
    local state = rows[1] and rows[1].state
    if state ~= "unknown" and state ~= "resubmit" then
      return nil, err.new("invalid", ("submission %d is not open: %s; nothing was"
        .. " changed"):format(id, state and "its state is " .. state
        or "there is none with this number"))
    end
  end
  return journal:write(statements(ids, how))
end

return M
