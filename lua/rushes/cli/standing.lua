--- How a show stands, from its journal: as data, and as lines for a person.
local holder = require "rushes.take.holder"
local core = require "rt.c.core"
local exit_status = require "rushes.cli.exit_status"
local fs = require "rt.fs"
local ledgers = require "rushes.money.ledger"
local records = require "rushes.take.records"
local steps = require "rushes.cli.steps"
local tables = require "rushes.cli.table"
local tail = require "rushes.take.tail"
local text = require "rushes.cli.text"
local when = require "rushes.when"

local M = {}

---@class rushes.cli.Standing
---@field show string
---@field folder string
---@field lost? string                   a sentence: the end of its journal is missing
---@field holder? rushes.Holder          who runs it now
---@field last? rushes.records.Run
---@field again string                   the command that runs the script
---@field watched? boolean               somebody is looking on
---@field shots integer                  that its scripts have asked for
---@field unbegun integer                of them without a take
---@field takes rushes.records.Take[]    and calls by hand
---@field by_hand integer                of them
---@field states table<string, integer>  of the takes
---@field open rushes.records.Take[]     not simply done, those first that need a person
---@field sums rushes.records.Sums
---@field asked_again {n: integer, held: integer}  not settled, though asked for again
---@field limit? integer                 of the show, thousandths
---@field budgets {path: string, sums: rushes.records.Sums, limit?: integer}[]
---@field now number

local function budgets_of(journal, meta)
  local sums, paths, list = journal:budgets(), {}, {}
  for path in pairs(sums) do paths[#paths + 1] = path end
  for key in pairs(meta) do
    local path = key:match "^limit:(.+)$"
    if path and not sums[path] then
      sums[path] = { spent = 0, held = 0, unknown = 0, moderation = 0 }
      paths[#paths + 1] = path
    end
  end
  table.sort(paths)
  for i, path in ipairs(paths) do
    list[i] = { path = path, sums = sums[path], limit = tonumber(meta["limit:" .. path]) }
  end
  return list
end

local function count(takes)
  local states, begun, by_hand = {}, {}, 0
  for _, take in ipairs(takes) do
    states[take.state] = (states[take.state] or 0) + 1
    if take.shot then begun[take.shot] = true else by_hand = by_hand + 1 end
  end
  return states, begun, by_hand
end

-- The others are under way at the provider: 2.
local RANK = { unknown = 1, intent = 3, failed = 4, cancelled = 4, dropped = 5 }

--- What is not simply done: the unknown ones first, then those under way, those that wait
--- to be sent, failures.
local function open_takes(takes)
  local list = {}
  for _, take in ipairs(takes) do
    if take.state ~= "landed" then list[#list + 1] = take end
  end
  local at = {}
  for i, take in ipairs(list) do at[take] = i end
  table.sort(list, function(a, b)
    local x, y = RANK[a.state] or 2, RANK[b.state] or 2
    return x == y and at[a] < at[b] or x < y
  end)
  return list
end

local function asked_again(journal)
  local n, held = journal:asked_again()
  return { n = n, held = held }
end

local function read(journal, folder, held_by)
  local meta, takes, shots = journal:meta(), journal:takes(), journal:shots()
  local states, begun, by_hand = count(takes)
  local last, unbegun = journal:last_run(), 0
  for _, shot in ipairs(shots) do
    if not begun[shot.name] then unbegun = unbegun + 1 end
  end
  return { show = meta.show or fs.basename(folder), folder = folder, holder = held_by,
    lost = journal.lost, last = last, again = steps.run(folder, last, meta),
    shots = #shots, unbegun = unbegun, takes = takes,
    by_hand = by_hand, states = states, open = open_takes(takes), sums = journal:sums(),
    asked_again = asked_again(journal),
    limit = tonumber(meta["limit:"]), budgets = budgets_of(journal, meta),
    now = core.time() }
end

--- Read it from a folder's journal. Waits.
---@async
---@param folder string
---@return rushes.cli.Standing?
---@return rt.Err?
function M.of(folder)
  local held_by = holder.of(folder)
  local journal, e = records.open(folder, held_by ~= nil)
  if not journal then return nil, e end
  local _ <close> = journal
  return read(journal, folder, held_by)
end

-- ---- what to do next ----

local LIVE = { intent = true, sent = true, accepted = true, queued = true,
  throttled = true, running = true, succeeded = true }
local AGAIN = { failed = true, cancelled = true, dropped = true, lost = true,
  charged = true, resubmit = true }

--- How many takes a further run would follow, ask for anew, and not ask for because
--- moderation has refused them.
local function what_is_left(s)
  local live, again, refused = 0, 0, 0
  for _, take in ipairs(s.open) do
    if LIVE[take.state] then
      live = live + 1
    elseif AGAIN[take.state] and take.class == "safety" then
      refused = refused + 1
    elseif AGAIN[take.state] then
      again = again + 1
    end
  end
  local done = s.last and s.last.status == 0
  return live, again + (done and 0 or s.unbegun), refused
end

--- The command that runs the script again, and what it would do.
local function run_step(s)
  local live, again, refused = what_is_left(s)
  if live > 0 then
    return { s.again, ("follow %s that the provider has; nothing is bought twice"):format(
      text.count(live, "take")) }
  elseif again > 0 then
    return { s.again, ("ask anew for %s without a clip"):format(
      text.count(again, "take")) }
  elseif refused > 0 then
    return { s.again, ("once the prompts of %s that moderation refused are changed")
      :format(text.count(refused, "take")) }
  end
end

--- The next commands: {command, why}.
---@param s rushes.cli.Standing
---@return string[][]
function M.next_steps(s)
  if s.lost then return { { tail.command(s.folder), "if it is lost for good" } } end
  local list, unknown = {}, s.states.unknown or 0
  if unknown > 0 then
    list[1] = { "rushes reconcile " .. steps.show(s.folder),
      ("%s whose outcome is not known, %s held"):format(text.count(unknown, "take"),
      text.count(text.thousandths(s.sums.unknown), "credit")) }
  end
  if not s.holder then
    list[#list + 1] = run_step(s)
  elseif not s.watched then
    list[#list + 1] = { ("rushes status %s --watch"):format(steps.show(s.folder)),
      "see how it goes on" }
  end
  if s.asked_again.n > 0 and unknown == 0 then
    list[#list + 1] = { "rushes reconcile " .. steps.show(s.folder),
      ("settle %s that %s asked for again: until then %s stay held"):format(
      text.count(s.asked_again.n, "submission"), s.asked_again.n == 1 and "was" or "were",
      text.count(text.thousandths(s.asked_again.held), "credit")) }
  end
  return list
end

-- ---- lines for a person ----

local STYLE = { landed = "green", failed = "red", unknown = "magenta",
  throttled = "yellow", running = "cyan", succeeded = "blue" }
local ORDER = { "landed", "running", "throttled", "queued", "accepted", "sent", "intent",
  "succeeded", "unknown", "resubmit", "failed", "cancelled", "dropped", "lost",
  "charged" }

local WORDS = { accepted = "accepted", intent = "waiting", sent = "being sent",
  succeeded = "to be downloaded", resubmit = "to be asked for again",
  dropped = "not sent", lost = "lost", charged = "charged without a clip" }

local function state_word(state) return WORDS[state] or state end

local function headline(s)
  local counts = {}
  for _, state in ipairs(ORDER) do
    if s.states[state] then
      counts[#counts + 1] = ("%d %s"):format(s.states[state], state_word(state))
    end
  end
  if s.unbegun > 0 then counts[#counts + 1] = ("%s without a take"):format(
    text.count(s.unbegun, "shot")) end
  return ("%s, %s%s%s"):format(text.count(s.shots, "shot"),
    text.count(#s.takes - s.by_hand, "take"),
    s.by_hand > 0 and (", %s by hand"):format(text.count(s.by_hand, "call")) or "",
    #counts > 0 and ": " .. table.concat(counts, ", ") or "")
end

local function who(s)
  if s.holder then
    local h = s.holder
    return ("run by process %s on %s since %s%s"):format(h.pid or "?",
      text.clean(h.host or "?"), h.since and when.of(h.since, s.now) or "?",
      h.script and " (" .. text.clean(h.script) .. ")" or "")
  elseif not s.last then
    return "never run"
  elseif not s.last.ended then
    return ("the last run, begun %s, did not end in an orderly way"):format(
      when.of(s.last.started, s.now))
  end
  local means = exit_status.means(s.last.status)
  return ("not running; the last run ended %s with status %s%s"):format(
    when.of(s.last.ended, s.now), s.last.status or "?", means and ": " .. means or "")
end

local MONEY = { { title = "credits" }, { title = "spent", right = true },
  { title = "held", right = true }, { title = "left", right = true },
  { title = "limit", right = true } }

local function money_row(name, sums, limit)
  local left = limit and math.max(0, limit - sums.spent - sums.held)
  return { name, text.thousandths(sums.spent), text.thousandths(sums.held),
    left and { text.thousandths(left), left == 0 and "red" or "bold" } or "",
    limit and text.thousandths(limit) or "" }
end

local function money_lines(s, columns, paint)
  local rows = { money_row("show " .. text.clean(s.show), s.sums, s.limit) }
  for _, b in ipairs(s.budgets) do
    local _, depth = b.path:gsub("/", "")
    rows[#rows + 1] = money_row(("  "):rep(depth + 1) .. b.path:match "[^/]*$", b.sums,
      b.limit)
  end
  if s.sums.unknown > 0 then
    rows[#rows + 1] = { { "of it, outcome not known", "magenta" }, "",
      text.thousandths(s.sums.unknown) }
  end
  if s.asked_again.held > 0 then
    rows[#rows + 1] = { { "of it, not settled", "magenta" }, "",
      text.thousandths(s.asked_again.held) }
  end
  if s.sums.moderation > 0 then
    rows[#rows + 1] = { { "of it, refused by moderation", "yellow" },
      text.thousandths(s.sums.moderation) }
  end
  return tables.lines(MONEY, rows, { paint = paint, width = columns })
end

local TAKES = { { title = "take", cut = text.cut_take }, { title = "model", most = 20 },
  { title = "state" }, { title = "credits", right = true },
  { title = "for", right = true }, { title = "", wrap = true } }

local function take_row(take, now)
  local state = take.stage == "still" and "still " .. state_word(take.state)
    or state_word(take.state)
  return { text.bought_for(take.shot, take.number, take.call), text.clean(take.model),
    { state, STYLE[take.state] },
    text.thousandths(take.held + take.cost), text.span(math.max(0, now - take.changed)),
    { text.clean(take.failure or take.task and "task " .. take.task or ""), "dim" } }
end

local function take_lines(s, columns, most, paint)
  local list, rows = s.open, {}
  for i = 1, math.min(most, #list) do rows[i] = take_row(list[i], s.now) end
  local lines = tables.lines(TAKES, rows, { paint = paint, width = columns })
  if #list > most then
    lines[#lines + 1] = paint("dim", ("  and %d more (--json has all)"):format(
      #list - most))
  end
  return lines
end

--- The lines of `rushes status`.
---@param s rushes.cli.Standing
---@param columns? integer  of the terminal
---@param most integer      takes that are listed
---@param paint fun(style: string?, s: string): string
---@return string[]
function M.lines(s, columns, most, paint)
  local lines = {}
  local where = s.show ~= s.folder and " in " .. s.folder or ""
  steps.say(lines, text.clean(s.show .. where), columns, paint, "bold", 0)
  steps.say(lines, who(s), columns, paint)
  steps.say(lines, headline(s), columns, paint)
  if s.lost then steps.say(lines, s.lost, columns, paint, "red") end
  steps.append(lines, money_lines(s, columns, paint))
  steps.append(lines, take_lines(s, columns, most, paint))
  steps.append(lines, steps.lines(M.next_steps(s), columns, paint))
  return lines
end

-- ---- for a program ----

local function money(sums, limit)
  return { spent = ledgers.credits(sums.spent), held = ledgers.credits(sums.held),
    unknown = ledgers.credits(sums.unknown),
    moderation = ledgers.credits(sums.moderation),
    limit = limit and ledgers.credits(limit),
    left = limit and ledgers.credits(math.max(0, limit - sums.spent - sums.held)) }
end

--- The same as data; credits as numbers.
---@param s rushes.cli.Standing
---@return table
function M.data(s)
  local json = require "rt.json"
  local takes, budgets, list = json.array {}, json.array {}, json.array {}
  for i, take in ipairs(s.takes) do
    takes[i] = { shot = take.shot, take = take.number and ("t%03d"):format(take.number),
      call = take.call, model = take.model, stage = take.stage, state = take.state,
      task = take.task,
      failure = take.failure, file = take.file, held = ledgers.credits(take.held),
      cost = ledgers.credits(take.cost), changed = take.changed }
  end
  for i, b in ipairs(s.budgets) do
    budgets[i] = money(b.sums, b.limit)
    budgets[i].path = b.path
  end
  for i, step in ipairs(M.next_steps(s)) do
    list[i] = { command = step[1], why = step[2] }
  end
  local credits = money(s.sums, s.limit)
  credits.asked_again = ledgers.credits(s.asked_again.held)
  return { schema = 1, show = s.show, folder = s.folder, running = s.holder,
    lost = s.lost, last_run = s.last, shots = s.shots, unbegun = s.unbegun,
    states = json.object(s.states), credits = credits, takes = takes,
    budgets = budgets, next = list, time = s.now }
end

return M
