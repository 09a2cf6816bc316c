--- What `rushes.provider(name)` gives a script: the three primitives by hand.
local budgets = require "rushes.money.budget"
local ledgers = require "rushes.money.ledger"
local object = require "rushes.studio.object"
local accounts = require "rushes.take.account"
local assets = require "rushes.take.assets"
local jobs = require "rushes.take.job"

local M = {}

---@class rushes.Provider
---@field name string
local Provider = {}

local class = object.class("provider", Provider, object.set "name account")

--- Hold the credits in this run and in the budgets around the call.
local function reserve(account, spec, price)
  local scope = budgets.current()
  local leaves = { ledgers.root(), scope and scope.ledger }
  local ok, e = ledgers.reserve(leaves, price, spec.name or ("a call to " .. spec.model))
  if not ok then return nil, e end
  return jobs.new(account, spec, leaves, price)
end

--- Check, price and send one generation. Waits until the provider has taken it; spends.
--- Bad input and a budget that does not reach are refused before anything is sent.
---@async
---@param spec table  {model, prompt, seconds, ratio?, …}: docs/providers.md
---@return rushes.Job?
---@return rt.Err?
function Provider:generate(spec)
  if type(spec) ~= "table" then
    error(("generate wants a table, not a %s"):format(type(spec)), 2)
  end
  local account = self.account
  local normal, e = account.provider.normalize(spec)
  if not normal then return nil, e end
  normal.model = account:model(normal.model)
  local ok, price, job, files
  ok, e = assets.load(normal)
  if not ok then return nil, e end
  price, e = jobs.price(account, normal)
  if not price then return nil, e end
  job, e = reserve(account, normal, price)
  if not job then return nil, e end
  account:note(normal)
  files, e = assets.fill(account, normal)
  if not files then
    job:release(e)
    return nil, e
  end
  job.files = files
  return job:submit()
end

--- The provider of that name; raises if there is none, or its key is missing.
---@param name string
---@return rushes.Provider
function M.open(name)
  accounts.provider(name, 2)
  local account, e = accounts.open(name)
  if not account then error(e, 0) end
  return setmetatable({ name = name, account = account }, class)
end

return M
