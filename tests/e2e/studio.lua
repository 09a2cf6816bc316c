--- What the tests of whole shows share: a simulator beside the test, whose bill and
--- tasks it can look at, and runs of the binary against it that hide the key.
local db = require "rt.db"
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"
local sim = require "rushes.sim"

local lib = require "e2e.lib"

local M = {}

M.KEY = "key_" .. ("5ec2e7c0ffee0000"):rep(8)
local ANY_PART = "5ec2e7c0ffee"

---@class tests.Studio
---@field sim rushes.Sim
---@field dir string  where the scripts run
local Studio = {}
Studio.__index = Studio

--- Every file below a folder but the journal's, in order, as paths from there.
---@async
---@param dir string
---@return string[]
function M.files(dir)
  local found = {}
  for _, entry in ipairs(fs.list(dir) or {}) do
    if entry.type == "dir" then
      for _, path in ipairs(M.files(dir .. "/" .. entry.name)) do
        found[#found + 1] = entry.name .. "/" .. path
      end
    elseif not entry.name:find "^journal%." then
      found[#found + 1] = entry.name
    end
  end
  table.sort(found)
  return found
end

--- No part of the key may be in what was said or written.
local function look_for_key(dir, result)
  lu.assertNotStrContains(result.stdout .. result.stderr, ANY_PART)
  for _, name in ipairs(M.files(dir)) do
    local bytes = assert(fs.read(dir .. "/" .. name, { max = 1 << 30 }))
    lu.assertNil(bytes:find(ANY_PART, 1, true), name .. " holds the key")
  end
end

--- What both providers need to find the simulator.
---@param url string
---@param key? string
---@return table<string, string>
function M.env(url, key)
  key = key or M.KEY
  return { RUNWAYML_BASE_URL = url, GEN4_BASE_URL = url, RUNWAYML_API_SECRET = key,
    GEN4_API_KEY = key }
end

--- Run a script in the studio's folder, or in `opts.dir`; flags and proc.run's options
--- may be given. `opts.command` is "run" unless it says another.
---@async
---@param source string
---@param opts? table
---@return rt.proc.Result
function Studio:run(source, opts)
  opts = opts or {}
  local dir = opts.dir or self.dir
  assert(fs.mkdir(dir))
  assert(fs.write(dir .. "/script.lua", source))
  local args = { opts.command or "run", cwd = dir, env = opts.env or M.env(self.sim.url) }
  for i, flag in ipairs(opts) do args[i + 1] = flag end
  args[#args + 1] = "script.lua"
  local result = lib.rushes(args)
  look_for_key(dir, result)
  return result
end

--- The same with --json: the events as a list beside the result.
---@async
---@return rt.proc.Result
---@return table[] events
function Studio:events(source, opts)
  opts = opts or {}
  table.insert(opts, 1, "--json")
  local result, events = self:run(source, opts), {}
  for line in result.stdout:gmatch "[^\n]+" do
    events[#events + 1] = assert(json.decode(line))
  end
  return result, events
end

--- Rows of the journal of the show "night".
---@async
---@return table[]
function Studio:journal(sql, ...)
  local conn <close> = assert(db.open(self.dir .. "/night/journal.db"))
  return assert(conn:rows(sql, ...))
end

--- Change that journal, as a crash or a hand would have left it.
---@async
function Studio:tamper(sql, ...)
  local conn <close> = assert(db.open(self.dir .. "/night/journal.db"))
  assert(conn:write { { sql, ..., n = select("#", ...) } })
end

--- Let the next task fail with this code when so many were created before it.
---@param created integer
---@param code string
function Studio:fail_after(created, code)
  local at = self.sim.faults.at
  self.sim.faults.at = function(faults, stage, marks)
    local wrong = at(faults, stage, marks)
    if stage == "task" and self:bill().created == created then wrong.fail = code end
    return wrong
  end
end

--- What the simulator's account has seen, all models together.
---@return {created: integer, succeeded: integer, failed: integer, charged: number,
---  refunded: number, reserved: number}
function Studio:bill() return self.sim.bill:show().total end

--- Count the requests of one stage ("create", "poll", "link", "body") that the simulator
--- gets from now on.
---@param stage string
---@return fun(): integer
function Studio:counter(stage)
  local n, at = 0, self.sim.faults.at
  function self.sim.faults.at(faults, what, ...)
    if what == stage then n = n + 1 end
    return at(faults, what, ...)
  end
  return function() return n end
end

--- Call `fn(studio)` with a fast simulator that makes no films, and a folder.
---@async
---@param opts table  of the simulator
---@param fn async fun(studio: tests.Studio)
function M.with(opts, fn)
  local o = { media = false, speed = 1000, key = M.KEY, gen4_key = M.KEY }
  for k, v in pairs(opts) do o[k] = v end
  lib.in_folder(function(dir)
    local server = assert(sim.start(o))
    local ok, e = pcall(fn, setmetatable({ sim = server, dir = dir }, Studio))
    server:close()
    if not ok then error(e, 0) end
  end)
end

--- A script: a show of text shots at 60 credits each, and a line for each take.
---@param shots string[]|string  prompts, or the text that declares the shots
---@param more? string           further fields of the show
---@return string
function M.script(shots, more)
  local lines = {}
  if type(shots) == "string" then lines[1] = shots end
  for i, prompt in ipairs(type(shots) == "table" and shots or {}) do
    lines[i] = ("show:shot { name = %q, prompt = %q }"):format("s" .. i, prompt)
  end
  return ([[
local rushes = require "rushes"
local show = rushes.show { name = "night", policy = rushes.policy.fixed { model = "gen4.5" }, %s }
%s
for _, take in ipairs(show:shoot()) do
  print(take.shot.name, take.status, take.credits, take.file or take.err.code)
end
]]):format(more or "", table.concat(lines, "\n"))
end

return M
