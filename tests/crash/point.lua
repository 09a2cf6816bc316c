--- One kill point: the show is run until it is killed there, perhaps killed again while it
--- recovers, run to its end, settled where nobody knows, and compared with the simulator.
local fs = require "rt.fs"
local lib = require "e2e.lib"
local proc = require "rt.proc"
local studio = require "e2e.studio"
local task = require "rt.task"

local check = require "crash.check"
local crash_show = require "crash.show"
local settle = require "crash.settle"

local M = {}

local CRASHING = assert(os.getenv "RUSHES_CRASH", "run me by `make crash-test`")
local PATIENCE = 60 -- seconds for one run of the show
local ROUNDS = 6    -- runs and settlements until everything must have landed

---@class tests.Point
---@field n integer          which point of the first run
---@field again? integer     which point of the run after that
---@field settling? integer  which point of the first reconcile

---@class tests.Outcome
---@field killed string[]    names of the points where it died
---@field died boolean        at the first one
---@field settled integer    unknown submissions
---@field unclear integer    of them, those where reconcile could not tell
---@field problems string[]
---@field folder string

---@class tests.Work: tests.Outcome
---@field sim rushes.Sim
---@field dir string
local Work = {}
Work.__index = Work

local function words(program, args, at, log, dir, url)
  local argv = { program, cwd = dir, env = studio.env(url) }
  table.move(args, 1, #args, 2, argv)
  argv.env.RUSHES_CRASH_AT, argv.env.RUSHES_CRASH_LOG = at or false, log or false
  return argv
end

local function problem(work, text, ...)
  work.problems[#work.problems + 1] = text:format(...)
end

--- Run a command in the show's folder; at point `at` it is killed.
function Work:command(args, at)
  local log = at and self.dir .. "/points.log"
  if log then fs.remove(log) end
  local argv = words(at and CRASHING or lib.RUSHES, args, at, log, self.dir, self.sim.url)
  local r, e = task.timeout(PATIENCE, proc.run, argv)
  if not r then
    problem(self, "%s: %s", table.concat(args, " "), e)
    return nil
  end
  if r.signal == "SIGKILL" then
    self.killed[#self.killed + 1] = assert(fs.read(log)):match "%d+ (%S+)%s*$"
  end
  return r
end

local RUN = { "run", "--no-progress", "script.lua" }

--- The show, by the binary that works. False when it has not come to its end.
local function run_on(work)
  local r = work:command(RUN)
  if not r then return false end
  if r.code == 0 then return true end
  if r.code ~= 9 then
    problem(work, "the run after the kill ended with %s: %s", r.signal or r.code, r.stderr)
  end
  return false
end

local function assume(work, how, ids, at)
  local args = { "reconcile", crash_show.NAME, "--assume", how, "--id" }
  for _, id in ipairs(ids) do args[#args + 1] = tostring(id) end
  if at then work:command(args, at) end
  local r = work:command(args)
  -- killed after its journal was written, there is nothing left to settle
  local settled = at and r and r.stderr:find "is not open: its state is"
  if r and r.code ~= 0 and r.code ~= 9 and not settled then
    problem(work, "%s ended with %s: %s", table.concat(args, " "), r.code, r.stderr)
  end
end

--- Settle what is unknown; at `at` reconcile is killed, and asked again.
local function reconcile(work, at)
  local truth = settle.truth(work.sim, work.dir .. "/" .. crash_show.NAME)
  local r = work:command { "reconcile", crash_show.NAME, "--json" }
  if not r then return end
  local rows, e = settle.read(r)
  if not rows then return problem(work, "reconcile: %s: %s", e, r.stderr) end
  local decided, problems = settle.judge(rows, truth)
  table.move(problems, 1, #problems, #work.problems + 1, work.problems)
  work.settled = work.settled + #decided.charged + #decided.lost
  work.unclear = work.unclear + decided.unclear
  for _, how in ipairs { "charged", "lost" } do
    if #decided[how] > 0 then assume(work, how, decided[how], at) end
  end
end

local function to_the_end(work, point)
  for round = 1, ROUNDS do
    if run_on(work) then return true end
    if #work.problems > 0 then return false end
    reconcile(work, round == 1 and point.settling)
  end
  problem(work, "after %d runs there are still shots that have not landed", ROUNDS)
  return false
end

--- Let what the simulator still works on come to its end: what nobody follows is billed
--- too.
local function finish(sim)
  local n = 0
  repeat
    sim.clock:advance(3600)
    task.sleep(0.005)
    n = n + 1
    local bill = sim.bill:show()
  until bill.total.reserved == 0 or n > 400
end

--- Kill at one point and look at what remains.
---@async
---@param sim rushes.Sim    reset for it
---@param dir string        an empty folder
---@param point tests.Point
---@return tests.Outcome
function M.try(sim, dir, point)
  sim:reset()
  crash_show.prepare(dir)
  local work = setmetatable({ sim = sim, dir = dir, killed = {}, settled = 0, unclear = 0,
    problems = {}, folder = dir }, Work)
  work:command(RUN, point.n)
  work.died = work.killed[1] ~= nil
  if point.again and work.died then work:command(RUN, point.again) end
  if to_the_end(work, point) then
    finish(sim)
    local found = check.check(sim, dir)
    table.move(found, 1, #found, #work.problems + 1, work.problems)
  end
  return work
end

--- Which points a run without a kill passes: their names, in order.
---@async
---@param sim rushes.Sim
---@param dir string
---@return string[] names
---@return rt.proc.Result
function M.survey(sim, dir)
  sim:reset()
  crash_show.prepare(dir)
  local log, names = dir .. "/points.log", {}
  local r = assert(proc.run(words(CRASHING, RUN, nil, log, dir, sim.url)))
  for name in (fs.read(log) or ""):gmatch "%d+ (%S+)" do names[#names + 1] = name end
  return names, r
end

return M
