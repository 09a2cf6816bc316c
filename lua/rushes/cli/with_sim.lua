--- rushes run --sim: a simulator as a child of this run, which it outlives by one bill.
local config = require "rushes.config"
local err = require "rt.err"
local proc = require "rt.proc"
local sys = require "rt.c.sys"
local task = require "rt.task"
local text = require "rushes.cli.text"

local M = {}

local START = 30 -- seconds until it must listen
local STOP = 10  -- seconds until it must have ended
local SPEED = 12 -- simulated seconds per second

local function arguments(opts)
  local args = { sys.exe(), "sim", "--child", "--port", "0", "--speed",
    tostring(opts.sim_speed or SPEED), stdin = true }
  for _, spec in ipairs(opts.sim_faults or {}) do
    args[#args + 1] = "--faults"
    args[#args + 1] = spec
  end
  if opts.lua_path then args.env = { RUSHES_LUA_PATH = opts.lua_path } end
  return args
end

--- Why it did not start, from what it wrote.
local function no_start(result)
  local why = result.stderr:match "rushes[^:]*: ([^\n]+)" or result.stderr:match "[^\n]+"
    or ("it ended with status %d"):format(result.code)
  return err.new(result.code == 2 and "usage" or "provider",
    "the simulator did not start: " .. text.clean(why))
end

--- Lives in the run's outermost scope, so that it ends after the script has.
local function keep(sim, opts)
  local child, e = proc.spawn(arguments(opts))
  if not child then
    sim.err = e
    return task.wake_all(sim.waiting)
  end
  sim.child = child
  local line = child:lines()()
  sim.url = line and line:match "^listening (http://%S+)$"
  if not sim.url then sim.err = no_start(child:wait()) end
  task.wake_all(sim.waiting)
  while child:read() do end
end

local function start(program, opts)
  local sim = { waiting = {} }
  program.root:spawn(keep, sim, opts)
  local _, e = task.timeout(START, task.wait_on, sim.waiting)
  if e then sim.err = err.new("provider", "the simulator did not start within 30 s") end
  if sim.err then error(sim.err, 0) end
  return sim
end

--- Point the providers at it. The key is made up, and in front of the environment, so
--- that a real one cannot reach it.
local function point_at(sim)
  local key = require("rushes.cli.sim").made_up_key()
  for _, name in ipairs { "RUNWAYML_BASE_URL", "GEN4_BASE_URL" } do
    config.set(name, sim.url, "--sim")
  end
  for _, name in ipairs { "RUNWAYML_API_SECRET", "GEN4_API_KEY" } do
    config.set(name, key, "--sim")
  end
  config.options.sim = true
end

--- Close its input, which ends it, and show the bill that it then writes.
local function stop(sim)
  return function(program)
    sim.child:end_input()
    local result = task.timeout(STOP, sim.child.wait, sim.child)
    if not result then return program:say "rushes: the simulator did not end in time" end
    local bill = result.stderr:gsub("\n+$", "")
    if bill ~= "" then program:say("the simulator's bill:\n" .. bill) end
  end
end

---@param opts table             sim_speed, sim_faults, lua_path
---@param run async fun(program)  the user's code
---@return async fun(program)
function M.body(opts, run)
  return function(program)
    local sim = start(program, opts)
    program.ending = stop(sim)
    point_at(sim)
    return run(program)
  end
end

return M
