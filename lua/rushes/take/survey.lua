--- What the account says of itself: its lanes, its daily limits, its balance. Asked when
--- a show begins to shoot; kept in the journal as evidence for what may get lost.
local core = require "rt.c.core"
local err = require "rt.err"
local task = require "rt.task"
local config = require "rushes.config"
local event = require "rushes.event"
local lanes = require "rushes.money.lane"
local ledgers = require "rushes.money.ledger"

local M = {}

-- Seconds after which the account is asked again, when nothing is under way.
local OLD = 60

local PATIENCE = 5 -- seconds after which a person is told what is waited for

-- A plan does without the answer: seconds and tries until it does.
local PLAN = { timeout = 20, attempts = 2 }

--- The account's answer, or why there is none. Waits; spends nothing.
---@async
---@param account rushes.Account
---@return table? organization  of the provider's `organization`; nil, nil: it has no
---                             such call
---@return rt.Err?
function M.ask(account)
  local provider = account.provider
  if not provider.organization_req then return nil end
  local limits, req = config.options.plan and PLAN or {}, provider.organization_req()
  req.timeout = limits.timeout
  local resp, e
  task.scope(function(s)
    s:spawn(function()
      task.sleep(PATIENCE)
      event.emit("note", { text = ("waiting for %s to say what the account may do")
        :format(account.name) })
    end)
    resp, e = account:request(req, limits.attempts)
    s:cancel()
  end)
  if not resp then return nil, e end
  return provider.organization(resp)
end

--- The lanes of an account, without limits until it has been asked.
---@param account rushes.Account
---@return rushes.Lanes
function M.lanes(account)
  account.lanes = account.lanes or lanes.new { look = function()
    local organization, e = M.ask(account)
    if not organization then return nil, e end
    account.lanes:update(organization)
    return true
  end }
  return account.lanes
end

local function seed(account, journal)
  for model, times in pairs(journal:accepted_today()) do
    account.lanes:seed(model, times)
  end
end

local function tell(account, organization, e)
  event.emit("lanes", { provider = account.name, err = e,
    lanes = organization and organization.lanes,
    balance = organization and ledgers.credits(organization.balance) })
end

--- Ask the account before shots are bought through it, unless it was just asked or
--- something is under way, which would blur the evidence. Only a refused key is an error:
--- any other trouble will show in the calls themselves.
---@async
---@param account rushes.Account
---@param journal rushes.Journal
---@return true?
---@return rt.Err?  code "auth"
function M.begin(account, journal)
  M.lanes(account)
  if account.unasked then
    tell(account, nil, account.unasked)
    return true
  end
  local now = core.now()
  local asked = journal.surveyed
  if asked and (now - asked < OLD or next(journal.active)) then return true end
  local organization, e = M.ask(account)
  if e and e.code == "auth" then return nil, err.from(e) end
  asked, journal.surveyed = journal.surveyed, now -- others may have asked meanwhile
  if not asked then seed(account, journal) end
  if organization then
    account.lanes:update(organization)
    if not journal.readonly then journal:witness(account.name, organization) end
  end
  if organization or e then tell(account, organization, e) end
  return true
end

return M
