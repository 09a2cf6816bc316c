--- The invoice of `rushes plan`: what was collected added up, as lines, as data.
local core = require "rt.c.core"
local budgets = require "rushes.money.budget"
local forecast = require "rushes.cli.forecast"
local ledgers = require "rushes.money.ledger"
local only = require "rushes.cli.only"
local steps = require "rushes.cli.steps"
local tables = require "rushes.cli.table"
local text = require "rushes.cli.text"

local M = {}

---@class rushes.cli.Plan      as the studio told it
---@field calls table[]        events "call"
---@field accounts table<string, table>  provider -> event "lanes"
---@field shows table[]        events "show"

---@class rushes.cli.Invoice
---@field calls table[]
---@field states {name: string, calls: integer, credits: integer}[]
---@field models {name: string, calls: integer, credits: integer}[]
---@field budgets rushes.cli.BudgetRow[]
---@field total integer         thousandths that would be held
---@field accounts table<string, table>
---@field forecast? rushes.cli.Forecast  nil when nothing is to be sent
---@field unknown {command: string, calls: integer, held: integer}[]  by show
---@field failed? any           what the script raised: there may be more calls
---@field now number

---@class rushes.cli.BudgetRow
---@field name string
---@field path? string      of a nested budget
---@field depth integer
---@field limit? integer    thousandths, as all that follow
---@field spent integer
---@field held integer      before this plan
---@field plan integer
---@field left? integer     after it

local ORDER = { "new", "stale", "cached", "unknown", "blocked", "skipped" }

-- ---- adding up ----

local function wanted(call) return call.call == "new" or call.call == "stale" end

local function amount(call) return ledgers.thousandths(call.credits or 0) end

local function add(sums, order, name, call)
  local sum = sums[name]
  if not sum then
    sum = { name = name, calls = 0, credits = 0 }
    sums[name] = sum
    order[#order + 1] = sum
  end
  sum.calls, sum.credits = sum.calls + 1, sum.credits + amount(call)
end

local function by_state(calls)
  local sums, list = {}, {}
  for _, call in ipairs(calls) do add(sums, {}, call.call, call) end
  for _, name in ipairs(ORDER) do list[#list + 1] = sums[name] end
  return list
end

local function by_model(calls)
  local sums, list = {}, {}
  for _, call in ipairs(calls) do
    if wanted(call) then add(sums, list, call.model, call) end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function planned_in(calls, belongs)
  local sum = 0
  for _, call in ipairs(calls) do
    if wanted(call) and (not belongs or belongs(call)) then sum = sum + amount(call) end
  end
  return sum
end

--- The ledger as it would be after the plan; what it holds has the plan in it already.
local function budget_row(ledger, name, depth, planned, path)
  return { name = name, path = path, depth = depth, limit = ledger.limit,
    spent = ledger.spent, held = math.max(0, ledger.reserved - planned), plan = planned,
    left = ledger.limit and math.max(0, ledger:room()) }
end

local function paths_of(calls)
  local seen, list = {}, {}
  for _, call in ipairs(calls) do
    local path = call.budget
    while path and path ~= "" and not seen[path] do
      seen[path] = true
      list[#list + 1] = path
      path = path:match "^(.+)/"
    end
  end
  table.sort(list)
  return list
end

local function budget_rows(plan)
  local rows, calls, root = {}, plan.calls, ledgers.root()
  if root.limit then
    rows[1] = budget_row(root, "this run", 0, planned_in(calls))
  end
  for _, show in ipairs(plan.shows) do
    rows[#rows + 1] = budget_row(show.ledger, "show " .. show.show, 0,
      planned_in(calls, function(call) return call.show == show.show end))
  end
  for _, path in ipairs(paths_of(calls)) do
    local _, depth = path:gsub("/", "")
    rows[#rows + 1] = budget_row(budgets.at(path), path:match "[^/]*$", depth + 1,
      planned_in(calls, function(call)
        return call.budget == path or call.budget:sub(1, #path + 1) == path .. "/"
      end), path)
  end
  return rows
end

--- Where a person has to decide first.
local function unknown_rows(plan)
  local rows, by_show = {}, {}
  for _, call in ipairs(plan.calls) do
    if call.call == "unknown" then
      local row = by_show[call.show] or { calls = 0, held = 0 }
      by_show[call.show] = row
      row.calls, row.held = row.calls + 1, row.held + amount(call)
    end
  end
  for _, show in ipairs(plan.shows) do
    local row = by_show[show.show]
    if row and not row.command then
      row.command = "rushes reconcile " .. steps.show(show.output)
      rows[#rows + 1] = row
    end
  end
  return rows
end

--- Add up what was collected. Waits (reads journals for how long calls usually take).
---@async
---@param plan rushes.cli.Plan
---@param failed? any  what the script raised
---@return rushes.cli.Invoice
function M.of(plan, failed)
  local to_send = {}
  for _, call in ipairs(plan.calls) do
    if wanted(call) then to_send[#to_send + 1] = call end
  end
  return { calls = plan.calls, states = by_state(plan.calls),
    models = by_model(plan.calls), budgets = budget_rows(plan),
    total = planned_in(plan.calls), accounts = plan.accounts,
    forecast = #to_send > 0 and forecast.of(to_send, plan) or nil,
    unknown = unknown_rows(plan), failed = failed, now = core.time() }
end

-- ---- lines ----

local STYLE = { new = "cyan", stale = "yellow", cached = "green", unknown = "magenta",
  blocked = "red", skipped = "dim" }

local CALLS = { { title = "take", cut = text.cut_take }, { title = "stage" },
  { title = "model", most = 20 }, { title = "state" },
  { title = "credits", right = true }, { title = "why", wrap = true } }

local function call_lines(bill, columns, paint)
  local rows, last = {}, nil
  for _, call in ipairs(bill.calls) do
    local name = text.take(call.shot or "?", call.take)
    if not only.left_out(call) then -- the sum below counts them
      rows[#rows + 1] = { { name, last == name and "dim" or nil },
        { call.stage or "", "dim" }, text.clean(call.model or ""),
        { call.call, STYLE[call.call] },
        call.credits and text.credits(call.credits) or "",
        { text.clean(call.why or ""), "dim" } }
      last = name
    end
  end
  return tables.lines(CALLS, rows, { paint = paint, width = columns })
end

local function sum_columns(title)
  return { { title = title }, { title = "calls", right = true },
    { title = "credits", right = true } }
end

local MODELS, STATES = sum_columns "to buy", sum_columns ""

local MEANS = { cached = "(nothing to pay)", unknown = "(held, not sent again)",
  blocked = "(not sent)", skipped = "(left out)" }

local function model_lines(bill, columns, paint)
  local rows = {}
  for i, sum in ipairs(bill.models) do
    rows[i] = { text.clean(sum.name), tostring(sum.calls), text.thousandths(sum.credits) }
  end
  if #rows > 0 then
    rows[#rows + 1] = { { "at most", "bold" }, "",
      { text.thousandths(bill.total), "bold" } }
  end
  return tables.lines(MODELS, rows, { paint = paint, width = columns })
end

local function state_lines(bill, columns, paint)
  local rows = {}
  for _, sum in ipairs(bill.states) do
    rows[#rows + 1] = { { ("%s %s"):format(sum.name, MEANS[sum.name] or ""),
      STYLE[sum.name] }, tostring(sum.calls), text.thousandths(sum.credits) }
  end
  return tables.lines(STATES, rows, { paint = paint, width = columns })
end

local BUDGETS = { { title = "budget" }, { title = "limit", right = true },
  { title = "spent", right = true }, { title = "held", right = true },
  { title = "this plan", right = true }, { title = "left then", right = true } }

local function budget_lines(bill, columns, paint)
  local rows = {}
  for i, row in ipairs(bill.budgets) do
    rows[i] = { ("  "):rep(row.depth) .. text.clean(row.name),
      row.limit and text.thousandths(row.limit) or { "none", "dim" },
      text.thousandths(row.spent), text.thousandths(row.held), text.thousandths(row.plan),
      row.left and { text.thousandths(row.left), row.left == 0 and "red" or "bold" }
      or "" }
  end
  return tables.lines(BUDGETS, rows, { paint = paint, width = columns })
end

local function account_lines(bill, columns, paint)
  local lines = {}
  local function say(style, s) steps.say(lines, s, columns, paint, style) end
  for provider, account in require("rushes").sorted(bill.accounts) do
    if account.err then
      say("yellow", ("lanes of %s not known: %s"):format(provider,
        text.clean(tostring(account.err))))
    elseif account.balance and bill.total > ledgers.thousandths(account.balance) then
      say("red", ("the account at %s has %s credits: %s too few for this plan"):format(
        provider, text.credits(account.balance),
        text.thousandths(bill.total - ledgers.thousandths(account.balance))))
    elseif account.balance then
      say("dim", ("the account at %s has %s credits"):format(provider,
        text.credits(account.balance)))
    end
  end
  if bill.forecast then say(nil, forecast.sentence(bill.forecast, bill.now)) end
  if bill.failed then
    say("red", "the script did not come to its end: there may be more calls than these")
  end
  return lines
end

local function next_lines(bill, columns, paint)
  local list = {}
  for i, row in ipairs(bill.unknown) do
    list[i] = { row.command, ("%s whose outcome is not known, %s held"):format(
      text.count(row.calls, "call"), text.count(text.thousandths(row.held), "credit")) }
  end
  return steps.lines(list, columns, paint)
end

--- The lines of `rushes plan`.
---@param bill rushes.cli.Invoice
---@param columns? integer
---@param paint fun(style: string?, s: string): string
---@return string[]
function M.lines(bill, columns, paint)
  if #bill.calls == 0 then return { "the script asks for nothing that is paid for" } end
  local lines = call_lines(bill, columns, paint)
  steps.append(lines, state_lines(bill, columns, paint))
  steps.append(lines, model_lines(bill, columns, paint))
  steps.append(lines, budget_lines(bill, columns, paint))
  steps.append(lines, account_lines(bill, columns, paint))
  steps.append(lines, next_lines(bill, columns, paint))
  return lines
end

-- ---- data ----

local function sums_data(list)
  local json = require "rt.json"
  local out = json.array {}
  for i, sum in ipairs(list) do
    out[i] = { name = sum.name, calls = sum.calls,
      credits = ledgers.credits(sum.credits) }
  end
  return out
end

local FIELDS = { "show", "shot", "take", "stage", "model", "provider", "call", "why",
  "credits", "budget", "after" }

local function calls_data(calls)
  local json, jsonl = require "rt.json", require "rushes.cli.jsonl"
  local out = json.array {}
  for i, call in ipairs(calls) do
    out[i] = { err = jsonl.error(call.err) }
    for _, field in ipairs(FIELDS) do out[i][field] = call[field] end
  end
  return out
end

local function budgets_data(rows)
  local json = require "rt.json"
  local out = json.array {}
  for i, row in ipairs(rows) do
    out[i] = { name = row.name, path = row.path, spent = ledgers.credits(row.spent),
      limit = row.limit and ledgers.credits(row.limit), held = ledgers.credits(row.held),
      plan = ledgers.credits(row.plan), left = row.left and ledgers.credits(row.left) }
  end
  return out
end

local function accounts_data(accounts)
  local json, jsonl = require "rt.json", require "rushes.cli.jsonl"
  local out = json.object {}
  for provider, account in pairs(accounts) do
    out[provider] = { balance = account.balance, err = jsonl.error(account.err),
      lanes = account.lanes and json.object(account.lanes) }
  end
  return out
end

--- The same as data; credits as numbers.
---@param bill rushes.cli.Invoice
---@return table
function M.data(bill)
  return { schema = 1, calls = calls_data(bill.calls), states = sums_data(bill.states),
    models = sums_data(bill.models), budgets = budgets_data(bill.budgets),
    credits = ledgers.credits(bill.total), accounts = accounts_data(bill.accounts),
    err = require("rushes.cli.jsonl").error(bill.failed),
    finish = bill.forecast and forecast.data(bill.forecast, bill.now), time = bill.now }
end

return M
