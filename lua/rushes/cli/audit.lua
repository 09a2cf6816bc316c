--- rushes audit: what the journal says was charged against what the account says.
local core = require "rt.c.core"
local asking = require "rushes.cli.asking"
local comparison = require "rushes.money.comparison"
local err = require "rt.err"
local holder = require "rushes.take.holder"
local output = require "rushes.cli.output"
local program = require "rushes.cli.program"
local records = require "rushes.take.records"
local shows = require "rushes.cli.shows"
local steps = require "rushes.cli.steps"
local tables = require "rushes.cli.table"
local text = require "rushes.cli.text"

local M = {
  name = "audit",
  summary = "compare a show's credits with what the account was charged",
  usage = "rushes audit [--days N] [--sim] [--json] [SHOW]",
  examples = {
    { "rushes audit night-walk", "per model and day, since the show began" },
    { "rushes audit night-walk --days 7", "the last seven days only" },
    { "rushes audit --json", "for a program" },
  },
}

local DAY = 86400
local MOST = 90 -- days that the provider tells of

local function days(s)
  local n = math.tointeger(tonumber(s))
  if n and n >= 1 and n <= MOST then return n end
  return nil, ("--days is a whole number from 1 to %d, not '%s'"):format(MOST, s)
end

function M.parser(p)
  shows.argument(p)
  p:option "--days" :argname "N" :convert(days)
    :description "look at the last N days (UTC), today included; at most 90"
  p:flag "--json" :description "JSON instead of a table"
end

local function day(t) return os.date("!%Y-%m-%d", math.floor(t)) --[[@as string]] end

--- The first and, not included, the last day that is asked for.
local function range(opts, own, now)
  local first = day(now - (MOST - 1) * DAY)
  if opts.days then
    first = day(now - (opts.days - 1) * DAY)
  elseif own[1] and own[1].date > first then
    first = own[1].date
  end
  return { from = first, before = day(now + DAY) }
end

--- Days that have not come: the clock was ahead then. They are counted as today's.
---@return string?  the last of them
local function bring_back(own, today)
  local last
  for _, item in ipairs(own) do
    if item.date > today then last, item.date = item.date, today end
  end
  return last
end

local function main_provider(meta)
  for key in require("rushes").sorted(meta) do
    local name = key:match "^base:(.+)$"
    if name then return name end
  end
end

local function gather(folder, opts)
  local journal, e = records.open(folder, holder.of(folder) ~= nil)
  if not journal then return nil, e end
  local _ <close> = journal
  local meta = journal:meta()
  local provider = main_provider(meta)
  if not provider then
    return nil, err.new("not_found", "nothing was bought by this show yet")
  end
  local own = journal:days(provider)
  local account
  account, e = asking.account(provider, meta)
  if not account then return nil, e end
  local now, p = core.time(), account.provider
  local ahead = bring_back(own, day(now))
  local span = range(opts, own, now)
  local used
  used, e = asking.ask(account, p.usage_req and p.usage_req(span), p.usage)
  if not used then return nil, e end
  local result = comparison.of(own, used, span)
  result.show, result.provider, result.folder = meta.show or folder, provider, folder
  result.lost, result.ahead = journal.lost, ahead
  result.unknown = journal:sums().unknown + select(2, journal:asked_again())
  return result
end

-- ---- the table ----

local COLUMNS = { { title = "day (UTC)" }, { title = "model" },
  { title = "journal", right = true }, { title = "account", right = true },
  { title = "difference", right = true } }

local function signed(n)
  return (n > 0 and "+" or "") .. text.thousandths(n)
end

local function cells(row, name, style)
  local difference = row.account - row.journal
  return { { name or row.date, style }, { row.model or "", style },
    { text.thousandths(row.journal), style }, { text.thousandths(row.account), style },
    { difference == 0 and "0" or signed(difference),
      difference == 0 and "dim" or difference > 0 and "yellow" or "red" } }
end

--- What the differences may be.
local function say_why(lines, result, columns, paint)
  local function credits(n) return text.count(text.thousandths(n), "credit") end
  local function say(sentence) steps.say(lines, sentence, columns, paint) end
  if result.lost then say(result.lost) end
  if result.ahead then
    say(("this machine's clock was ahead once: what the journal has from %s, or from"
      .. " other days that have not come, is counted as today's"):format(result.ahead))
  end
  if result.unattributed > 0 then
    say(("unattributed: %s charged that this journal does not know: other shows, other"
      .. " programs, the web"):format(credits(result.unattributed)))
  else
    say "unattributed: nothing"
  end
  if result.missing > 0 then
    say(("not charged: %s that this journal counts and the account does not (refunded"
      .. " later, or not reported yet)"):format(credits(result.missing)))
  end
  if result.unknown > 0 then
    say(("%s held for submissions whose outcome is not known may be part of it: rushes"
      .. " reconcile %s"):format(credits(result.unknown), steps.show(result.folder)))
  end
end

local function lines_of(result, columns, paint)
  local rows = {}
  for i, row in ipairs(result.rows) do rows[i] = cells(row) end
  rows[#rows + 1] = cells(result.total, "all", "bold")
  local lines, why = {}, {}
  steps.say(lines, ("%s: credits from %s on, at %s"):format(text.clean(result.show),
    result.from, result.provider), columns, paint, "bold", 0)
  steps.append(lines, tables.lines(COLUMNS, rows, { paint = paint, width = columns }))
  say_why(why, result, columns, paint)
  steps.append(lines, why)
  return lines
end

local function data(result)
  local json, ledgers = require "rt.json", require "rushes.money.ledger"
  local function row_data(row)
    return { date = row.date, model = row.model, journal = ledgers.credits(row.journal),
      account = ledgers.credits(row.account),
      difference = ledgers.credits(row.account - row.journal) }
  end
  local rows = json.array {}
  for i, row in ipairs(result.rows) do rows[i] = row_data(row) end
  return { schema = 1, show = result.show, folder = result.folder,
    lost = result.lost, ahead = result.ahead, provider = result.provider,
    from = result.from, rows = rows, total = row_data(result.total),
    unknown = ledgers.credits(result.unknown),
    unattributed = ledgers.credits(result.unattributed),
    missing = ledgers.credits(result.missing) }
end

---@param opts {show?: string, sim?: boolean, days?: integer, json?: boolean}
---@return integer status
function M.main(opts)
  return program.run(function()
    local folder, e = shows.find(opts.show, opts.sim)
    if not folder then error(e, 0) end
    local result
    result, e = gather(folder, opts)
    if not result then error(e, 0) end
    output.write(opts, function() return data(result) end,
      function(columns, paint) return lines_of(result, columns, paint) end)
  end, { json = opts.json, command = true })
end

return M
