--- Which show and which account a journal is of. Under another account's key, or at
--- another address, its tasks would seem to be gone, and be bought anew.
local err = require "rt.err"
local config = require "rushes.config"
local ledgers = require "rushes.money.ledger"

local M = {}

local SIMULATOR = "the simulator" -- stands for the address of every run --sim
M.SIMULATOR = SIMULATOR

local function elsewhere(journal, what, was, is, advice)
  return nil, err.new("invalid", ("the journal in %s is %s %s, and this run's is %s; %s."
    .. " Nothing was sent"):format(journal.folder, what, was, is, advice))
end

--- Is it this show's, and was it made at this address?
local function check_place(journal, show, account)
  local options, meta = config.options, journal.meta
  local key_of_base = "base:" .. account.name
  local base = options.sim and SIMULATOR or account.cfg.base
  local known_base = meta[key_of_base]
  if meta.show and meta.show ~= show then
    return elsewhere(journal, "that of show", meta.show, show,
      "give one of them another folder (output = \"…\")")
  elseif base and known_base and known_base ~= base and not options.same_account then
    return elsewhere(journal, ("of takes made by %s at"):format(account.name), known_base,
      base, "set the address back, give the show another folder, or say --same-account if"
      .. " both lead to the same account")
  end
  journal:fact("show", show)
  journal:fact(key_of_base, base)
  meta.show, meta[key_of_base] = show, base -- for a plan, which writes nothing, too
  return true
end

-- ---- the key ----

local function key_of_marks(account) return "keys:" .. account.name end

--- Was what stands in a journal made with the account's key? True as well where it cannot
--- be told: no key is set, or the journal is older than the marks of keys.
---@param meta table<string, string>  of the journal
---@param account rushes.Account
---@return boolean
function M.knows(meta, account)
  local marks = meta[key_of_marks(account)]
  if not marks or not account.secret then return true end
  return marks:find(account:mark(meta.salt), 1, true) ~= nil
end

-- What only the account that it was made with can follow, fetch or settle.
local OPEN = [[SELECT COUNT(*) AS n, SUM(a.held) AS held FROM attempts a
  JOIN calls c ON c.id = a.call WHERE c.provider = ? AND a.state IN ('sent', 'accepted',
  'queued', 'throttled', 'running', 'succeeded', 'unknown', 'resubmit')]]

local function another_key(journal, account, row)
  local one = row.n == 1
  return err.new("auth", ("the journal in %s has %d %s not on disk or not settled (%s"
    .. " credits held), made with another key of %s than this run's: to another account"
    .. " they would seem to be gone, and be bought anew. Set that key back, give the show"
    .. " another folder, or say --same-account if both keys are of one account. Nothing"
    .. " was sent"):format(journal.folder, row.n, one and "call that is" or
    "calls that are", ledgers.credits(row.held), account.name), { class = "auth" })
end

local function check_key(journal, account)
  local options = config.options
  if options.sim or options.same_account or M.knows(journal.meta, account) then
    return true
  end
  local rows, e = journal.conn:rows(OPEN, account.name)
  if not rows then return nil, e end
  if rows[1].n == 0 then return true end
  return nil, another_key(journal, account, rows[1])
end

--- See to it that the journal is that of this show and this account. Waits; sends
--- nothing.
---@async
---@param journal rushes.Journal
---@param show string
---@param account rushes.Account
---@return true?
---@return rt.Err?  code "invalid", or "auth": another key
function M.check(journal, show, account)
  local ok, e = check_place(journal, show, account)
  if not ok then return nil, e end
  return check_key(journal, account)
end

--- Keep a mark of the key, which the provider has taken. Where nothing is open the
--- journal changes over to it; --same-account adds it. Does not wait.
---@param journal rushes.Journal
---@param account rushes.Account
function M.note(journal, account)
  local options, meta, key = config.options, journal.meta, key_of_marks(account)
  if options.sim or journal.readonly or not account.secret then return end
  if meta[key] and M.knows(meta, account) then return end
  journal:fact("salt", meta.salt
    or ("%016x%016x"):format(math.random(0), math.random(0)))
  local mark, known = account:mark(meta.salt), options.same_account and meta[key]
  journal:fact(key, known and known .. " " .. mark or mark)
end

return M
