--- What paid calls of one show share: account, journal, lanes, breaker, the ledgers that
--- hold their credits. Opening it is where a show is refused before anything is sent.
local core = require "rt.c.core"
local err = require "rt.err"
local fs = require "rt.fs"
local task = require "rt.task"
local budgets = require "rushes.money.budget"
local breakers = require "rushes.money.breaker"
local config = require "rushes.config"
local journals = require "rushes.take.journal"
local ledgers = require "rushes.money.ledger"
local siblings = require "rushes.take.siblings"
local survey = require "rushes.take.survey"
local sys = require "rt.c.sys"
local accounts = require "rushes.take.account"
local belonging = require "rushes.take.belonging"

local M = {}

local begun = {} -- shows whose journal this program has opened, one for each journal

--- The shows of this run that have begun to shoot, in the order of their beginning.
---@return rushes.Show[]
function M.shows() return begun end

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

local bought = 0 -- takes of this run

--- Count a take that is going to be bought.
function Shooting:count() bought = bought + 1 end

--- May this take be bought? --limit counts those of the whole run.
---@param take rushes.Take
---@return true?
---@return rt.Err?  code "skipped"
function Shooting:allows(take)
  local limit = self.options.limit
  if not limit or bought < limit then return true end
  for _, call in ipairs(take.calls) do
    if call.todo == "buy" then
      return nil, err.new("skipped", ("shot %q is left out: --limit %d"):format(
        take.shot.name, limit), { flag = "limit" })
    end
  end
  return true
end

--- Does --only leave a shot out?
---@param shot string
---@return boolean
function M.leaves_out(shot)
  local globs = config.options.only
  if not globs then return false end
  for _, glob in ipairs(globs) do
    if fs.matcher(glob)(shot) then return false end
  end
  return true
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
  local journal, limit = shooting.journal, shooting.show.ledger.limit
  if shooting.noted ~= (limit or false) then
    journal:limit("", limit)
    shooting.noted = limit or false
  end
  while path do
    journal:limit(path, budgets.at(path).limit)
    path = path:match "^(.+)/"
  end
end

--- The same with the budgets that are around the running task. Waits.
---@async
---@return rushes.Shooting
function Shooting:here()
  local scope = siblings.current()
  note_limits(self, scope and scope.path)
  if not scope then
    self.bare = self.bare or setmetatable({ budget = "", leaves = { self.show.ledger },
      keys = {} }, { __index = self })
    return self.bare
  end
  return setmetatable({ budget = scope.path, leaves = { self.show.ledger, scope.ledger },
    keys = { "budget:" .. scope.path } }, { __index = self })
end

local function words(limit) return limit and ledgers.credits(limit) or "any number of" end

-- ---- the folder ----

function Shooting:last_in_folder(shot) return self.journal.clips[shot] or 0 end

local PROBED = 10 -- seconds for which a folder that could be written counts as one
local probed = {} -- folder -> when, monotonic

--- Make the folder of the clips and find out, before one is paid for, whether they can
--- be written there.
local function open_folder(path)
  if probed[path] and core.now() < probed[path] + PROBED then return true end
  local probe = fs.join(path, ".rushes-probe")
  local ok, e = fs.mkdir(path)
  if ok then
    ok, e = fs.write(probe, "")
    fs.remove(probe) -- or another show has: it tries the same
  end
  if ok then
    probed[path] = core.now()
    return true
  end
  return nil, err.new(e.code, ("no clip can be written to the folder %q, so nothing was"
    .. " sent: %s"):format(path, e.message), { cause = e })
end

--- Credits of earlier runs count against the show's budget and those below it. A show
--- that a script declares twice has one ledger all the same.
local function share_credits(show, journal)
  local ledger = journal.ledger
  if not ledger then
    journal.ledger = show.ledger
    begun[#begun + 1] = show
    for _, sum in ipairs(journal.spent) do show.ledger:load(sum.cost, sum.held) end
    siblings.open(show.output, journal.spent)
  elseif ledger.limit ~= show.ledger.limit then
    return nil, err.new("invalid", ("show %s was declared with a budget of %s credits and"
      .. " again with %s; one show has one budget. Nothing was sent"):format(show.name,
      words(ledger.limit), words(show.ledger.limit)))
  else
    show.ledger = ledger
  end
  return true
end

local function open_journal(show, account)
  local journal, e = journals.open(show.output, config.options.plan)
  if not journal then return nil, e end
  local ok
  ok, e = belonging.check(journal, show.name, account)
  if not ok then return nil, e end
  if show.journal ~= journal then
    ok, e = share_credits(show, journal)
    if not ok then return nil, e end
    show.journal = journal
    local again = config.options.again
    journal:fact("command", again and again()) -- how to go on, and where it was typed
    journal:fact("cwd", sys.cwd())
  end
  return journal
end

--- Clips without their journal: nobody knows what was paid for, and a run would buy
--- everything anew.
local function recognized(show, journal)
  local options = config.options
  if not journal.new or options.force or options.sim then return true end
  for _, shot in ipairs(show.shots) do
    local n = journal.clips[shot.name]
    if n then
      return nil, err.new("damaged", ("the folder %s holds takes of shot %s (up to"
        .. " t%03d), but not the journal that says what was paid for, so that every shot"
        .. " would be bought anew. Put journal.db back, give the show another folder, or"
        .. " say --force to buy anew beside what is there. Nothing was sent"):format(
        show.output, shot.name, n))
    end
  end
  return true
end

local function begin(show, account)
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
  ok, e = recognized(show, journal)
  if not ok then return nil, e end
  ok, e = survey.begin(account, journal)
  if not ok then return nil, e end
  belonging.note(journal, account)
  local limit = show.moderation_limit
  if options.allow_moderated then limit = false end
  show.breaker = show.breaker or breakers.new(limit)
  return setmetatable({ show = show, account = account, journal = journal,
    lanes = survey.lanes(account), breaker = show.breaker, options = options }, Shooting)
    :here()
end

local turns = setmetatable({}, { __mode = "k" }) -- show -> semaphore

--- Everything that calls of a show need, or why they cannot be made. One after the other,
--- in the order of asking: of shots that are shot at the same time those that were asked
--- for first get what is left of a budget, in every run and in a plan. Waits; sends one
--- question about the account, spends nothing.
---@async
---@param show rushes.Show
---@param account? rushes.Account  that of the show's provider unless told
---@return rushes.Shooting?
---@return rt.Err?
function M.begin(show, account)
  turns[show] = turns[show] or task.semaphore(1)
  return turns[show]:with(begin, show, account)
end

return M
