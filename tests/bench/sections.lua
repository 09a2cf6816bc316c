--- What is measured. Each section prints its table and its verdicts.
local clients = require "clients"
local rig = require "rig"

local M = {
  order = { "takes", "journal", "flat", "waiting", "downloads", "lost", "latency", "tls", "startup" },
}

--- One item of a round: a client with these options against such a server.
local function item(client, key, args, opts)
  return {
    client = client, key = key, rounds = opts.rounds,
    run = function() return rig.run(client, args, opts) end,
  }
end

local function per_take(run) return run.jobs and run.cpu_s / run.jobs * 1e6 end
local function per_request(run) return run.requests and run.cpu_s / run.requests * 1e6 end

--- The client's own count; behind a proxy the server sees the proxy's. One is ours.
local function connections(run) return run.connections or run.stats.connections - 1 end

local function cell(v, format) return v and format:format(v) or "-" end

--- The table of a section about takes.
local function show(runs, rows)
  rig.say("  %-24s %5s %9s %12s %12s %9s %8s %7s", "client", "runs", "wall s", "CPU us/take",
    "us/request", "peak MB", "conns", "failed")
  for _, row in ipairs(rows) do
    local key, name = row[1], row[2]
    local list = runs[key]
    if list then
      rig.say("  %-24s %5d %9s %12s %12s %9s %8s %7s", name, #list,
        cell(rig.median(list, "wall_s"), "%.2f"), cell(rig.median(list, per_take), "%.1f"),
        cell(rig.median(list, per_request), "%.1f"),
        cell(rig.median(list, "peak_rss_mb"), "%.1f"),
        cell(rig.median(list, connections), "%.0f"),
        cell(rig.median(list, "failed"), "%.0f"))
      local last = list[#list]
      if last.exit ~= 0 then
        rig.say("    exit %d: %s", last.exit, last.complaint)
      end
    end
  end
end

--- 10,000 takes: submit, one poll, 64 KB; beside the floor and the SDK.
function M.takes(build)
  local c = clients.list(build)
  local n = "10000"
  local opts = { server = { "--gen-ms", "500", "--size", "65536" } }
  local once = { server = opts.server, rounds = 1 }
  local args = { "--jobs", n, "--gen-ms", "500" }
  rig.ballast(1000)
  local runs = rig.rounds_of {
    item(c.floor, "floor", args, opts), item(c.rushes_plain, "plain", args, opts),
    item(c.floor_full, "full", args, opts), item(c.rushes, "rushes", args, opts),
    item(c.rushes_jobs, "jobs", args, opts),
    item(c.sdk_best, "best", args, once), item(c.sdk_shipped, "shipped", args, once),
  }
  show(runs, { { "floor", c.floor.name }, { "plain", c.rushes_plain.name },
    { "full", c.floor_full.name }, { "rushes", c.rushes.name },
    { "jobs", c.rushes_jobs.name }, { "best", c.sdk_best.name },
    { "shipped", c.sdk_shipped.name } })
  local function cpu(key) return rig.median(runs[key], per_take) end
  local function mb(key) return rig.median(runs[key], "peak_rss_mb") end
  rig.verdict("takes: CPU, rushes without hash / floor",
    rig.ratio(cpu "plain", cpu "floor"), "<=", 1.3)
  rig.verdict("takes: CPU, rushes / floor that hashes and syncs too",
    rig.ratio(cpu "rushes", cpu "full"), "<=", 1.3)
  rig.verdict("takes: CPU, provider jobs / floor that hashes and syncs too",
    rig.ratio(cpu "jobs", cpu "full"), "<=", 1.3)
  rig.verdict("takes: peak MB of rushes", mb "rushes", "<=", 60)
  -- like with like first: the SDK neither hashes nor syncs
  rig.verdict("takes: CPU, SDK with own poll / rushes without hash",
    rig.ratio(cpu "best", cpu "plain"), ">=", 9)
  rig.verdict("takes: CPU, SDK with own poll / rushes",
    rig.ratio(cpu "best", cpu "rushes"), ">=", 9)
  rig.verdict("takes: memory, SDK with own poll / rushes",
    rig.ratio(mb "best", mb "rushes"), ">=", 4)
  rig.verdict("takes: CPU, SDK as shipped / rushes without hash",
    rig.ratio(cpu "shipped", cpu "plain"), ">=", 12)
  rig.verdict("takes: CPU, SDK as shipped / rushes",
    rig.ratio(cpu "shipped", cpu "rushes"), ">=", 12)
end

--- Does a take cost the same among 1,000 and among 100,000?
function M.flat(build)
  local c = clients.list(build)
  local opts = { server = { "--gen-ms", "500", "--size", "4096" } }
  local items, rows = {}, {}
  for _, n in ipairs { "1000", "10000", "100000" } do
    local args = { "--jobs", n, "--gen-ms", "500", "--window", "10000" }
    for _, who in ipairs { "floor", "rushes" } do
      local key = who .. n
      table.insert(items, item(c[who], key, args, opts))
      table.insert(rows, { key, who .. ", " .. n })
    end
  end
  rig.ballast(1000)
  local runs = rig.rounds_of(items)
  show(runs, rows)
  local small = rig.median(runs.rushes1000, per_take)
  local big = rig.median(runs.rushes100000, per_take)
  local middle = rig.median(runs.rushes10000, per_take)
  rig.verdict("flat: CPU per take, 100,000 / 1,000", rig.ratio(big, small), "<=", 1.2)
  rig.verdict("flat: CPU per take, 100,000 / 10,000", rig.ratio(big, middle), "<=", 1.2)
  rig.verdict("flat: peak MB with 100,000 takes",
    rig.median(runs.rushes100000, "peak_rss_mb"), "<=", 80)
end

--- 100,000 takes that only wait: bytes of each and CPU of a poll.
function M.waiting(build)
  local c = clients.list(build)
  local opts = { server = { "--hold", "--steady" } }
  local function args(n)
    return { "--jobs", n, "--poll-only", "--gen-ms", "5000", "--every-ms", "5000",
      "--for-ms", "15000" }
  end
  local items = {}
  for _, who in ipairs { "floor", "rushes" } do
    table.insert(items, item(c[who], who, args "100000", opts))
    table.insert(items, item(c[who], who .. "_few", args "1000",
      { server = opts.server, rounds = 1 }))
  end
  local runs = rig.rounds_of(items)
  local function each(who)
    local many = rig.median(runs[who], "peak_rss_mb")
    local few = rig.median(runs[who .. "_few"], "peak_rss_mb")
    return many and few and (many - few) * 1048576 / 99000
  end
  rig.say("  %-24s %14s %14s %12s %9s", "client", "bytes/waiting", "CPU us/poll", "polls",
    "peak MB")
  for _, who in ipairs { "floor", "rushes" } do
    rig.say("  %-24s %14s %14s %12s %9s", who, cell(each(who), "%.0f"),
      cell(rig.median(runs[who], "cpu_us_per_poll"), "%.1f"),
      cell(rig.median(runs[who], "polls"), "%.0f"),
      cell(rig.median(runs[who], "peak_rss_mb"), "%.1f"))
  end
  rig.verdict("waiting: bytes of each of 100,000", each "rushes", "<=", 2048)
  rig.verdict("waiting: CPU per poll, rushes / floor", rig.ratio(
    rig.median(runs.rushes, "cpu_us_per_poll"), rig.median(runs.floor, "cpu_us_per_poll")),
    "<=", 1.1)
end

local FILES, SIZE = 200, 20000000

--- curl's own parallel downloads of the same files, bodies only.
local function curl_item(rounds)
  local client = { name = "curl --parallel", argv = {}, needs = {} }
  local function run()
    local server = rig.server { "--size", tostring(SIZE) }
    local path = rig.tmp() .. "/curl.conf"
    local f = assert(io.open(path, "w"))
    for i = 0, FILES - 1 do
      f:write(('url = "%s/out/%d.mp4"\noutput = "%s/%d.mp4"\n'):format(server.base, i,
        rig.out(), i))
    end
    f:close()
    local r = rig.measure { "curl", "-s", "--parallel", "--parallel-max", "8", "-K", path }
    r.stats = server.stats()
    server.stop()
    return r
  end
  return { client = client, key = "curl", rounds = rounds, run = run }
end

local function raw_item(build, key, extra)
  local tool = build .. "/bench/rawget"
  local function run()
    local server = rig.server { "--size", tostring(SIZE) }
    local r = rig.measure { tool, "--port", server.port, "--out", rig.out(), "--files",
      FILES, "--at-once", "8", extra }
    r.stats = server.stats()
    server.stop()
    return r
  end
  return { client = { name = key, argv = {}, needs = { tool } }, key = key, run = run }
end

local function mb_per_cpu_s(run)
  return run.stats.bytes / 1e6 / run.cpu_s
end

--- 200 x 20 MB: what a CPU second moves, and how long the API loop waits.
function M.downloads(build)
  local c = clients.list(build)
  local opts = { server = { "--size", tostring(SIZE) } }
  local free = { server = opts.server, unpinned = true }
  local args = { "--jobs", tostring(FILES), "--fetch-only", "--dl-slots", "8" }
  rig.ballast(6000)
  local runs = rig.rounds_of {
    raw_item(build, "rawget"), item(c.rushes_plain, "rushes, no hash", args, opts),
    curl_item(), item(c.floor, "floor", args, opts),
    raw_item(build, "rawget, hash", "--sha256"), item(c.rushes, "rushes", args, opts),
    item(c.floor_full, "full", args, opts),
    item(c.rushes, "rushes, 2 cores", args, free),
    item(c.floor_thread, "floor, 2 cores", args, free),
  }
  rig.say("  %-24s %5s %9s %12s %9s %10s", "client", "runs", "wall s", "MB/CPU-s", "peak MB",
    "gap ms")
  for _, key in ipairs { "rawget", "curl", "floor", "rushes, no hash", "rawget, hash",
    "full", "rushes", "floor, 2 cores", "rushes, 2 cores" } do
    local list = runs[key]
    if list then
      rig.say("  %-24s %5d %9s %12s %9s %10s", key == "full" and c.floor_full.name or key,
        #list, cell(rig.median(list, "wall_s"), "%.2f"),
        cell(rig.median(list, mb_per_cpu_s), "%.0f"),
        cell(rig.median(list, "peak_rss_mb"), "%.1f"),
        cell(rig.median(list, "gap_ms"), "%.1f"))
    end
  end
  local function rate(key) return rig.median(runs[key], mb_per_cpu_s) end
  -- like with like: curl and the plain rawget do not hash
  rig.verdict("downloads: MB/CPU-s, rushes without hash / raw recv+write",
    rig.ratio(rate "rushes, no hash", rate "rawget"), ">=", 0.95)
  rig.verdict("downloads: MB/CPU-s, rushes / raw recv+write+hash",
    rig.ratio(rate "rushes", rate "rawget, hash"), ">=", 0.95)
  rig.verdict("downloads: MB/CPU-s, rushes without hash / curl --parallel",
    rig.ratio(rate "rushes, no hash", rate "curl"), ">=", 1.2)
  rig.verdict("downloads: longest gap of the API loop, ms, 2 cores",
    rig.median(runs["rushes, 2 cores"], "gap_ms"), "<=", 30)
end

--- 10 % of the submit answers are lost after the task was created.
function M.lost(build)
  local c = clients.list(build)
  for _, how in ipairs { "close", "reset" } do
    local opts = { server = { "--gen-ms", "200", "--size", "4096", "--lose-" .. how, "10" } }
    local args = { "--jobs", "10000", "--gen-ms", "200" }
    rig.say("  lost by a %s: %-10s %8s %8s %10s %8s", how, "", "tasks", "lost", "duplicates",
      "unknown")
    for _, who in ipairs { "floor", "rushes", "sdk_best" } do
      local mine = who == "sdk_best" and { "--jobs", "1000", "--gen-ms", "200" } or args
      if rig.present(c[who]) then
        local r = rig.run(c[who], mine, opts)
        rig.say("  %-28s %8d %8d %10d %8s", c[who].name, r.stats.tasks, r.stats.lost,
          r.stats.duplicates, cell(r.unknown, "%d"))
        if who == "rushes" then
          rig.verdict("lost by a " .. how .. ": duplicate tasks in 10,000",
            r.stats.duplicates, "<=", 0)
          rig.verdict("lost by a " .. how .. ": losses not reported as unknown",
            r.unknown and math.abs(r.stats.lost - r.unknown), "<=", 0)
        end
      end
    end
  end
end

--- What the journal adds to 10,000 calls through rushes.provider.
function M.journal(build)
  local c = clients.list(build)
  local opts = { server = { "--gen-ms", "500", "--size", "65536" } }
  local args = { "--jobs", "10000", "--gen-ms", "500" }
  rig.ballast(1000)
  local runs = rig.rounds_of { item(c.rushes_jobs, "jobs", args, opts),
    item(c.rushes_journal, "journal", args, opts) }
  show(runs, { { "jobs", c.rushes_jobs.name }, { "journal", c.rushes_journal.name } })
  local function per_commit(run) return run.writes and run.writes / run.commits end
  rig.say("  %s durable writes in %s commits (one fsync each)",
    cell(rig.median(runs.journal, "writes"), "%.0f"),
    cell(rig.median(runs.journal, "commits"), "%.0f"))
  rig.verdict("journal: CPU per take, with a journal / without", rig.ratio(
    rig.median(runs.journal, per_take), rig.median(runs.jobs, per_take)), "<=", 1.25)
  rig.verdict("journal: writes that share one fsync", rig.median(runs.journal, per_commit),
    ">=", 2)
end

--- 50 ms before each answer, 256 in flight.
function M.latency(build)
  local c = clients.list(build)
  local opts = { server = { "--latency-ms", "50", "--gen-ms", "500" } }
  local args = { "--jobs", "10000", "--gen-ms", "500", "--slots", "256", "--dl-slots", "256" }
  rig.ballast(1000)
  local runs = rig.rounds_of { item(c.floor, "floor", args, opts),
    item(c.rushes_plain, "plain", args, opts), item(c.floor_full, "full", args, opts),
    item(c.rushes, "rushes", args, opts) }
  show(runs, { { "floor", c.floor.name }, { "plain", c.rushes_plain.name },
    { "full", c.floor_full.name }, { "rushes", c.rushes.name } })
  local function wall(key) return rig.median(runs[key], "wall_s") end
  rig.verdict("latency: wall, rushes without hash / floor",
    rig.ratio(wall "plain", wall "floor"), "<=", 1.05)
  rig.verdict("latency: wall, rushes / floor that hashes and syncs too",
    rig.ratio(wall "rushes", wall "full"), "<=", 1.05)
end

--- Over TLS 1.3, nginx at the other end.
function M.tls(build)
  local c = clients.list(build)
  if not rig.have "nginx" then
    rig.say("  left out: nginx is not installed (Debian: nginx-light)")
    return
  end
  local args = { "--jobs", "5000", "--gen-ms", "500" }
  rig.ballast(1000)
  for _, http in ipairs { "h1", "h2" } do
    local opts = { server = { "--gen-ms", "500", "--size", "4096" }, tls = http }
    local runs = rig.rounds_of { item(c.floor, "floor", args, opts),
      item(c.rushes_plain, "plain", args, opts) }
    show(runs, { { "floor", "floor, TLS " .. http },
      { "plain", "rushes, no hash, TLS " .. http } })
    rig.verdict("TLS " .. http .. ": CPU per request, rushes without hash / floor",
      rig.ratio(rig.median(runs.plain, per_request), rig.median(runs.floor, per_request)),
      "<=", 1.35)
  end
end

--- An empty script, and the size of the binary.
function M.startup(build)
  local empty = rig.tmp() .. "/empty.lua"
  assert(io.open(empty, "w")):close()
  local rushes = build .. "/rushes"
  local lua, ours = {}, {}
  if not rig.present { name = "rushes", needs = { rushes } } then return end
  for _ = 1, 41 do
    table.insert(lua, rig.measure { "lua5.4", "-e", "" })
    local run = rig.measure { rushes, "run", empty }
    assert(run.exit == 0, run.complaint)
    table.insert(ours, run)
  end
  local a, b = rig.median(lua, "wall_s"), rig.median(ours, "wall_s")
  rig.say("  lua5.4 -e '': %.2f ms, rushes run of an empty script: %.2f ms", a * 1e3, b * 1e3)
  rig.verdict("startup: wall, rushes / lua5.4", rig.ratio(b, a), "<=", 3)
  local size = rig.sh(("strip -o %s/stripped %s && wc -c < %s/stripped"):format(rig.tmp(),
    rushes, rig.tmp()))
  rig.verdict("startup: stripped binary, MB", size and tonumber(size) / 1e6, "<=", 2)
end

return M
