--- A simulator for a test and a client that speaks to it over HTTP.
local curl = require "lua.curl"
local json = require "rt.json"
local sim = require "rushes.sim"
local task = require "rt.task"

local M = {}

M.key = "key_" .. ("0123456789abcdef"):rep(8)

---@class tests.Client
---@field sim rushes.Sim
local Client = {}
Client.__index = Client

--- One request. `body` is a table or a string; headers replace the usual ones.
---@async
---@return {status: integer, json: any, text: string, code: integer}
function Client:call(method, path, body, headers)
  local args = { "-X", method, "-w", "\n%{http_code}" }
  local function add(...)
    for _, word in ipairs { ... } do args[#args + 1] = word end
  end
  if method == "HEAD" then args = { "-I", "-w", "\n%{http_code}" } end
  local usual = { Authorization = "Bearer " .. M.key, ["X-Runway-Version"] = "2024-11-06",
    ["Content-Type"] = "application/json" }
  for name, value in pairs(headers or {}) do usual[name] = value end
  for name, value in pairs(usual) do
    if value then add("-H", name .. ": " .. value) end
  end
  if body then add("-d", type(body) == "table" and json.encode(body) or body) end
  add(path:find "^http" and path or self.sim.url .. path)
  local r = curl(table.unpack(args))
  local text, status = r.out:match "^(.*)\n(%d+)$"
  return { code = r.code, text = text, status = tonumber(status),
    json = text and text:find "^%s*[{%[]" and json.decode(text) or nil }
end

function Client:get(path, headers) return self:call("GET", path, nil, headers) end
function Client:post(path, body, headers) return self:call("POST", path, body, headers) end

--- A request that creates a task; its id.
---@async
---@return string
function Client:create(more, endpoint)
  local body = { model = "gen4.5", promptText = "a street at night", ratio = "1280:720",
    duration = 5 }
  for k, v in pairs(more or {}) do body[k] = v end
  local r = self:post("/v1/" .. (endpoint or "text_to_video"), body)
  assert(r.status == 200, r.text)
  return r.json.id
end

--- The task as the API shows it.
---@async
function Client:task(id) return self:get("/v1/tasks/" .. id).json end

local function late(tasks)
  for _, row in ipairs(tasks:list()) do
    local t = tasks:find(row.id)
    if t.state == "RUNNING" and t.timed_out then return true end
  end
end

--- Let simulated time pass; wait for the files of tasks whose time is over.
---@async
function Client:advance(seconds)
  self.sim.clock:advance(seconds)
  while late(self.sim.tasks) do task.sleep(0.001) end
end

--- Run `fn(client)` against a simulator whose clock stands still.
---@async
function M.with(opts, fn)
  local o = { media = false, speed = 0 }
  for k, v in pairs(opts) do o[k] = v end
  local server = assert(sim.start(o))
  fn(setmetatable({ sim = server }, Client))
  server:close()
end

return M
