--- What paid calls of one show share: account, journal, lanes, breaker, the ledgers that
--- hold their credits. Opening it is where a show is refused before anything is sent.
local err = require "rt.err"
local fs = require "rt.fs"
local budgets = require "rushes.money.budget"
local breakers = require "rushes.money.breaker"
local config = require "rushes.config"
local journals = require "rushes.take.journal"
local survey = require "rushes.take.survey"
local accounts = require "rushes.take.account"

local M = {}

---@class rushes.Shooting
---@field show rushes.Show
---@field account rushes.Account
---@field journal rushes.Journal
---@field lanes rushes.Lanes
---@field breaker rushes.Breaker
---@field leaves rushes.Ledger[]  where credits are held
---@field keys string[]           under which the breaker counts failures
---@field budget string           the path of the budgets around it
---@field options rushes.config.Options
local Shooting = {}
Shooting.__index = Shooting

--- Of one take: who it is, what its failures count for.
---@param take rushes.Take
function Shooting:take(take)
  local own = setmetatable({}, { __index = self })
  own.keys = { "shot:" .. take.shot.name, self.keys[1] }
  own.priority = take.shot.priority
  return own
end

--- The ledgers that credits held by an earlier run count in.
---@param path string
---@return rushes.Ledger[]
function Shooting:leaves_of(path)
  if path == "" then return { self.show.ledger } end
  return { self.show.ledger, budgets.at(path) }
end

--- What may be spent stands in the journal, for `rushes status`.
local function note_limits(shooting, path)
  local journal = shooting.journal
  journal:limit("", shooting.show.ledger.limit)
  while path do
    journal:limit(path, budgets.at(path).limit)
    path = path:match "^(.+)/"
  end
end

--- The same with the budgets that are around the running task.
---@return rushes.Shooting
function Shooting:here()
  local scope = budgets.current()
  note_limits(self, scope and scope.path)
  return setmetatable({ budget = scope and scope.path or "",
    leaves = { self.show.ledger, scope and scope.ledger },
    keys = { scope and "budget:" .. scope.path } }, { __index = self })
end

-- ---- the folder ----

--- Which takes lie in the folder: a file that is there is never replaced.
local function numbers_in(folder)
  local last = {}
  for _, entry in ipairs(fs.list(folder) or {}) do
    local shot, n = entry.name:match "^(.+)_t(%d%d%d+)[_.]"
    if shot then last[shot] = math.max(last[shot] or 0, tonumber(n)) end
  end
  return last
end

function Shooting:last_in_folder(shot) return self.show.numbers[shot] or 0 end

--- Make the folder of the clips and find out, before one is paid for, whether they can
--- be written there.
local function open_folder(path)
  local probe = fs.join(path, ".rushes-probe")
  local ok, e = fs.mkdir(path)
  if ok then
    ok, e = fs.write(probe, "")
    fs.remove(probe) -- or another show has: it tries the same
  end
  if ok then return true end
  return nil, err.new(e.code, ("no clip can be written to the folder %q, so nothing was"
    .. " sent: %s"):format(path, e.message), { cause = e })
end

--- Credits of earlier runs count against the show's budget and those below it.
local function load_credits(show, journal)
  for _, sum in ipairs(journal:sums()) do
    show.ledger:load(sum.cost, sum.held)
    if sum.budget ~= "" then budgets.load(sum.budget, sum.cost, sum.held) end
  end
end

local function open_journal(show, account)
  local journal, e = journals.open(show.output, config.options.plan)
  if not journal then return nil, e end
  local ok
  local base = config.options.sim and "the simulator" or account.cfg.base
  ok, e = journal:belongs(show.name, account.name, base,
    account.unasked ~= nil or config.options.same_account)
  if not ok then return nil, e end
  if show.journal ~= journal then
    show.journal = journal
    load_credits(show, journal)
  end
  return journal
end

--- Everything that calls of a show need, or why they cannot be made. Waits; sends one
--- question about the account, spends nothing.
---@async
---@param show rushes.Show
---@param account? rushes.Account  that of the show's provider unless told
---@return rushes.Shooting?
---@return rt.Err?
function M.begin(show, account)
  local options = config.options
  local ok, e = true, nil
  if not account then account, e = accounts.open(show.provider) end
  if not account and options.plan and e.code == "auth" then
    account = accounts.unasked(show.provider, e)
  elseif not account then
    return nil, e
  end
  if not options.plan then ok, e = open_folder(show.output) end
  if not ok then return nil, e end
  local journal
  journal, e = open_journal(show, account)
  if not journal then return nil, e end
  show.numbers = show.numbers or numbers_in(show.output)
  ok, e = survey.begin(account, journal)
  if not ok then return nil, e end
  local limit = show.moderation_limit
  if options.allow_moderated then limit = false end
  show.breaker = show.breaker or breakers.new(limit)
  return setmetatable({ show = show, account = account, journal = journal,
    lanes = survey.lanes(account), breaker = show.breaker, options = options }, Shooting)
    :here()
end

return M
