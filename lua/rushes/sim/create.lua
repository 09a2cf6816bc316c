--- A request that buys: checked in the order body, files, credits, daily cap, and
--- turned into a task. (The API's own order is not confirmed.)
local answer = require "rushes.sim.answer"
local catalog = require "rushes.catalog"
local faults = require "rushes.sim.faults"
local inputs = require "rushes.sim.inputs"
local plan = require "rushes.sim.plan"
local price = require "rushes.money.price"
local task = require "rt.task"

local M = {}

local SEEDS = (1 << 31) - 1 -- the API takes 32 bits; the dice give 31

-- ---- files ----

local function issue(input, message, more)
  local one = more or { code = "custom" }
  one.path, one.message = input.path, message
  return one
end

local function bad_shape(entry, input)
  local aspect = entry.aspect
  if not aspect or input.media ~= "image" or not input.width then return nil end
  local got, text = input.width / input.height,
    "Invalid asset aspect ratio. width / height ratio must be at %s %g. Got %.3f."
  if got < aspect.min then return issue(input, text:format("least", aspect.min, got)) end
  if got > aspect.max then return issue(input, text:format("most", aspect.max, got)) end
end

local function bad_length(entry, input)
  local rule = entry.video
  if not rule or input.path[1] ~= rule.field or not input.seconds then return nil end
  local function out(code, bound, name, word)
    return issue(input, ("Asset duration must be at %s %d seconds"):format(word, bound),
      { code = code, [name] = bound, type = "number", inclusive = true,
        origin = "number" })
  end
  if rule.min and input.seconds < rule.min then
    return out("too_small", rule.min, "minimum", "least")
  elseif rule.max and input.seconds > rule.max + 0.05 then
    return out("too_big", rule.max, "maximum", "most")
  end
end

local function bad_side(entry, input)
  local rule = entry.picture
  if not rule or input.path[1] ~= rule.field or not input.width then return nil end
  for _, side in ipairs { input.width, input.height } do
    if side < rule.min_side or side > rule.max_side then
      return issue(input, ("Each side of the image must be %d to %d pixels. Got %d.")
        :format(rule.min_side, rule.max_side, side))
    end
  end
end

local function get_files(sim, entry, body)
  local list, issues = inputs.collect(entry, body), {}
  for _, input in ipairs(list) do
    local ok, e = sim.inputs:resolve(input)
    if not ok and e.code ~= "invalid" then error(e, 0) end
    issues[#issues + 1] = not ok and issue(input, e.message) or bad_shape(entry, input)
      or bad_length(entry, input) or bad_side(entry, input)
  end
  return list, issues
end

-- ---- faults ----

local GATEWAY = { 502, 503, 504 }

--- Statuses after which the task exists all the same: nobody can say who failed.
local AFTER = { [500] = true, [504] = true }

local function status_of(sim, f)
  if f["5xx"] then return GATEWAY[sim.roll(1, 3)] end
  for status = 500, 504 do
    if f[tostring(status)] then return status end
  end
  return f.http
end

--- What goes wrong before the task is made: answers, and says so.
local function refused(req, f, status)
  if f.slow_answer then task.sleep(f.slow_answer) end
  if f["429"] then
    local seconds = f["429"] ~= true and { ["Retry-After"] = ("%d"):format(f["429"]) }
    answer.error(req, 429, "Too many requests.", nil, seconds or nil)
  elseif f.daily_cap then
    answer.error(req, 429, "Your daily task limit has been reached.")
  elseif f.html_error then
    answer.html(req, 503)
  elseif status and not AFTER[status] then
    answer.error(req, status, "Simulated failure.")
  else
    return false
  end
  return true
end

--- What goes wrong after it: the task is there, and the answer does not say so.
local function lost(req, f, status)
  if f.reset_after_create then
    req:abort()
  elseif f.close_after_create then
    req:abort "close"
  elseif status then
    answer.error(req, status, "Simulated failure.")
  elseif f.html_ok then
    answer.html(req, 200)
  else
    return false
  end
  return true
end

-- ---- the account ----

local function too_poor(sim, estimate) return sim.bill.balance < estimate end

local function too_many(sim, model)
  local limit = sim:limits(model).daily
  return limit and sim.bill:today(sim.clock:now(), model) >= limit
end

-- ---- all of it ----

local function names_of(req)
  local h = req.headers
  local take = h["x-rushes-take"]
  return { show = h["x-rushes-show"], shot = h["x-rushes-shot"],
    take = take and math.tointeger(tonumber(take)) or take }
end

local function kind_of(entry, list)
  if entry.class == "image" then return "image" end
  for _, input in ipairs(list) do
    if input.item and input.item.position == "last" then return "keyframes" end
  end
  return "video"
end

--- Prices: what is held, and what is charged if it succeeds.
local function prices(order, seconds, chosen)
  local facts = plan.facts(order)
  local estimate = price.price(order.entry, order.body, facts)
  if not chosen then return estimate, estimate end
  local settled = setmetatable({ duration = seconds }, { __index = order.body })
  return estimate, math.min(estimate, (price.price(order.entry, settled, facts)))
end

---@class rushes.sim.Purchase
---@field catalog table
---@field endpoint string
---@field body table
---@field answer fun(t: rushes.sim.Task): table

local function make(sim, req, o, entry, list, marks)
  local order = { endpoint = o.endpoint, entry = entry, body = o.body, inputs = list,
    seed = o.body.seed or sim.roll(0, SEEDS), names = names_of(req) }
  local pieces, seconds, chosen = plan.make(order)
  local estimate, settled = prices(order, seconds, chosen)
  if too_poor(sim, estimate) then
    return nil, 400, "You do not have enough credits to run this task."
  elseif too_many(sim, o.body.model) then
    return nil, 429, "Your daily task limit has been reached."
  end
  for _, piece in ipairs(pieces) do
    if piece.kind == "clip" then piece.options.credits = settled / 1000 end
  end
  local wrong = sim.faults:at("task", marks)
  return sim.tasks:add { model = o.body.model, endpoint = o.endpoint, estimate = estimate,
    price = settled, kind = kind_of(entry, list), pieces = pieces, marks = marks,
    names = order.names, fail = wrong.fail, slow = wrong.slow }
end

--- Answer a request that creates a task.
---@async
---@param sim rushes.Sim
---@param req rt.httpd.Request
---@param o rushes.sim.Purchase
function M.create(sim, req, o)
  local issues = catalog.check(o.catalog, o.endpoint, o.body)
  if issues[1] then return answer.invalid(req, issues) end
  local entry = o.catalog.endpoints[o.endpoint].models[o.body.model]
  if plan.is_sequence(o.body) then
    return answer.error(req, 400, "The simulator does not make sequences of pictures.")
  end
  local marks = faults.marks(o.body.promptText or o.body.prompt)
  local f = sim.faults:at("create", marks)
  local status = status_of(sim, f)
  if refused(req, f, status) then return end
  local list
  list, issues = get_files(sim, entry, o.body)
  if issues[1] then return answer.invalid(req, issues) end
  local t, refusal, message = make(sim, req, o, entry, list, marks)
  if not t then return answer.error(req, refusal, message) end
  if lost(req, f, status) then return end
  local said = o.answer(t)
  if f.no_id then said.id = nil end
  return answer.json(req, 200, said, nil, f.truncated_answer)
end

return M
