--- The simulator: a server on loopback that behaves as Runway's developer API (and as
--- the gen4 dialect), makes real pictures and clips, and keeps a bill. docs/simulator.md.
local answer = require "rushes.sim.answer"
local api = require "rushes.sim.api"
local bill = require "rushes.sim.bill"
local clock = require "rushes.sim.clock"
local control = require "rushes.sim.control"
local dialect = require "rushes.sim.dialect"
local dice = require "rushes.sim.dice"
local err = require "rt.err"
local faults = require "rushes.sim.faults"
local fs = require "rt.fs"
local gen4 = require "rushes.catalog.gen4"
local httpd = require "rt.httpd"
local inputs = require "rushes.sim.inputs"
local lanes = require "rushes.sim.lanes"
local links = require "rushes.sim.links"
local log = require "rt.log"
local media = require "rushes.sim.media"
local runway = require "rushes.catalog.runway"
local suggest = require "rt.suggest"
local task = require "rt.task"
local tasks = require "rushes.sim.tasks"
local uploads = require "rushes.sim.uploads"

local M = {}

--- Simulated seconds per real second: a clip takes five to six real seconds.
M.default_speed = 12

local MAX_BODY = 210 << 20 -- bytes: an upload of 200 MB and its form
local GRACE = 2            -- seconds that running answers get at the end
local ALIAS = "https://outputs.simulator.invalid"

---@class rushes.Sim
---@field url string
---@field port integer
---@field tier integer
---@field seed integer
---@field key? string       the only key that is accepted
---@field gen4_key? string
---@field alias string      stands for `url` in a checked request
---@field clock rushes.sim.Clock
---@field bill rushes.sim.Bill
---@field lanes rushes.sim.Lanes
---@field tasks rushes.sim.Tasks
---@field faults rushes.sim.Faults
---@field uploads rushes.sim.Uploads
---@field inputs rushes.sim.Inputs
---@field media rushes.sim.Media
---@field links rushes.sim.Links
---@field roll fun(lo: integer, hi: integer): integer
local Sim = {}
Sim.__index = Sim
Sim.__name = "rushes.Sim"

---@class rushes.sim.Options
---@field host? string      a loopback address, default 127.0.0.1
---@field port? integer     default 0: any free one
---@field speed? number     simulated seconds per real second, default 12
---@field tier? integer     1..5, default 3
---@field credits? number   balance to begin with, default 100000
---@field budget? number    credits that must never be exceeded; see `bill`
---@field faults? string    docs/simulator.md has the grammar
---@field seed? integer     of everything that is left to chance, default 1
---@field key? string       accept only this key
---@field gen4_key? string
---@field media? boolean    false: deliver tiny ready-made files, ffmpeg is not needed
---@field preset? "veryfast"|"ultrafast"
---@field takes? table<string, number>  simulated seconds by kind: image, video, keyframes
---@field linger? number    seconds that a cancelled task can still be read, default 0
---@field on_ready? fun(port: integer, sim: rushes.Sim)  of `serve`
---@field on_end? fun(sim: rushes.Sim)                   of `serve`

local OPTIONS = { host = 1, port = 1, speed = 1, tier = 1, credits = 1, budget = 1,
  faults = 1, seed = 1, key = 1, gen4_key = 1, media = 1, preset = 1, takes = 1,
  linger = 1, on_ready = 1, on_end = 1 }

local LOOPBACK = { ["127.0.0.1"] = true, ["::1"] = true, localhost = true }

local function check(o)
  suggest.check_keys("the simulator", o, OPTIONS, 3)
  local tier = o.tier or 3
  if not runway.tiers[tier] then
    return nil, err.new("invalid", ("tier is %s; there are tiers 1 to 5"):format(tier))
  elseif o.host and not LOOPBACK[o.host] then
    return nil, err.new("invalid",
      ("the simulator serves this machine only; host is %s, allowed is 127.0.0.1")
        :format(o.host))
  end
  local rules, why = faults.parse(o.faults or "")
  if not rules then return nil, err.new("invalid", why) end
  return rules
end

-- Whether a model makes video or images, for the numbers of the tier.
local CLASS = {}
for _, source in ipairs { runway, gen4 } do
  for _, endpoint in pairs(source.endpoints) do
    for model, entry in pairs(endpoint.models) do CLASS[model] = entry.class end
  end
end

--- How many tasks of a model may run at once, and be made in a day.
---@param model string
---@return {at_once: integer, daily: integer}
function Sim:limits(model)
  return runway.tiers[self.tier][CLASS[model] or "video"]
end

local function render(sim)
  return function(t, done)
    sim.scope:spawn(function()
      local files, e = sim.media:make(t.pieces)
      if not files then
        log.error("sim: task %s: %s", t.id, e)
      end
      done(files)
    end)
  end
end

--- The file behind the address of one of our outputs, for a request that names it.
local function own_output(sim)
  return function(url)
    if url:sub(1, #sim.alias + 1) ~= sim.alias .. "/" then return nil end
    local path, query = url:sub(#sim.alias + 1):match "^([^?]*)%??(.*)$"
    local file = sim.links:open(path, query:match "_jwt=([^&]*)")
    if file then return file end
    return nil, "Failed to fetch asset. The URL is not valid any more."
  end
end

--- Begin anew: no tasks, the first balance, the same faults.
function Sim:reset()
  local o = self.options
  if self.tasks then self.tasks:clear() end
  self.clock:clear()
  self.bill = bill.new(o.credits or 100000)
  self.bill:watch(o.budget)
  self.lanes = lanes.new(function(model) return self:limits(model).at_once end)
  self.tasks = tasks.new { clock = self.clock, lanes = self.lanes, bill = self.bill,
    roll = self.roll, render = render(self), takes = o.takes, linger = o.linger }
  self.faults = faults.new(faults.parse(o.faults or ""), self.seed, o.faults)
end

local function new_uuid(sim)
  return function() return tasks.uuid(sim.roll) end
end

local function build(o, dir)
  local sim = setmetatable({ options = o, tier = o.tier or 3, seed = o.seed or 1,
    key = o.key, gen4_key = o.gen4_key, alias = ALIAS, dir = dir,
    clock = clock.new(o.speed or M.default_speed) }, Sim)
  sim.roll = dice(sim.seed)
  sim.uploads = uploads.new(dir .. "/uploads", sim.clock, new_uuid(sim))
  sim.inputs = inputs.new(dir .. "/inputs", sim.uploads, own_output(sim))
  sim.media = media.new(dir .. "/media", { preset = o.preset, none = o.media == false })
  sim.links = links.new(sim.clock, tasks.uuid(dice(os.time())),
    function(id) return sim.tasks:find(id) end)
  sim:reset()
  return sim
end

-- ---- the server ----

local XML = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code>'
  .. "<Message>%s</Message></Error>"

local function refuse(req, status, code, message)
  local headers = { ["Content-Type"] = "application/xml" }
  return req:respond { status = status, headers = headers,
    body = XML:format(code, message) }
end

local function output(sim, req)
  if req.method ~= "GET" and req.method ~= "HEAD" then
    return refuse(req, 405, "MethodNotAllowed", "The method is not allowed")
  end
  local file, why, t = sim.links:open(req.path, req.query._jwt)
  if why == "unknown" then
    return refuse(req, 404, "NoSuchKey", "There is no such file")
  end
  if not file then return refuse(req, 403, "AccessDenied", "Access denied") end
  local f = sim.faults:at("body", t.marks, t)
  return req:respond { file = file, rate = f.slow_body, truncate = f.truncated_body }
end

local function storage(sim, req)
  local id = req.path:match "^/_storage/([%x-]+)$"
  if req.method ~= "POST" or not id then
    return refuse(req, 405, "MethodNotAllowed", "The method is not allowed")
  end
  return sim.uploads:receive(req, id)
end

local function below(path, folder)
  return path == folder or path:sub(1, #folder + 1) == folder .. "/"
end

local function route(sim, req)
  local path = req.path
  req.pace = below(path, "/v1") and sim.clock.speed or nil
  if below(path, "/v1/gen4") then return dialect.handle(sim, req) end
  if below(path, "/v1") then return api.handle(sim, req) end
  if below(path, "/_out") then return output(sim, req) end
  if below(path, "/_storage") then return storage(sim, req) end
  if below(path, "/_sim") then return control.handle(sim, req) end
  return answer.error(req, 404, "Not found")
end

local function open(o)
  local rules, e = check(o)
  if not rules then return nil, e end
  if o.media ~= false then
    local ok, missing = media.check()
    if not ok then return nil, missing end
  end
  local dir
  dir, e = fs.tempdir()
  if not dir then return nil, e end
  for _, name in ipairs { "uploads", "inputs", "media", "spool" } do
    assert(fs.mkdir(dir .. "/" .. name))
  end
  local sim = build(o, dir)
  sim.server, e = httpd.listen { host = o.host, port = o.port, max_body = MAX_BODY,
    spool = dir .. "/spool" }
  if not sim.server then
    fs.remove(dir, { recursive = true })
    return nil, e
  end
  sim.port = sim.server.port
  sim.url = ("http://%s:%d"):format(o.host == "::1" and "[::1]" or "127.0.0.1", sim.port)
  return sim
end

--- Everything the simulator does, until it is cancelled.
local function live(sim)
  local function clean_up()
    sim.server:close(GRACE)
    fs.remove(sim.dir, { recursive = true })
  end
  local ok, e = pcall(task.scope, function(s)
    sim.scope = s
    s:spawn(function() sim.clock:run() end)
    s:spawn(function()
      assert(sim.server:serve(function(req) return route(sim, req) end))
    end)
  end)
  task.shield(GRACE + 5, clean_up)
  if not ok then error(e, 0) end
end

--- Start a simulator in the background of the running task's scope, which waits for
--- `sim:close()`.
---@async
---@param o? rushes.sim.Options
---@return rushes.Sim?
---@return rt.Err? err  what is missing: ffmpeg, the port
function M.start(o)
  local sim, e = open(o or {})
  if not sim then return nil, e end
  sim.life = task.current().scope:spawn(live, sim)
  while not sim.scope do task.yield() end
  return sim
end

--- End it; running answers get two seconds.
---@async
function Sim:close()
  if not self.closed then
    self.closed = true
    self.server:close(GRACE)
    self.scope:cancel "the simulator is closed"
  end
  if not self.life.done then self.life:await() end
end

--- Serve until the task is cancelled.
---@async
---@param o? rushes.sim.Options
---@return nil
---@return rt.Err? err
function M.serve(o)
  o = o or {}
  local sim, e = open(o)
  if not sim then return nil, e end
  local function run()
    if o.on_ready then o.on_ready(sim.port, sim) end
    live(sim)
  end
  local ok, failure = pcall(run)
  if o.on_end then o.on_end(sim) end
  if not ok then error(failure, 0) end
end

return M
