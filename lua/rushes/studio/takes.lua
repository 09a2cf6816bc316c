--- What `show:shoot()` returns: a list of takes that can be counted and added up.
local ledgers = require "rushes.money.ledger"
local suggest = require "rt.suggest"

local M = {}

---@class rushes.Takes
---@field [integer] rushes.Take
local Takes = {}
Takes.__index = Takes
Takes.__name = "rushes.takes"

local STATUS = { landed = true, failed = true, unknown = true, skipped = true,
  stopped = true, planned = true }

--- How many takes have this status.
---@param status string  "landed", "failed", "unknown", "skipped", "stopped" or, in
---                       `rushes plan`, "planned"
---@return integer
function Takes:count(status)
  if not STATUS[status] then
    error(("takes:count(%q)%s; it takes %s"):format(tostring(status),
      suggest.hint(status, suggest.keys(STATUS)),
      table.concat(suggest.keys(STATUS), ", ")), 2)
  end
  local n = 0
  for _, take in ipairs(self) do
    if take.status == status then n = n + 1 end
  end
  return n
end

--- What all the takes cost together, in credits.
---@return number
function Takes:credits()
  local sum = 0
  for _, take in ipairs(self) do sum = sum + ledgers.thousandths(take.credits) end
  return ledgers.credits(sum)
end

---@param list rushes.Take[]
---@return rushes.Takes
function M.new(list) return setmetatable(list, Takes) end

return M
