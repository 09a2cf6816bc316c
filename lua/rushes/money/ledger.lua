--- Credits held, spent and left, in integer thousandths of a credit. Ledgers nest: a
--- reservation must fit its own limit and every one above it. A call that counts in
--- several at once (a show and a budget) names its leaves; each ledger counts it once.
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

--- The leaves and all above them, each once. Leaves stay as they are once they are made,
--- so they keep it.
local function union(leaves)
  if leaves.union then return leaves.union end
  local list, seen = {}, {}
  for _, ledger in ipairs(leaves) do
    while ledger and not seen[ledger] do
      seen[ledger] = true
      list[#list + 1] = ledger
      ledger = ledger.parent
    end
  end
  leaves.union = list
  return list
end

--- The least room of the leaves and all above them; nil is unlimited.
---@param leaves rushes.Ledger[]
---@return integer?  negative where more was spent than allowed
function M.left(leaves)
  local least
  for _, ledger in ipairs(union(leaves)) do
    local room = ledger:room()
    if room and (not least or room < least) then least = room end
  end
  return least
end

local function refusal(ledger, amount, what)
  local room = math.max(0, ledger:room())
  return err.new("budget", ("%s needs %s credits, but %s has %s left of %s"
    .. " (%s spent, %s held for other calls); nothing was sent"):format(
    what, M.credits(amount), ledger.name, M.credits(room), M.credits(ledger.limit),
    M.credits(ledger.spent), M.credits(ledger.reserved)))
end

--- Hold `amount` in the leaves and all above them, or in none. Sends nothing.
---@param leaves rushes.Ledger[]
---@param amount integer  thousandths
---@param what string     for the sentence: "shot street"
---@return true?
---@return rt.Err?  code "budget"
function M.reserve(leaves, amount, what)
  local list = union(leaves)
  for _, ledger in ipairs(list) do
    local room = ledger:room()
    if room and amount > math.max(0, room) then
      return nil, refusal(ledger, amount, what)
    end
  end
  for _, ledger in ipairs(list) do ledger.reserved = ledger.reserved + amount end
  return true
end

--- Give back `held` and book `cost` instead; cost 0 is a refund. The provider's word
--- on the cost wins even when it is above what was held.
---@param leaves rushes.Ledger[]  as in `reserve`
---@param held integer
---@param cost integer
function M.settle(leaves, held, cost)
  for _, ledger in ipairs(union(leaves)) do ledger:load(cost, -held) end
end

--- Add what a journal knows of earlier runs, to this ledger only: one above it may
--- count this run alone. When such a call ends, `load(cost, -held)` books it.
---@param spent integer
---@param held integer
function Ledger:load(spent, held)
  self.spent, self.reserved = self.spent + spent, self.reserved + held
end

--- The least room of this ledger and all above it; nil is unlimited.
---@return integer?
function Ledger:left() return M.left { self } end

--- `ledgers.reserve` of this leaf.
function Ledger:reserve(amount, what) return M.reserve({ self }, amount, what) end

--- `ledgers.settle` of this leaf.
function Ledger:settle(held, cost) M.settle({ self }, held, cost) end

local root

--- The ledger of this run, above every show's. `--budget` limits it.
---@return rushes.Ledger
function M.root()
  root = root or M.new("this run", config.options.budget)
  return root
end

return M
