--- rushes in the benchmark: takes through rt.net, or what an option asks for.
--- Options and the line that it ends with: docs/internals/bench.md.
local json = require "rt.json"
local net = require "rt.net"
local task = require "rt.task"
local core = require "rt.c.core"

local opt = { jobs = 1000, ["gen-ms"] = 500, ["every-ms"] = 500, slots = 16,
  ["dl-slots"] = 16, window = 0, ["for-ms"] = 0 }
local flags = { ["fetch-only"] = true, ["poll-only"] = true, ["no-sha256"] = true }
do
  local i = 1
  while arg[i] do
    local name = arg[i]:match "^%-%-(.+)$" or error("no option: " .. arg[i])
    if flags[name] then
      opt[name] = true
    else
      i = i + 1
      opt[name] = tonumber(arg[i]) or arg[i]
    end
    i = i + 1
  end
end

local origin = opt.base:match "^%w+://[^/]+"
local secret = assert(net.secret { env = "RUNWAYML_API_SECRET", origins = { origin } })
local client = assert(net.client { base = opt.base, secret = secret, slots = opt.slots,
  headers = { ["X-Runway-Version"] = "2024-11-06", Accept = "application/json" } })
local fetcher = assert(net.client { downloads = opt["dl-slots"] })

local count = { ok = 0, failed = 0, unknown = 0 }
local gen, every = opt["gen-ms"] / 1000, opt["every-ms"] / 1000

local PROMPT = "take %d: the heroine walks through the lobby of the old hotel, late sun " ..
  "through tall windows, dust in the light, slow dolly in, 35mm lens, warm grade, she stops " ..
  "at the desk and looks over her shoulder, shallow depth of field, natural motion, no text, " ..
  "no logos"

local function submit(i)
  local resp, e = net.submit(client, { method = "POST", path = "/v1/text_to_video",
    json = { model = "gen4.5", promptText = PROMPT:format(i), ratio = "1280:720",
      duration = 5, seed = i } })
  if not resp then
    count[e.sent and "unknown" or "failed"] = count[e.sent and "unknown" or "failed"] + 1
    return nil
  end
  return resp.json.id
end

local function fetch(i, url)
  local file, e = net.download(fetcher, url, ("%s/%d.mp4"):format(opt.out, i),
    { sha256 = not opt["no-sha256"] })
  if file then
    count.ok = count.ok + 1
  else
    io.stderr:write(tostring(e), "\n")
    count.failed = count.failed + 1
  end
end

--- What waits: shallow, so that its coroutine stays small.
local function follow(i, id)
  local resp = net.poll(client, { path = "/v1/tasks/" .. id }, { first = gen, every = every })
  while resp and resp.status == 200 and not resp.json.output do
    resp = net.poll(client, { path = "/v1/tasks/" .. id }, { every = every, seen = resp.digest })
  end
  if resp and resp.status == 200 then
    return fetch(i, resp.json.output[1]) -- a tail call: the answer is not kept meanwhile
  end
  count.failed = count.failed + 1
end

--- Run fn(i) for every job, `at_once` at a time.
local function run_all(at_once, fn)
  local next_job = 0
  task.scope(function(s)
    for _ = 1, math.min(at_once, opt.jobs) do
      s:spawn(function()
        while next_job < opt.jobs do
          next_job = next_job + 1
          fn(next_job)
        end
      end)
    end
  end)
end

--- A few tasks submit, as an account's lanes let them; each take then waits in a task
--- of its own.
local function takes()
  local window = task.semaphore(opt.window > 0 and opt.window or opt.jobs)
  local function ended(i, id)
    follow(i, id)
    window:release()
  end
  task.scope(function(s)
    run_all(2 * opt.slots, function(i)
      window:acquire()
      local id = submit(i)
      if id then s:spawn(ended, i, id) else window:release() end
    end)
  end)
end

local function fetch_only(i) fetch(i, ("%s/out/%d.mp4"):format(opt.base, i - 1)) end

--- How long the loop was away from a heartbeat at most, in milliseconds.
local gap = 0
local function heartbeat()
  local last = core.now()
  while true do
    task.sleep(0.002)
    local now = core.now()
    gap = math.max(gap, (now - last - 0.002) * 1000)
    last = now
  end
end

local begun = core.now()

local function report(line)
  local stats = net.stats()
  line.client, line.jobs = "rushes", opt.jobs
  line.ok, line.failed, line.unknown = count.ok, count.failed, count.unknown
  line.wall_s, line.gap_ms = core.now() - begun, gap
  line.requests = stats.submits + stats.polls + stats.downloads
  line.connections = stats.connections
  print(json.encode(line))
end

local asleep = 0 -- takes whose first answer was seen

--- Waits for ever: the first answer is news, after it nothing changes and no Lua runs.
--- It keeps the digest of an answer, not the answer.
local function wait(id)
  local seen = net.poll(client, { path = "/v1/tasks/" .. id },
    { first = gen, every = every }).digest
  asleep = asleep + 1
  while true do
    seen = net.poll(client, { path = "/v1/tasks/" .. id }, { every = every, seen = seen }).digest
  end
end

local function poll_only()
  task.scope(function(s)
    run_all(2 * opt.slots, function(i) s:spawn(wait, submit(i)) end)
    while asleep < opt.jobs do task.sleep(0.1) end
    local cpu, polls = os.clock(), net.stats().polls
    task.sleep(opt["for-ms"] / 1000)
    local seen = net.stats().polls - polls
    report { polls = seen, cpu_us_per_poll = (os.clock() - cpu) / seen * 1e6 }
    io.stdout:flush()
    os.execute "kill -9 $PPID" -- an orderly end would wake all that waits
  end)
end

task.scope(function(s)
  if opt["fetch-only"] then s:spawn(heartbeat) end
  if opt["poll-only"] then
    poll_only()
  elseif opt["fetch-only"] then
    run_all(2 * opt["dl-slots"], fetch_only)
  else
    takes()
  end
  s:cancel()
end)
report {}
