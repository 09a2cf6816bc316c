--- Credits held, spent and left, in integer thousandths of a credit. Ledgers nest:
--- a reservation must fit its own limit and every one above it.
local err = require "rt.err"
local config = require "rushes.config"

local M = {}

---@class rushes.Ledger
---@field name string
---@field limit? integer    thousandths; nil is unlimited
---@field reserved integer
---@field spent integer
---@field parent? rushes.Ledger
local Ledger = {}
Ledger.__index = Ledger

--- Thousandths as the number a person reads: 25, 12.5.
---@param thousandths integer
---@return number
function M.credits(thousandths)
  if thousandths % 1000 == 0 then return thousandths // 1000 end
  return thousandths / 1000
end

--- A person's number of credits as thousandths.
---@param credits number
---@return integer
function M.thousandths(credits)
  return math.floor(credits * 1000 + 0.5)
end

---@param name string       in sentences: "show night-walk"
---@param limit? number     credits
---@param parent? rushes.Ledger
---@return rushes.Ledger
function M.new(name, limit, parent)
  return setmetatable({ name = name, limit = limit and M.thousandths(limit),
    reserved = 0, spent = 0, parent = parent }, Ledger)
end

--- What may still be reserved here, not looking at the ledgers above; nil is unlimited.
---@return integer?
function Ledger:room()
  return self.limit and self.limit - self.reserved - self.spent
end

--- The least room of this ledger and all above it; nil is unlimited.
---@return integer?
function Ledger:left()
  local left = self:room()
  local up = self.parent and self.parent:left()
  if left and up then return math.min(left, up) end
  return left or up
end

local function refusal(ledger, amount, what)
  local room = math.max(0, ledger:room())
  return err.new("budget", ("%s needs %s credits, but %s has %s left of %s"
    .. " (%s spent, %s held for calls under way); nothing was sent"):format(
    what, M.credits(amount), ledger.name, M.credits(room), M.credits(ledger.limit),
    M.credits(ledger.spent), M.credits(ledger.reserved)))
end

--- Hold `amount` in this ledger and all above it, or in none.
---@param amount integer  thousandths
---@param what string     for the sentence: "shot street"
---@return true?
---@return rt.Err?  code "budget"
function Ledger:reserve(amount, what)
  local ledger = self
  while ledger do
    local room = ledger:room()
    if room and amount > room then return nil, refusal(ledger, amount, what) end
    ledger = ledger.parent
  end
  ledger = self
  while ledger do
    ledger.reserved = ledger.reserved + amount
    ledger = ledger.parent
  end
  return true
end

--- Give back `held` and book `cost` instead; cost 0 is a refund. The provider's word
--- on the cost wins even when it is above what was held.
---@param held integer
---@param cost integer
function Ledger:settle(held, cost)
  local ledger = self
  while ledger do
    ledger.reserved = ledger.reserved - held
    ledger.spent = ledger.spent + cost
    ledger = ledger.parent
  end
end

local root

--- The ledger of this run, above every show's. `--budget` limits it.
---@return rushes.Ledger
function M.root()
  root = root or M.new("this run", config.options.budget)
  return root
end

return M
