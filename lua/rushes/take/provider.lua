--- What `rushes.provider(name)` gives a script: the three primitives by hand.
local budgets = require "rushes.money.budget"
local config = require "rushes.config"
local ledgers = require "rushes.money.ledger"
local object = require "rushes.studio.object"
local accounts = require "rushes.take.account"
local assets = require "rushes.take.assets"
local calls = require "rushes.take.call"
local invoice = require "rushes.take.invoice"
local jobs = require "rushes.take.job"
local shootings = require "rushes.take.shooting"
local siblings = require "rushes.take.siblings"

local M = {}

---@class rushes.Provider
---@field name string
---@field show? rushes.Show  in whose journal its calls are kept
local Provider = {}

local FIELDS = object.set "name account show shooting"
local class = object.class("provider", Provider, FIELDS, FIELDS)

--- The pictures' addresses, then the call itself. What cannot be sent holds nothing.
local function send(account, job, spec)
  local e
  local _ <close> = setmetatable({}, { __close = function()
    if job.state == "planned" then job:release(e) end
  end })
  local files
  files, e = assets.fill(account, spec)
  if not files then return nil, e end
  job.files = files
  return job:submit()
end

--- Price a call that no journal holds and hold its credits, in this run and in the
--- budgets around it.
---@return integer? price
---@return rt.Err|rushes.Ledger[]? leaves  where they are held; or why they are not
---@return integer? refused  the price that did not fit
local function hold(account, spec)
  local ok, e = assets.load(spec)
  if not ok then return nil, e end
  local price
  price, e = jobs.price(account, spec)
  if not price then return nil, e end
  local scope = siblings.current()
  local leaves = { ledgers.root(), scope and scope.ledger }
  ok, e = ledgers.reserve(leaves, price, spec.name or ("a call to " .. spec.model))
  if not ok then return nil, e, price end
  return price, leaves
end

local function unrecorded(account, spec)
  local price, leaves = hold(account, spec)
  if not price then return nil, leaves end
  account:note(spec)
  return send(account, jobs.new(account, spec, leaves, price), spec)
end

--- A job of an earlier run: under way, made, or landed.
local function resumed(call)
  call:resume()
  local job = call.job
  if job.state == "planned" then job.state = "queued" end
  job.record.by_hand = true
  if call.todo == "landed" then job.landed = call.known end
  return job
end

--- Which call of the show this is, and what its journal knows of it.
local function identified(provider, spec)
  if not provider.shooting then
    local begun, e = shootings.begin(provider.show, provider.account)
    if not begun then return nil, e end
    provider.shooting = begun
  end
  local ctx = provider.shooting:here()
  local call, e = calls.describe(ctx, { name = calls.BY_HAND, spec = spec })
  if not call then return nil, e end
  local ok
  ok, e = call:identify()
  if ok then ok, e = call:look() end
  if not ok then return nil, e end
  return call
end

--- A call in the show's journal: found there, or bought.
local function recorded(provider, spec)
  local account = provider.account
  local call, e = identified(provider, spec)
  if not call then return nil, e end
  if call.todo == "unknown" then return call:run() end
  if call.todo ~= "buy" then return resumed(call) end
  account:note(spec)
  local ok
  ok, e = call:reserve() -- on disk with the mark that it is sent
  if not ok then return nil, e end
  call.job.record.by_hand = true
  return send(account, call.job, spec)
end

--- `rushes plan`: a call that no journal holds, as it would be made.
local function plan_unrecorded(account, spec)
  local price, leaves, refused = hold(account, spec)
  local scope, e = budgets.current(), not price and leaves or nil
  local priced = price or refused
  invoice.by_hand(account, spec, { budget = scope and scope.path or "",
    call = e and "blocked" or "new", why = e and e.message or "made by hand", err = e,
    credits = priced and ledgers.credits(priced) })
  if e then return nil, e end
  return jobs.rehearsed(account, spec, price)
end

--- `rushes plan`: the call as it would be found or made, told and not sent.
local function planned(provider, spec)
  local account = provider.account
  if not provider.show then return plan_unrecorded(account, spec) end
  local call, e = identified(provider, spec)
  if not call then
    invoice.by_hand(account, spec, { show = provider.show.name, call = "blocked",
      why = e.message, err = e, budget = "" })
    return nil, e
  end
  if call.todo == "buy" then e = select(2, call:reserve()) end
  local fields = invoice.judged(nil, call, e)
  fields.show = provider.show.name
  invoice.by_hand(account, spec, fields)
  if e then return nil, e end
  if call.todo == "unknown" then return call:run() end
  return jobs.rehearsed(account, spec, call.price)
end

--- Check, price and send one generation. Waits until the provider has taken it; spends.
--- Bad input and a budget that does not reach are refused before anything is sent. With a
--- show, a call that an earlier run has made is found again and costs nothing.
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
  if config.options.plan then return planned(self, normal) end
  if self.show then return recorded(self, normal) end
  return unrecorded(account, normal)
end

--- The provider of that name; raises if there is none, or its key is missing.
---@param name string
---@param show? rushes.Show  keep its calls in this show's journal and budget
---@return rushes.Provider
function M.open(name, show)
  accounts.provider(name, 2)
  if show ~= nil and (type(show) ~= "table" or not show.ledger) then
    error("the second argument of rushes.provider is a show: what rushes.show{…} gave", 2)
  end
  local account, e = accounts.open(name)
  if not account and config.options.plan and e.code == "auth" then
    account = accounts.unasked(name, e)
  elseif not account then
    error(e, 0)
  end
  return setmetatable({ name = name, account = account, show = show }, class)
end

return M
