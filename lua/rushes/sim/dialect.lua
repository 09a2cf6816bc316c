--- The gen4 dialect of the tutorials: POST /v1/gen4, GET /v1/gen4/tasks/{id}. It has no
--- version header, and any bearer key will do.
local answer = require "rushes.sim.answer"
local api = require "rushes.sim.api"
local create = require "rushes.sim.create"
local gen4 = require "rushes.catalog.gen4"

local M = {}

local STATUS = { THROTTLED = "PENDING" } -- the dialect has no word for it

local function credits(n) return n % 1000 == 0 and n // 1000 or n / 1000 end

local function buy(sim, req)
  local body = api.order(sim, req)
  if not body then return end
  return create.create(sim, req, { catalog = gen4, endpoint = "gen4", body = body,
    answer = function(t)
      t.dialect = true
      return { id = t.id, status = "PENDING" }
    end })
end

local function shown(sim, t)
  local body = { id = t.id, status = STATUS[t.state] or t.state, progress = 0 }
  if t.state == "RUNNING" then
    body.progress = math.floor(sim.tasks:progress(t) * 100 + 0.5)
  elseif t.state == "SUCCEEDED" then
    body.progress, body.output = 100, { url = api.urls(sim, t)[1] }
  elseif t.state == "FAILED" then
    body.failure_reason = t.failure.code or t.failure.text
  end
  if t.cost then body.credits_used = credits(t.cost) end
  return body
end

local function get(sim, req, id)
  local t = sim.tasks:shown(id)
  if not t or not t.dialect then return answer.error(req, 404, "Task not found") end
  if api.poll_fault(sim, req, t, shown) then return end
  return answer.json(req, 200, shown(sim, t))
end

local function authorized(sim, req)
  local key = (req.headers.authorization or ""):match "^Bearer (%S+)$"
  return key ~= nil and (sim.gen4_key == nil or sim.gen4_key == key)
end

--- Answer a request below /v1/gen4.
---@async
---@param sim rushes.Sim
---@param req rt.httpd.Request
function M.handle(sim, req)
  if not authorized(sim, req) then
    return answer.error(req, 401, "Invalid API key")
  end
  local id = req.path:match "^/v1/gen4/tasks/([^/]+)$"
  if not id and req.path ~= "/v1/gen4" then return answer.error(req, 404, "Not found") end
  local methods = id and { GET = get } or { POST = buy }
  local handler = methods[req.method]
  if not handler then return api.no_method(req, methods) end
  return handler(sim, req, id)
end

return M
