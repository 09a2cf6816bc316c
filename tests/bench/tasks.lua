--- What a task costs: rushes run tests/bench/tasks.lua [N]
--- Memory of N tasks that wait at once, everything counted; time of a spawn, of a wait,
--- of a deadline.
local json = require "rt.json"
local task = require "rt.task"

local N = tonumber(arg[1]) or 100000
local ROUNDS = 5

local function resident() -- bytes
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmRSS:%s+(%d+)"
    if kb then return tonumber(kb) * 1024 end
  end
end

--- Bytes for each of N tasks that sleep.
local function memory()
  local function wait() task.sleep(1e6) end
  collectgarbage()
  local before, bytes = resident(), nil
  task.scope(function(s)
    for _ = 1, N do s:spawn(wait) end
    task.sleep(0.01)
    collectgarbage()
    bytes = (resident() - before) / N
    s:cancel()
  end)
  return bytes
end

--- Microseconds of CPU for one of 100,000: the best of some rounds.
local function time(fn)
  local best = math.huge
  for _ = 1, ROUNDS do
    collectgarbage()
    local begin = os.clock()
    fn()
    best = math.min(best, os.clock() - begin)
  end
  return best / 100000 * 1e6
end

local function in_thousands(body)
  return function()
    for _ = 1, 100 do
      task.scope(function(s)
        for _ = 1, 1000 do s:spawn(body) end
      end)
    end
  end
end

local function repeated(body)
  return function()
    for _ = 1, 100000 do body() end
  end
end

local function nothing() end

print(json.encode {
  waiting_tasks = N,
  bytes_each = math.floor(memory() + 0.5),
  us_spawn_and_end = time(in_thousands(nothing)),
  us_spawn_sleep_end = time(in_thousands(function() task.sleep(0) end)),
  us_sleep = time(repeated(function() task.sleep(0) end)),
  us_scope = time(repeated(function() task.scope(nothing) end)),
  us_timeout = time(repeated(function() task.timeout(60, nothing) end)),
})
