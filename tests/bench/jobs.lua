--- rushes in the benchmark as a script uses it: takes through rushes.provider, each one
--- checked, priced and held against the ledger. Options: docs/internals/bench.md.
local rushes = require "rushes"
local core = require "rt.c.core"
local json = require "rt.json"
local task = require "rt.task"

local opt = { jobs = 1000, ["gen-ms"] = 500, ["every-ms"] = 500, slots = 16 }
for i = 1, #arg, 2 do
  local name = arg[i]:match "^%-%-(.+)$" or error("no option: " .. arg[i])
  opt[name] = tonumber(arg[i + 1]) or arg[i + 1]
end

require("rushes.config").set("RUNWAYML_BASE_URL", opt.base, "the benchmark")
-- with a journal in the output folder, as a show's takes have it
local show = opt.journal and rushes.show { name = "bench", output = opt.out }
local runway = rushes.provider("runway", show)
local poll = { first = opt["gen-ms"] / 1000, every = opt["every-ms"] / 1000 }

local PROMPT = "take %d: the heroine walks through the lobby of the old hotel, late sun " ..
  "through tall windows, dust in the light, slow dolly in, 35mm lens, warm grade, she " ..
  "stops at the desk and looks over her shoulder, shallow depth of field, natural motion"

local count = { ok = 0, failed = 0, unknown = 0 }
local begun = core.now()

local function fail(e)
  local key = e.unknown and "unknown" or "failed"
  count[key] = count[key] + 1
  if key == "failed" then io.stderr:write(tostring(e), "\n") end
end

local function follow(i, job)
  local done, e = job:poll(poll)
  local file
  if done then file, e = done:download(("%s/%d.mp4"):format(opt.out, i)) end
  if file then count.ok = count.ok + 1 else fail(e) end
end

--- A few tasks submit, as an account's lanes let them; each take then waits in its own.
task.scope(function(s)
  local last = 0
  for _ = 1, 4 * opt.slots do
    s:spawn(function()
      while last < opt.jobs do
        last = last + 1
        local i = last
        local job, e = runway:generate { model = "gen4.5", prompt = PROMPT:format(i),
          seconds = 5, ratio = "1280:720", seed = i }
        if job then s:spawn(follow, i, job) else fail(e) end
      end
    end)
  end
end)

local stats = show and show.journal.conn:stats()
print(json.encode { client = "jobs", commits = stats and stats.commits,
  writes = stats and stats.writes, jobs = opt.jobs, ok = count.ok, failed = count.failed,
  unknown = count.unknown, wall_s = core.now() - begun })
