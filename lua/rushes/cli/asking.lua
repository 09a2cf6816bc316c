--- The account behind a journal, for commands that compare the two.
local accounts = require "rushes.take.account"
local belonging = require "rushes.take.belonging"
local err = require "rt.err"

local M = {}

local TIMEOUT, ATTEMPTS = 30, 2 -- seconds; somebody sits and waits

--- The account, if the address and the key that are set now are those that the takes were
--- made with: the numbers of another account would say nothing.
---@param provider string
---@param meta table<string, string>  of the journal
---@return rushes.Account?
---@return rt.Err?
function M.account(provider, meta)
  local base = meta["base:" .. provider]
  if base == belonging.SIMULATOR then
    return nil, err.new("usage", "the takes are of a rehearsal (--sim): its simulator has"
      .. " ended, so there is no account to ask")
  end
  local account, e = accounts.open(provider)
  if not account then return nil, e end
  if base and base ~= account.cfg.base then
    return nil, err.new("usage", ("the takes were made by %s at %s, and the address that"
      .. " is set now is %s, whose account knows nothing of them: set it back"):format(
      provider, base, account.cfg.base))
  end
  if not belonging.knows(meta, account) then
    return nil, err.new("auth", ("the takes were made with another key of %s than the one"
      .. " that is set now: set that one back, or say once that both are of one account:"
      .. " rushes run --same-account SCRIPT"):format(provider), { class = "auth" })
  end
  return account
end

--- Send one question and let the provider read the answer. Waits; spends nothing.
---@async
---@param account rushes.Account
---@param req? table  nil where the provider has no such question
---@param read fun(resp: table): table?, rt.Err?
---@return table?
---@return rt.Err?
function M.ask(account, req, read)
  if not req then
    return nil, err.new("unsupported", account.name .. " does not tell this")
  end
  req.timeout = TIMEOUT
  local resp, e = account:request(req, ATTEMPTS)
  if not resp then return nil, e end
  return read(resp)
end

return M
