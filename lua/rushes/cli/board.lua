--- What is known of the takes of this run, gathered from events: counts, and a record
--- of each take that is under way. Knows nothing of how it is shown.
local status = require "rushes.cli.exit_status"

local M = {}

---@class rushes.cli.Row
---@field show string
---@field shot string
---@field take string
---@field model string
---@field state string
---@field stage? string     still or motion
---@field progress number   0 to 1
---@field credits number    held for it
---@field id? string
---@field since number      seconds, when it was submitted
---@field ended? boolean

---@class rushes.cli.Board
---@field planned integer   takes wanted so far
---@field active integer    submitted and not ended
---@field landed integer
---@field reused integer    those of them that an earlier run has made
---@field failed integer
---@field unknown integer   nobody knows whether they were taken
---@field skipped integer   left out by the policy or a flag
---@field stopped integer   not sent because of Ctrl-C
---@field earlier integer   active ones of earlier runs that the script did not ask for;
---                         they and what becomes of them stand in no other count
---@field fetched integer
---@field not_fetched integer
---@field states table<string, integer>    of the active ones
---@field failures table<integer, integer> exit status -> how many failed so
---@field rows rushes.cli.Row[]            the active ones, in order, some ended
---@field begun? number     seconds, when the first was submitted
---@field over integer      submitted and ended
---@field unsent integer    ended without having been submitted in this run
---@field shows integer
---@field ledgers rushes.Ledger[]  of the shows
---@field limit? number     credits that all shows together may spend
---@field stopping? boolean  after the first Ctrl-C
local Board = {}
Board.__index = Board

---@param now fun(): number        monotonic seconds
---@param limit? number            credits, --budget
---@return rushes.cli.Board
function M.new(now, limit)
  return setmetatable({ now = now, started = now(), cap = limit, limit = limit,
    planned = 0, active = 0, landed = 0, reused = 0, failed = 0, unknown = 0, skipped = 0,
    stopped = 0, earlier = 0, fetched = 0, not_fetched = 0, states = {}, failures = {},
    rows = {}, by_key = {}, known = {}, ended_rows = 0, over = 0, unsent = 0,
    shows = 0, budgets = 0, bounded = 0, ledgers = {}, folders = {} }, Board)
end

local function key(f)
  return (f.show or "") .. "\0" .. (f.shot or f.id or "") .. "\0" .. (f.take or "")
end

local function count_state(board, state, by)
  board.states[state] = (board.states[state] or 0) + by
end

--- Throw away rows of takes that have ended, now and then.
local function compact(board)
  if board.ended_rows * 2 < #board.rows or board.ended_rows < 16 then return end
  local kept = {}
  for _, row in ipairs(board.rows) do
    if not row.ended then kept[#kept + 1] = row end
  end
  board.rows, board.ended_rows = kept, 0
end

local function open_row(board, k, f)
  local row = board.by_key[k]
  if not row then
    row = { show = f.show or "", shot = f.shot or f.id or "?", take = f.take or "",
      progress = 0, since = board.now() }
    board.by_key[k] = row
    board.rows[#board.rows + 1] = row
    board.active = board.active + 1
    board.begun = board.begun or row.since
  else
    count_state(board, row.state, -1)
  end
  row.model, row.stage = f.model or "", f.stage or row.stage
  row.state = f.state or "queued"
  row.credits, row.id = f.credits or 0, f.id
  row.progress = f.progress or row.progress
  count_state(board, row.state, 1)
  return row, true
end

local function update_row(board, k, f)
  local row = board.by_key[k]
  if not row then return nil, false end
  local changed = f.state ~= nil and f.state ~= row.state
  if changed then
    count_state(board, row.state, -1)
    row.state = f.state
    count_state(board, row.state, 1)
  end
  row.progress = f.progress or row.progress
  row.credits, row.id = f.credits or row.credits, f.id or row.id
  return row, changed
end

local function close_row(board, k)
  local row = board.by_key[k]
  if not row then
    board.unsent = board.unsent + 1
    return nil
  end
  board.by_key[k] = nil
  row.ended, board.over = true, board.over + 1
  board.active = board.active - 1
  board.ended_rows = board.ended_rows + 1
  count_state(board, row.state, -1)
  compact(board)
  return row
end

local function plan(board, k)
  if board.known[k] then return end
  board.known[k] = true
  board.planned = board.planned + 1
end

local NO_FAILURE = { skipped = true, stopped = true }

local function fail(board, f)
  local ended = (NO_FAILURE[f.state] or f.state == "unknown") and f.state or "failed"
  board[ended] = board[ended] + 1
  if NO_FAILURE[ended] then return end
  local s = status.of_failure(f.err)
  board.failures[s] = (board.failures[s] or 0) + 1
end

local on = {}

--- A show that a script declares twice is one show.
function on.show(board, f)
  local folder = f.output or f.show
  if board.folders[folder] then return end
  board.folders[folder], board.shows = true, board.shows + 1
  board.ledgers[board.shows] = f.ledger
  if f.budget then
    board.budgets, board.bounded = board.budgets + f.budget, board.bounded + 1
  end
  local sum = board.bounded == board.shows and board.budgets or nil
  board.limit = sum and board.cap and math.min(sum, board.cap) or sum or board.cap
end

function on.planned(board, f) plan(board, key(f)) end

function on.submitted(board, f)
  local k = key(f)
  if f.earlier then
    board.earlier = board.earlier + 1
  else
    plan(board, k)
  end
  return open_row(board, k, f)
end

function on.state(board, f) return update_row(board, key(f), f) end

on.progress = on.state

local function end_earlier(board, f, what)
  board.earlier, board[what] = board.earlier - 1, board[what] + 1
  return close_row(board, key(f)), true
end

function on.landed(board, f)
  if f.earlier then return end_earlier(board, f, "fetched") end
  local k = key(f)
  plan(board, k)
  board.known[k] = nil
  board.landed = board.landed + 1
  return close_row(board, k), true
end

function on.reused(board, f)
  board.reused = board.reused + 1
  return on.landed(board, f)
end

function on.failed(board, f)
  if f.earlier then return end_earlier(board, f, "not_fetched") end
  local k = key(f)
  plan(board, k)
  board.known[k] = nil
  fail(board, f)
  return close_row(board, k), true
end

--- Take in an event.
---@param kind rushes.event.Kind
---@param f table
---@return rushes.cli.Row? row  of the take, if it is or was under way
---@return boolean changed      is it news, beyond a number that grew?
function Board:event(kind, f)
  local handler = on[kind]
  if not handler then return nil, true end
  local row, changed = handler(self, f)
  return row, changed ~= false
end

--- Takes that have come to an end, whatever it was.
---@return integer
function Board:done()
  return self.landed + self.failed + self.unknown + self.skipped + self.stopped
end

--- Takes that wait in our own line, or are being sent.
---@return integer
function Board:waiting()
  return self.planned - self:done() - (self.active - self.earlier)
end

---@return number seconds since the run began
function Board:elapsed() return self.now() - self.started end

--- A guess at the seconds that are left, or nil while there is nothing to go by. What
--- was there already, or was refused before it was sent, says nothing about it.
---@return number?
function Board:remaining()
  local work, share = self.planned - self.unsent, self.over
  if not self.begun or work == 0 then return nil end
  for _, row in ipairs(self.rows) do
    if not row.ended then share = share + row.progress end
  end
  share = share / work
  if share < 0.02 or share >= 1 then return nil end
  return (self.now() - self.begun) * (1 - share) / share
end

local RANK = { running = 1, downloading = 1, succeeded = 1, queued = 2, throttled = 3 }

--- The rows to show when only `n` fit: those that move first, in order of submission.
---@param n integer
---@return rushes.cli.Row[]
function Board:top(n)
  local ranked = { {}, {}, {}, {} }
  for _, row in ipairs(self.rows) do
    if not row.ended then
      local list = ranked[RANK[row.state] or 4]
      if #list < n then list[#list + 1] = row end
    end
  end
  local top = {}
  for _, list in ipairs(ranked) do
    for _, row in ipairs(list) do
      if #top < n then top[#top + 1] = row end
    end
  end
  return top
end

--- What may still be spent, in thousandths: what the run has left and what its shows
--- have, where earlier runs count too. nil: without limit.
local function room(board, ledgers)
  local root = ledgers.root()
  local least = board.cap
    and ledgers.thousandths(board.cap) - root.spent - root.reserved
  if board.bounded == 0 or board.bounded < board.shows then return least end
  local sum = 0
  for _, ledger in ipairs(board.ledgers) do sum = sum + math.max(0, ledger:room()) end
  return least and math.min(least, sum) or sum
end

--- Credits spent and held by this run, what is left (nil without a limit), and what
--- earlier runs have spent or hold of the limit.
---@return number spent
---@return number held
---@return number? left
---@return number? before
function Board:money()
  local ledgers = package.loaded["rushes.money.ledger"]
  if not ledgers then return 0, 0, self.limit end
  local root = ledgers.root()
  local spent, held = ledgers.credits(root.spent), ledgers.credits(root.reserved)
  local left = room(self, ledgers)
  if not left then return spent, held end
  left = math.max(0, left)
  local before = ledgers.thousandths(self.limit) - root.spent - root.reserved - left
  return spent, held, ledgers.credits(left), ledgers.credits(math.max(0, before))
end

return M
