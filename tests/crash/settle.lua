--- Settling what nobody knows, as a person would: `rushes reconcile` says what the
--- account's numbers tell, and the harness, which can look into the simulator, holds it
--- to that. Where the numbers cannot tell, the simulator's word decides.
local json = require "rt.json"

local check = require "crash.check"

local M = {}

local function key(shot, endpoint) return shot .. " " .. endpoint end

--- How many tasks of each call the simulator has and the journal accounts for neither by
--- their id nor as settled.
local function unaccounted(attempts, tasks)
  local known, n = {}, {}
  for _, a in ipairs(attempts) do
    if a.task then known[a.task] = true end
  end
  for id, made in pairs(tasks) do
    local k = key(made.shot, made.endpoint)
    if not known[id] then n[k] = (n[k] or 0) + 1 end
  end
  for _, a in ipairs(attempts) do
    local k = key(a.shot, a.endpoint)
    if a.state == "charged" then n[k] = (n[k] or 0) - 1 end
  end
  return n
end

--- Was it taken? By attempt, from the simulator itself. A call has at most one unknown
--- attempt at a time.
---@async
---@param sim rushes.Sim
---@param folder string
---@return table<integer, boolean>
function M.truth(sim, folder)
  local attempts = check.attempts(folder)
  local extra, truth = unaccounted(attempts, (check.tasks(sim))), {}
  for _, a in ipairs(attempts) do
    if a.state == "unknown" then
      truth[a.id] = (extra[key(a.shot, a.endpoint)] or 0) > 0
    end
  end
  return truth
end

local SAYS = { taken = true, not_taken = false }

--- What is unknown, as `rushes reconcile --json` lists it.
---@param result rt.proc.Result
---@return table[]? rows  {id, verdict, why, …}
---@return rt.Err?
function M.read(result)
  local data, e = json.decode(result.stdout)
  if not data then return nil, e end
  return data.submissions
end

---@class tests.Settled
---@field charged integer[]  attempts that were taken
---@field lost integer[]
---@field unclear integer    of them, where the account's numbers could not tell

--- Compare what reconcile says with the truth.
---@param rows table[]
---@param truth table<integer, boolean>
---@return tests.Settled
---@return string[] problems
function M.judge(rows, truth)
  local out, problems, listed = { charged = {}, lost = {}, unclear = 0 }, {}, {}
  for _, row in ipairs(rows) do
    local taken, said = truth[row.id], SAYS[row.verdict]
    listed[row.id] = true
    if taken == nil then
      problems[#problems + 1] = ("reconcile lists %s, which is not unknown"):format(row.id)
    else
      table.insert(taken and out.charged or out.lost, row.id)
      if said == nil then out.unclear = out.unclear + 1 end
      if said ~= nil and said ~= taken then
        problems[#problems + 1] = ("reconcile says of attempt %d %q (%s), and the simulator"
          .. " has it %s"):format(row.id, row.verdict, row.why, taken and "taken" or "not")
      end
    end
  end
  for id in pairs(truth) do
    if not listed[id] then
      problems[#problems + 1] = ("reconcile does not list the unknown attempt %d"):format(id)
    end
  end
  return out, problems
end

return M
