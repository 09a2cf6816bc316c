--- The developer API: /v1 with key and version header.
local answer = require "rushes.sim.answer"
local clock = require "rushes.sim.clock"
local create = require "rushes.sim.create"
local json = require "rt.json"
local runway = require "rushes.catalog.runway"
local text = require "rushes.catalog.text"
local uploads = require "rushes.sim.uploads"

local M = {}

local VERSION = "2024-11-06"
local MAX_JSON = 64 << 20 -- bytes
local BAD_VERSION =
  "The API version that was provided in the X-Runway-Version header is not valid."
local UUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89abAB]%x%x%x%-"
  .. "%x%x%x%x%x%x%x%x%x%x%x%x$"
local USAGE_DAYS, USAGE_MOST = 30, 90
local DAY = 86400

-- ---- before anything else ----

--- Is it a key as Runway's are, and ours if we were given one?
local function authorized(sim, req)
  local key = (req.headers.authorization or ""):match "^Bearer (key_%x+)$"
  if not key or #key ~= 132 or key:find "%u" then return false end
  return sim.key == nil or sim.key == key
end

--- The JSON of a body; answers 400 and gives nil if there is none.
---@async
---@param req rt.httpd.Request
---@return table?
function M.body(req)
  if req.size > MAX_JSON then
    answer.error(req, 413, "request entity too large")
    return nil
  end
  local source = req:text()
  if source == "" then source = "{}" end
  local value = json.decode(source)
  if type(value) ~= "table" then
    answer.error(req, 400, "The request body is not valid JSON.",
      { docUrl = answer.docs })
    return nil
  end
  return value
end

--- Addresses of our own outputs are http on loopback, which the API's schema would
--- refuse; they take part as the https addresses that they stand for.
local function adopt(sim, value)
  if type(value) == "string" then
    if value:sub(1, #sim.url + 6) == sim.url .. "/_out/" then
      return sim.alias .. value:sub(#sim.url + 1)
    end
  elseif type(value) == "table" then
    for k, v in pairs(value) do value[k] = adopt(sim, v) end
  end
  return value
end

--- A body with the simulator's own addresses in it made acceptable.
---@async
---@param sim rushes.Sim
---@param req rt.httpd.Request
---@return table?
function M.order(sim, req)
  local body = M.body(req)
  return body and adopt(sim, body)
end

-- ---- tasks ----

local function credits(n) return { credits = n % 1000 == 0 and n // 1000 or n / 1000 } end

local function urls(sim, t)
  local expired = sim.faults:at("link", t.marks, t).expired_url
  t.marks.expired_url = nil -- a prompt spoils the first answer, not all of them
  local list = json.array {}
  for i, path in ipairs(t.files) do
    list[i] = sim.links:make(sim.url, t.id, i, path, expired)
  end
  return list
end

--- The addresses of what a task has made.
M.urls = urls

local function shown(sim, t)
  local body = { id = t.id, status = t.state, createdAt = clock.iso(t.created) }
  if t.cost then
    body.cost = credits(t.cost)
  else
    body.estimatedCost = credits(t.estimate)
  end
  if t.state == "RUNNING" then
    body.progress = sim.tasks:progress(t)
  elseif t.state == "SUCCEEDED" then
    body.output = urls(sim, t)
  elseif t.state == "FAILED" then
    body.failure, body.failureCode = t.failure.text, t.failure.code
  end
  return body
end

local function bad_id(req)
  return answer.invalid(req, { { code = "invalid_format", format = "uuid",
    path = { "id" }, message = "Invalid UUID", origin = "string" } }, "params")
end

--- Faults of a poll; true if they have answered instead of `shown(sim, t)`.
---@async
---@param sim rushes.Sim
---@param req rt.httpd.Request
---@param t rushes.sim.Task
---@param show fun(sim: rushes.Sim, t: rushes.sim.Task): table
function M.poll_fault(sim, req, t, show)
  local f = sim.faults:at("poll", t.marks, t)
  if f.poll_reset then
    req:abort()
  elseif f.poll_html then
    answer.html(req, 502)
  elseif f.poll_5xx then
    answer.error(req, sim.roll(502, 504), "Simulated failure.")
  elseif f.poll_truncated then
    answer.json(req, 200, show(sim, t), nil, f.poll_truncated)
  else
    return false
  end
  return true
end

local function get_task(sim, req, id)
  if not id:find(UUID) then return bad_id(req) end
  local t = sim.tasks:shown(id:lower())
  if not t or t.dialect then return answer.error(req, 404, "Could not find Task") end
  if M.poll_fault(sim, req, t, shown) then return end
  return answer.json(req, 200, shown(sim, t))
end

local function delete_task(sim, req, id)
  if not id:find(UUID) then return bad_id(req) end
  local t = sim.tasks:find(id:lower())
  if not t or t.dialect or not sim.tasks:delete(t.id) then
    return answer.error(req, 404, "Could not find Task")
  end
  return req:respond { status = 204 }
end

local function buy(endpoint)
  return function(sim, req)
    local body = M.order(sim, req)
    if not body then return end
    return create.create(sim, req, { catalog = runway, endpoint = endpoint, body = body,
      answer = function(t)
        return { id = t.id, estimatedCost = credits(t.estimate) }
      end })
  end
end

-- ---- uploads and the organization ----

local function open_upload(sim, req)
  local body = M.body(req)
  if not body then return end
  local issues = uploads.check(body)
  if issues[1] then return answer.invalid(req, issues) end
  return answer.json(req, 200, sim.uploads:open(body.filename, sim.url))
end

local function organization(sim, req)
  local models, used = {}, {}
  for _, endpoint in pairs(runway.endpoints) do
    for model in pairs(endpoint.models) do
      local limit = sim:limits(model)
      models[model] = { maxConcurrentGenerations = limit.at_once,
        maxDailyGenerations = limit.daily }
      used[model] = { dailyGenerations = sim.bill:today(sim.clock:now(), model) }
    end
  end
  return answer.json(req, 200, {
    tier = { models = models,
      maxMonthlyCreditSpend = runway.tiers[sim.tier].spend * 100 }, -- a cent a credit
    creditBalance = sim.bill.balance // 1000, usage = { models = used } })
end

local function day_of(value)
  local y, m, d = tostring(value):match "^(%d%d%d%d)-(%d%d)-(%d%d)$"
  if not y then return nil end
  local t = os.time { year = y, month = m, day = d, hour = 12 }
  return os.date("%Y-%m-%d", t) == value and value or nil
end

local function usage_range(sim, body)
  local now = sim.clock:now()
  local before = body.beforeDate or clock.day(now + DAY)
  local first = body.startDate or clock.day(now - (USAGE_DAYS - 1) * DAY)
  for name, value in pairs { startDate = first, beforeDate = before } do
    if type(value) ~= "string" or not day_of(value) then
      return nil, { code = "invalid_format", format = "date", path = { name },
        message = "Invalid ISO date", origin = "string" }
    end
  end
  if first < clock.day(now - USAGE_MOST * DAY) or first >= before then
    return nil, { code = "custom", path = { "startDate" },
      message = ("The range must be 1 to %d days long"):format(USAGE_MOST) }
  end
  return first, before
end

local function usage(sim, req)
  local body = M.body(req)
  if not body then return end
  local first, before = usage_range(sim, body)
  if not first then return answer.invalid(req, { before }) end
  local results, models = json.array {}, {}
  for _, row in ipairs(sim.bill:usage(first, before)) do
    local last = results[#results]
    if not last or last.date ~= row.date then
      last = { date = row.date, usedCredits = json.array {} }
      results[#results + 1] = last
    end
    last.usedCredits[#last.usedCredits + 1] = { model = row.model, amount = row.amount }
    models[row.model] = true
  end
  return answer.json(req, 200, { results = results,
    models = json.array(text.keys(models)) })
end

-- ---- routes ----

local ROUTES = {
  ["/v1/uploads"] = { POST = open_upload },
  ["/v1/organization"] = { GET = organization },
  ["/v1/organization/usage"] = { POST = usage },
}

for name, endpoint in pairs(runway.endpoints) do
  ROUTES[endpoint.path] = { POST = buy(name) }
end

local TASK = { GET = get_task, DELETE = delete_task }

--- Answer a method that a path does not have.
---@async
function M.no_method(req, methods)
  return answer.error(req, 405, "Method not allowed", nil,
    { Allow = table.concat(text.keys(methods), ", ") })
end

--- Answer a request below /v1.
---@async
---@param sim rushes.Sim
---@param req rt.httpd.Request
function M.handle(sim, req)
  if not authorized(sim, req) then
    return answer.error(req, 401, "The API key is missing or not valid.")
  end
  if req.headers["x-runway-version"] ~= VERSION then
    return answer.error(req, 400, BAD_VERSION, { docUrl = answer.docs })
  end
  local methods, id = ROUTES[req.path], nil
  if not methods then
    id = req.path:match "^/v1/tasks/([^/]+)$"
    methods = id and TASK
  end
  if not methods then return answer.error(req, 404, "Not found") end
  local handler = methods[req.method]
  if not handler then return M.no_method(req, methods) end
  return handler(sim, req, id)
end

return M
