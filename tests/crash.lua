--- The crash test: `rushes run tests/crash.lua N|all [SEED]`. Kills the program at N
--- points, spread over all their names, and checks that it cost nothing twice and lost
--- nothing. docs/internals/crash-test.md.
local core = require "rt.c.core"
local dice = require "rushes.sim.dice"
local fs = require "rt.fs"
local log = require "rt.log"
local sim = require "rushes.sim"
local studio = require "e2e.studio"
local task = require "rt.task"

local crash_show = require "crash.show"
local points = require "crash.point"

local AT_ONCE = 6   -- shows, each with its own simulator: most of their time is waiting
local SPEED = 2000  -- simulated seconds per second
local AGAIN = 4     -- every so many points the recovery is killed too
local SETTLING = 5  -- every so many points reconcile is killed too

local function server()
  return assert(sim.start { media = false, speed = SPEED, key = studio.KEY,
    gen4_key = studio.KEY, faults = crash_show.FAULTS, budget = crash_show.BUDGET })
end

--- The numbers of all points, in the order in which they are to be tried: of each name
--- in turn one at random, so that the first ones are spread over all names.
local function shuffled(names, roll)
  local by_name, order = {}, {}
  for n, name in ipairs(names) do
    if not by_name[name] then
      by_name[name] = {}
      order[#order + 1] = name
    end
    table.insert(by_name[name], n)
  end
  local list = {}
  while #order > 0 do
    for i = #order, 1, -1 do
      local left = by_name[order[i]]
      list[#list + 1] = table.remove(left, roll(1, #left))
      if #left == 0 then table.remove(order, i) end
    end
  end
  return list
end

local function plan(names, roll)
  local list = {}
  for i, n in ipairs(shuffled(names, roll)) do
    list[i] = { n = n, again = i % AGAIN == 0 and roll(1, #names // 2) or nil,
      settling = i % SETTLING == 0 and roll(1, 4) or nil }
  end
  return list
end

local function describe(point, work)
  return ("point %d (%s)%s"):format(point.n, table.concat(work.killed, ", then "),
    point.again and (", and %d of the run after"):format(point.again) or "")
end

local function count(total, point, work)
  total.tried = total.tried + 1
  if work.died then total.hit = total.hit + 1 end
  total.kills = total.kills + #work.killed
  for _, name in ipairs(work.killed) do total.names[name] = true end
  total.settled, total.unclear = total.settled + work.settled, total.unclear + work.unclear
  local double, lost = false, false
  for _, text in ipairs(work.problems) do
    double = double or text:find "^double bill" ~= nil
    lost = lost or text:find "^lost clip" ~= nil
    print(("%s: %s"):format(describe(point, work), text))
  end
  total.double = total.double + (double and 1 or 0)
  total.lost = total.lost + (lost and 1 or 0)
  if #work.problems > 0 then
    total.failed = total.failed + 1
    print(("the folder is kept: %s"):format(work.folder))
  end
end

--- Take points from the list until enough of them have killed: the last ones of a run
--- may not be reached by the next, which takes its own turns.
local function worker(list, total)
  local own = server()
  while total.hit + total.under_way < total.wanted and #list > 0 do
    local point = table.remove(list, 1)
    total.under_way = total.under_way + 1
    local dir = assert(fs.tempdir())
    local work = points.try(own, dir, point)
    total.under_way = total.under_way - 1
    count(total, point, work)
    if #work.problems == 0 then fs.remove(dir, { recursive = true }) end
  end
  own:close()
end

--- One run without a kill: the points it passes.
local function survey()
  local own, dir = server(), assert(fs.tempdir())
  local names, r = points.survey(own, dir)
  own:close()
  if #names == 0 or r.code ~= 9 then
    error(("the run without a kill ended with %d and passed %d points: %s"):format(r.code,
      #names, r.stderr), 0)
  end
  fs.remove(dir, { recursive = true })
  return names
end

local function size(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

local function main(wanted, seed)
  local began, names = core.now(), survey()
  local total = { wanted = wanted == "all" and #names or tonumber(wanted), hit = 0,
    under_way = 0, tried = 0, kills = 0, names = {}, settled = 0, unclear = 0, double = 0,
    lost = 0, failed = 0 }
  local list = plan(names, dice(seed))
  task.scope(function(scope)
    for _ = 1, math.min(AT_ONCE, total.wanted) do scope:spawn(worker, list, total) end
  end)
  print(("crash-test: seed %d, %d points, reconcile could not tell %d times"):format(seed,
    #names, total.unclear))
  print(("%d passed, %d failed"):format(total.tried - total.failed, total.failed))
  print(("crash-test: %d kills at %d points (%d names), %d double bills, %d lost clips,"
    .. " %d unknown settled, %.0f s"):format(total.kills, total.tried, size(total.names), total.double,
    total.lost, total.settled, core.now() - began))
  os.exit(total.failed == 0 and 0 or 1)
end

-- A program that is killed goes away in the middle of an answer.
log.set_sink(function(line)
  if not line:find("the client went away", 1, true) then io.stderr:write(line, "\n") end
end)

main(arg[1] or "60", math.tointeger(tonumber(arg[2] or 1)))
