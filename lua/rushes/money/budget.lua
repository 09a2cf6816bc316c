--- Budgets that a script puts around a part of its work: `rushes.budget(name, credits,
--- fn)`. They nest; the shots made inside, also in tasks spawned there, count in all.
local ledgers = require "rushes.money.ledger"
local task = require "rt.task"

local M = {}

local KEY = {} -- of the task-local value
local MOST = 1e12 -- credits; as thousandths still exact

---@class rushes.Budget
---@field path string           "seq010/arm3": the names from the outermost on
---@field ledger rushes.Ledger  those around it are its parents

local by_path = {} -- path -> ledger

--- Can it be a limit, in credits?
---@param credits any
---@return boolean
function M.is_amount(credits)
  return type(credits) == "number" and credits >= 0 and credits <= MOST
end

local function check(name, credits, fn)
  if type(name) ~= "string" or name == "" then
    error("a budget needs a name: rushes.budget(\"seq010\", 120, function() … end)", 3)
  end
  if name:find "[^%w%._%-]" then
    error(("budget %q: a name takes letters, digits, '.', '_' and '-' only"):format(name),
      3)
  end
  if not M.is_amount(credits) then
    error(("budget %s: the second argument is a number of credits from 0 on, not %s")
      :format(name, type(credits) == "number" and credits or "a " .. type(credits)), 3)
  end
  if type(fn) ~= "function" then
    error(("budget %s: the third argument is the function that spends it, not a %s")
      :format(name, type(fn)), 3)
  end
end

--- The ledger of a budget. A journal may know it before the script has declared it:
--- until then it has no limit.
---@param path string
---@return rushes.Ledger
function M.at(path)
  local ledger = by_path[path]
  if not ledger then
    local above = path:match "^(.+)/"
    ledger = ledgers.new("budget " .. path, nil, above and M.at(above))
    by_path[path] = ledger
  end
  return ledger
end

--- Add what a journal knows of earlier runs, to this budget and those around it. When
--- a call that was under way then ends, `load(path, cost, -held)` books it.
---@param path string
---@param spent integer  thousandths
---@param held integer
function M.load(path, spent, held)
  local ledger = M.at(path)
  while ledger do
    ledger:load(spent, held)
    ledger = ledger.parent
  end
end

--- The innermost budget that the running task is in.
---@return rushes.Budget?
function M.current() return task.value(KEY) end

--- Run `fn`; what is shot in it, and in tasks spawned meanwhile, must fit into
--- `credits` as well. The same name at the same place is the same budget.
---@async
---@param name string     letters, digits, `.`, `_`, `-`
---@param credits number  from 0 on
---@param fn async fun(): ...
---@return any ...  what `fn` returned
function M.run(name, credits, fn)
  check(name, credits, fn)
  local around = M.current()
  local path = around and around.path .. "/" .. name or name
  local ledger, limit = M.at(path), ledgers.thousandths(credits)
  if ledger.limit and ledger.limit ~= limit then
    error(("budget %s has been given %s credits before and %s now; one budget has one"
      .. " limit: give another name or the same number"):format(path,
      ledgers.credits(ledger.limit), ledgers.credits(limit)), 2)
  end
  ledger.limit = limit
  return task.with(KEY, { path = path, ledger = ledger }, fn)
end

return M
