--- The open submissions of a show with what the account says of them: gathered, as lines
--- for a person, as data.
local core = require "rt.c.core"
local sys = require "rt.c.sys"
local json = require "rt.json"
local asking = require "rushes.cli.asking"
local holder = require "rushes.take.holder"
local ledgers = require "rushes.money.ledger"
local records = require "rushes.take.records"
local steps = require "rushes.cli.steps"
local tables = require "rushes.cli.table"
local tail = require "rushes.take.tail"
local text = require "rushes.cli.text"
local verdicts = require "rushes.money.verdict"
local when = require "rushes.when"

local M = {}

---@class rushes.cli.Case
---@field show string
---@field folder string
---@field lost? string    a sentence: the end of the journal is missing
---@field rows rushes.records.Attempt[]          with a `verdict` each
---@field looks table<string, {now?: rushes.Evidence, err?: rt.Err}>  by provider
---@field unknown integer    of the rows, those not even asked for again
---@field held integer       thousandths, all rows
---@field again string    the command that runs the script
---@field done? {id: integer, how: string}[]     what was settled just now
---@field now number

--- What the account says now. Waits.
local function look(provider, meta)
  local account, e = asking.account(provider, meta)
  if not account then return { err = e } end
  local p = account.provider
  local req = p.organization_req and p.organization_req()
  local said
  said, e = asking.ask(account, req, p.organization)
  if not said then return { err = e } end
  local models = {}
  for model, lane in pairs(said.lanes) do models[model] = lane.used end
  return { now = { at = core.time(), balance = said.balance, models = models } }
end

local function judge(journal, rows, looks, meta)
  local cases = {}
  for _, row in ipairs(rows) do
    local name = row.provider
    if not cases[name] then
      looks[name] = looks[name] or look(name, meta)
      cases[name] = { attempts = journal:attempts(name),
        evidence = journal:evidence(name), now = looks[name].now }
    end
    row.verdict = verdicts.judge(row, cases[name])
  end
end

local function sums(rows)
  local unknown, held = 0, 0
  for _, row in ipairs(rows) do
    held = held + row.held
    if row.state == "unknown" then unknown = unknown + 1 end
  end
  return unknown, held
end

--- Read the journal and ask the accounts. Waits; spends nothing.
---@async
---@param folder string
---@param looks? table  answers of a moment ago, not to be asked for again
---@return rushes.cli.Case?
---@return rt.Err?
function M.gather(folder, looks)
  local running = holder.of(folder)
  if running and running.pid == sys.process() then running = nil end -- it just settled
  local journal, e = records.open(folder, running ~= nil)
  if not journal then return nil, e end
  local _ <close> = journal
  local meta, rows = journal:meta(), journal:open_submissions()
  looks = looks or {}
  judge(journal, rows, looks, meta)
  local unknown, held = sums(rows)
  return { show = meta.show or folder, folder = folder, lost = journal.lost, rows = rows,
    looks = looks, unknown = unknown, held = held, holder = running, now = core.time(),
    again = steps.run(folder, journal:last_run(), meta) }
end

-- ---- lines ----

local SAID = { taken = "taken, very likely", not_taken = "not taken, very likely",
  unclear = "cannot be told" }
local STYLE = { taken = "yellow", not_taken = "green", unclear = "magenta" }

local COLUMNS = { { title = "id", right = true }, { title = "take", cut = text.cut_take },
  { title = "model", most = 20 }, { title = "sent", right = true },
  { title = "held", right = true }, { title = "verdict" } }

local function row_cells(row, now)
  local name = text.bought_for(row.shot, row.take, row.call)
  if row.stage == "still" then name = name .. " still" end
  return { { tostring(row.id), "bold" }, name, text.clean(row.model),
    row.sent and when.of(row.sent, now) or "", text.thousandths(row.held),
    { SAID[row.verdict.verdict]
      .. (row.state == "resubmit" and ", asked for again" or ""),
      STYLE[row.verdict.verdict] } }
end

--- The table, with the reasons below each row.
local function table_lines(case, columns, paint)
  local rows = {}
  for i, row in ipairs(case.rows) do rows[i] = row_cells(row, case.now) end
  local drawn, lines = tables.lines(COLUMNS, rows, { paint = paint, width = columns }), {}
  lines[1] = drawn[1]
  for i, row in ipairs(case.rows) do
    lines[#lines + 1] = drawn[i + 1]
    local reasons = { row.verdict.why }
    if row.failure then table.insert(reasons, 1, text.clean(row.failure)) end
    for _, reason in ipairs(reasons) do
      steps.say(lines, reason, columns, paint, "dim", 6)
    end
  end
  return lines
end

local function look_lines(case, columns, paint)
  local lines = {}
  for provider, l in require("rushes").sorted(case.looks) do
    local said = l.now and ("%s was asked just now: %s credits left"):format(provider,
      text.thousandths(l.now.balance))
      or ("%s could not be asked, so only what the journal holds is compared: %s"):format(
        provider, text.clean(tostring(l.err)))
    steps.say(lines, said, columns, paint)
  end
  return lines
end

local function ids_of(case, verdict)
  local ids = {}
  for _, row in ipairs(case.rows) do
    if row.verdict.verdict == verdict then ids[#ids + 1] = tostring(row.id) end
  end
  return #ids > 0 and table.concat(ids, " ")
end

--- The next commands: {command, why}.
---@param case rushes.cli.Case
---@return string[][]
function M.next_steps(case)
  if case.lost then return { { tail.command(case.folder), "if it is lost for good" } } end
  local list, base = {}, "rushes reconcile " .. steps.show(case.folder)
  if case.holder and case.unknown > 0 then
    list[1] = { base, "when the run that goes on now has ended" }
    return list
  end
  local lost, charged = ids_of(case, "not_taken"), ids_of(case, "taken")
  local unclear = ids_of(case, "unclear")
  if lost then
    list[#list + 1] = { ("%s --assume lost --id %s"):format(base, lost),
      "give their credits back; the next run asks anew" }
  end
  if charged then
    list[#list + 1] = { ("%s --assume charged --id %s"):format(base, charged),
      "count them as spent; the next run asks anew" }
  end
  if unclear then
    list[#list + 1] = { ("%s --assume charged --id %s"):format(base, unclear),
      "on the safe side; or lost, if the provider's web page says so" }
  end
  if case.unknown == 0 and case.done and #case.done > 0 then
    list[#list + 1] = { case.again, "asks anew for what has no clip" }
  end
  return list
end

local DONE = { lost = "settled as lost: its credits are free again",
  charged = "settled as charged: its credits count as spent",
  resubmit = "may be asked for again: its credits stay held until it is settled" }

--- The lines of `rushes reconcile`.
---@param case rushes.cli.Case
---@param columns? integer
---@param paint fun(style: string?, s: string): string
---@return string[]
function M.lines(case, columns, paint)
  local lines = {}
  if case.lost then steps.say(lines, case.lost, columns, paint, "red", 0) end
  for _, d in ipairs(case.done or {}) do
    lines[#lines + 1] = ("submission %d %s"):format(d.id, DONE[d.how])
  end
  if #case.rows == 0 then
    lines[#lines + 1] = ("%s: every submission has a known outcome"):format(
      text.clean(case.show))
  else
    steps.say(lines, ("%s: %s whose outcome is not known, %s held"):format(
      text.clean(case.show), text.count(#case.rows, "submission"),
      text.count(text.thousandths(case.held), "credit")), columns, paint, "bold", 0)
    steps.append(lines, table_lines(case, columns, paint))
    steps.append(lines, look_lines(case, columns, paint))
  end
  steps.append(lines, steps.lines(M.next_steps(case), columns, paint))
  return lines
end

-- ---- data ----

local function evidence(e)
  return e and { time = e.at, balance = e.balance and ledgers.credits(e.balance),
    generations = json.object(e.models) }
end

local function row_data(row)
  local v = row.verdict
  return { id = row.id, shot = row.shot, take = row.take and ("t%03d"):format(row.take),
    stage = row.stage, provider = row.provider, model = row.model, state = row.state,
    held = ledgers.credits(row.held), sent = row.sent, failure = row.failure,
    verdict = v.verdict, why = v.why, open = v.open, before = evidence(v.before),
    after = evidence(v.after) }
end

--- The same as data; credits as numbers.
---@param case rushes.cli.Case
---@return table
function M.data(case)
  local rows, accounts, next_steps = json.array {}, json.object {}, json.array {}
  for i, row in ipairs(case.rows) do rows[i] = row_data(row) end
  for provider, l in pairs(case.looks) do
    accounts[provider] = { now = evidence(l.now), err = l.err and { code = l.err.code,
      message = tostring(l.err) } }
  end
  for i, step in ipairs(M.next_steps(case)) do
    next_steps[i] = { command = step[1], why = step[2] }
  end
  return { schema = 1, show = case.show, folder = case.folder, lost = case.lost,
    unknown = case.unknown, held = ledgers.credits(case.held), submissions = rows,
    accounts = accounts, settled = json.array(case.done or {}), next = next_steps,
    time = case.now }
end

return M
