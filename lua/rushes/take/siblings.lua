--- Budgets may be around shots of several shows. What a show has spent of one in earlier
--- runs stands in its own journal, which is opened when the show begins to shoot: too
--- late for the shows before it. So it is read when the first of them begins.
local fs = require "rt.fs"
local task = require "rt.task"
local budgets = require "rushes.money.budget"
local holder = require "rushes.take.holder"
local records = require "rushes.take.records"

local M = {}

local shows = {}   -- in the order of their declaration
local counted = {} -- folder -> path -> {spent, held}: in the budgets already
local opened = {}  -- folder -> true: its show counts for itself

local NOTHING = { spent = 0, held = 0 }

--- A script has declared a show.
---@param show rushes.Show
function M.declare(show) shows[#shows + 1] = show end

--- Count a show whose journal has been opened, less what was counted before.
---@param folder string
---@param sums {budget: string, cost: integer, held: integer}[]
function M.open(folder, sums)
  local before = counted[folder] or {}
  opened[folder] = true
  for _, sum in ipairs(sums) do
    local known = before[sum.budget] or NOTHING
    if sum.budget ~= "" then
      budgets.load(sum.budget, sum.cost - known.spent, sum.held - known.held)
    end
  end
end

local function count(folder)
  counted[folder] = {}
  if not fs.exists(records.path(folder)) then return end
  -- one that cannot be read is refused when its own show begins
  local journal = records.open(folder, holder.of(folder) ~= nil)
  if not journal then return end
  local _ <close> = journal
  local sums = journal:leaves()
  if opened[folder] then return end -- meanwhile
  for _, sum in ipairs(sums) do
    counted[folder][sum.budget] = sum
    if sum.budget ~= "" then budgets.load(sum.budget, sum.spent, sum.held) end
  end
end

local function count_all()
  for _, show in ipairs(shows) do
    if not opened[show.output] and not counted[show.output] then count(show.output) end
  end
end

local turn = task.semaphore(1) -- nobody goes on while another one still reads

--- The innermost budget that the running task is in, with what every declared show has
--- spent of it. Waits (reads journals, once each).
---@async
---@return rushes.Budget?
function M.current()
  local scope = budgets.current()
  if scope then turn:with(count_all) end
  return scope
end

return M
