--- The account of the simulated organization: credits, and what was done with them.
--- Amounts are thousandths of a credit.
local clock = require "rushes.sim.clock"
local text = require "rushes.catalog.text"

local M = {}

local DAY = 86400

---@class rushes.sim.Bill
---@field balance integer    what can still be spent
---@field created integer    tasks that were made, however they ended
---@field models table<string, rushes.sim.Line>
---@field limit? integer     what charged and reserved together must not exceed
---@field used integer       charged and reserved, now
---@field peak integer       the most that `used` has been
---@field overruns integer   tasks made that took `used` over the limit
---@field private days table<string, table<string, integer>>  day -> model -> amount
---@field private recent table<string, number[]>  model -> times of creation
local Bill = {}
Bill.__index = Bill

---@class rushes.sim.Line
---@field created integer
---@field succeeded integer
---@field failed integer
---@field cancelled integer
---@field reserved integer  held for tasks that have not ended
---@field charged integer
---@field refunded integer

---@param credits number  the balance to begin with
---@return rushes.sim.Bill
function M.new(credits)
  return setmetatable({ balance = math.floor(credits * 1000 + 0.5), created = 0,
    models = {}, days = {}, recent = {}, used = 0, peak = 0, overruns = 0 }, Bill)
end

--- Check from now on that charged and reserved never exceed so many credits. Nothing is
--- refused for it: it is the client's budget, and the bill says whether it was kept.
---@param credits? number  nil: check nothing
function Bill:watch(credits)
  self.limit = credits and math.floor(credits * 1000 + 0.5)
  self.peak, self.overruns = self.used, 0
  if self.limit and self.used > self.limit then self.overruns = 1 end
end

local function use(self, amount)
  self.used = self.used + amount
  self.peak = math.max(self.peak, self.used)
  if self.limit and self.used > self.limit then self.overruns = self.overruns + 1 end
end

local function line_of(self, model)
  local line = self.models[model]
  if not line then
    line = { created = 0, succeeded = 0, failed = 0, cancelled = 0, reserved = 0,
      charged = 0, refunded = 0 }
    self.models[model] = line
  end
  return line
end

local function count_today(self, now, model)
  local recent = self.recent[model] or {}
  self.recent[model] = recent
  recent[#recent + 1] = now
end

local function book(self, now, model, amount)
  local day = clock.day(now)
  local row = self.days[day] or {}
  self.days[day] = row
  row[model] = (row[model] or 0) + amount
end

--- Hold the credits of a new task. The caller has looked at `balance`.
---@param now number
---@param model string
---@param amount integer
function Bill:open(now, model, amount)
  local line = line_of(self, model)
  self.balance, self.created = self.balance - amount, self.created + 1
  line.created, line.reserved = line.created + 1, line.reserved + amount
  use(self, amount)
  count_today(self, now, model)
  book(self, now, model, amount)
end

--- Another user of the account has made so many tasks for so many credits together.
---@param now number
---@param model string
---@param tasks integer
---@param amount integer
function Bill:others(now, model, tasks, amount)
  self.balance = self.balance - amount
  for _ = 1, tasks do count_today(self, now, model) end
  if amount ~= 0 then book(self, now, model, amount) end
end

--- A task has ended: charge `cost` of the `amount` that was held for it.
---@param now number
---@param model string
---@param amount integer
---@param cost integer
---@param how "succeeded"|"failed"|"cancelled"
function Bill:close(now, model, amount, cost, how)
  local line, back = line_of(self, model), amount - cost
  self.balance, self.used = self.balance + back, self.used - back
  line.reserved, line.charged = line.reserved - amount, line.charged + cost
  line.refunded, line[how] = line.refunded + back, line[how] + 1
  if back ~= 0 then book(self, now, model, -back) end
end

--- Tasks of a model made in the last 24 hours.
---@param now number
---@param model string
---@return integer
function Bill:today(now, model)
  local recent = self.recent[model]
  if not recent then return 0 end
  while recent[1] and recent[1] <= now - DAY do table.remove(recent, 1) end
  return #recent
end

local COUNTS = { "created", "succeeded", "failed", "cancelled" }
local AMOUNTS = { "reserved", "charged", "refunded" }

local function credits(n) return n % 1000 == 0 and n // 1000 or n / 1000 end

--- Everything, in credits, for `/_sim/bill`.
---@return table
function Bill:show()
  local out = { balance = credits(self.balance), created = self.created, models = {},
    days = {}, total = {}, budget = { peak = credits(self.peak), overruns = self.overruns,
      credits = self.limit and credits(self.limit) } }
  for _, name in ipairs(COUNTS) do out.total[name] = 0 end
  for _, name in ipairs(AMOUNTS) do out.total[name] = 0 end
  for model, line in pairs(self.models) do
    local row = {}
    for _, name in ipairs(COUNTS) do row[name] = line[name] end
    for _, name in ipairs(AMOUNTS) do row[name] = credits(line[name]) end
    for name, value in pairs(row) do out.total[name] = out.total[name] + value end
    out.models[model] = row
  end
  for day, row in pairs(self.days) do
    out.days[day] = {}
    for model, amount in pairs(row) do out.days[day][model] = credits(amount) end
  end
  return out
end

--- Credits used per day and model, first day included, last day not.
---@param first string
---@param before string
---@return {date: string, model: string, amount: number}[] rows  in order of date
function Bill:usage(first, before)
  local rows = {}
  for _, day in ipairs(text.keys(self.days)) do
    if day >= first and day < before then
      for _, model in ipairs(text.keys(self.days[day])) do
        rows[#rows + 1] = { date = day, model = model,
          amount = credits(self.days[day][model]) }
      end
    end
  end
  return rows
end

local ROW = "%-34s %7s %9s %6s %9s %8s %9s %8s"

local function amount(n) return ("%g"):format(n) end

--- The bill as a table to be read.
---@return string
function Bill:text()
  local all = self:show()
  local lines = { ROW:format("model", "created", "succeeded", "failed", "cancelled",
    "charged", "refunded", "reserved") }
  local function add(name, row)
    lines[#lines + 1] = ROW:format(name, row.created, row.succeeded, row.failed,
      row.cancelled, amount(row.charged), amount(row.refunded), amount(row.reserved))
  end
  for _, model in ipairs(text.keys(all.models)) do add(model, all.models[model]) end
  if #lines > 2 then add("total", all.total) end
  if #lines == 1 then lines[1] = "no tasks were created" end
  lines[#lines + 1] = ("%s credits left"):format(amount(all.balance))
  if self.limit then
    lines[#lines + 1] = ("at most %s of %s credits charged and reserved, %d overruns")
      :format(amount(all.budget.peak), amount(all.budget.credits), self.overruns)
  end
  return table.concat(lines, "\n")
end

return M
