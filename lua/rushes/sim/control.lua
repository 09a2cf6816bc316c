--- /_sim: what a test or a curious person may ask and change. Outside /v1, no key.
local answer = require "rushes.sim.answer"
local api = require "rushes.sim.api"
local clock = require "rushes.sim.clock"
local faults = require "rushes.sim.faults"
local hash = require "rt.hash"
local json = require "rt.json"
local text = require "rushes.catalog.text"

local M = {}

local YEAR = 366 * 86400 -- seconds that the clock may be advanced by at once
local MOST = 1000000     -- credits, tasks

local function about(sim, req)
  return answer.json(req, 200, { simulator = "rushes", tier = sim.tier,
    faults = sim.faults.spec, seed = sim.seed, speed = sim.clock.speed,
    now = clock.iso(sim.clock:now()), lanes = sim.lanes:show() })
end

local function show_clock(sim, req)
  return answer.json(req, 200, { now = clock.iso(sim.clock:now()),
    speed = sim.clock.speed })
end

local function number_of(body, name, most)
  local v = body[name]
  if v == nil then return nil end
  if type(v) ~= "number" or v < 0 or v > most then
    return nil, ("%s must be a number from 0 to %d"):format(name, most)
  end
  return v
end

local function set_clock(sim, req)
  local body = api.body(req)
  if not body then return end
  local speed, why = number_of(body, "speed", 1000000)
  local advance, why2 = number_of(body, "advance", YEAR)
  if why or why2 then return answer.error(req, 400, why or why2) end
  if speed then sim.clock:set_speed(speed) end
  if advance then sim.clock:advance(advance) end
  return show_clock(sim, req)
end

local function set_faults(sim, req)
  local body = api.body(req)
  if not body then return end
  local spec = body.faults or ""
  if type(spec) ~= "string" then
    return answer.error(req, 400, 'write {"faults": "429:0.1,…"}')
  end
  local rules, why = faults.parse(spec)
  if not rules then return answer.error(req, 400, why) end
  sim.faults = faults.new(rules, body.seed or sim.seed, spec)
  return answer.json(req, 200, { faults = spec })
end

local function show_faults(sim, req)
  return answer.json(req, 200, { faults = sim.faults.spec })
end

local function show_bill(sim, req) return answer.json(req, 200, sim.bill:show()) end

--- SHA-256 of each file that a task has made.
local function hashes(t)
  if not t.hashes and t.files then
    local list = json.array {}
    for i, path in ipairs(t.files) do list[i] = assert(hash.sha256_file(path)) end
    t.hashes = list
  end
  return t.hashes
end

--- Every task that exists, oldest first, with the hashes of its outputs.
---@async
---@param sim rushes.Sim
---@return table[]
function M.tasks(sim)
  local list = json.array(sim.tasks:list())
  for _, row in ipairs(list) do
    local t = sim.tasks:find(row.id)
    row.sha256 = t and hashes(t)
  end
  return list
end

local function show_tasks(sim, req)
  return answer.json(req, 200, { tasks = M.tasks(sim) })
end

local function set_budget(sim, req)
  local body = api.body(req)
  if not body then return end
  local credits, why = number_of(body, "credits", MOST)
  if why then return answer.error(req, 400, why) end
  sim.bill:watch(credits)
  return show_bill(sim, req)
end

--- What another user of the account does.
local function set_others(sim, req)
  local body = api.body(req)
  if not body then return end
  if type(body.model) ~= "string" then
    return answer.error(req, 400, 'write {"model": "gen4.5", "running": 1}; there are '
      .. "running, made and credits")
  end
  local n = {}
  for _, name in ipairs { "running", "made", "credits" } do
    local why
    n[name], why = number_of(body, name, MOST)
    if why then return answer.error(req, 400, why) end
  end
  if n.running then sim.lanes:occupy(body.model, math.floor(n.running)) end
  sim.bill:others(sim.clock:now(), body.model, math.floor(n.made or 0),
    math.floor((n.credits or 0) * 1000 + 0.5))
  return about(sim, req)
end

local function reset(sim, req)
  sim:reset()
  return req:respond { status = 204 }
end

local ROUTES = {
  ["/_sim"] = { GET = about },
  ["/_sim/clock"] = { GET = show_clock, POST = set_clock },
  ["/_sim/faults"] = { GET = show_faults, POST = set_faults },
  ["/_sim/bill"] = { GET = show_bill },
  ["/_sim/budget"] = { POST = set_budget },
  ["/_sim/others"] = { POST = set_others },
  ["/_sim/tasks"] = { GET = show_tasks },
  ["/_sim/reset"] = { POST = reset },
}

--- Answer a request below /_sim.
---@async
---@param sim rushes.Sim
---@param req rt.httpd.Request
function M.handle(sim, req)
  local methods = ROUTES[req.path]
  if not methods then
    return answer.error(req, 404, "There are " .. table.concat(text.keys(ROUTES), ", "))
  end
  local handler = methods[req.method]
  if not handler then return api.no_method(req, methods) end
  return handler(sim, req)
end

return M
