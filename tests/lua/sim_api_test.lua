local lu = require "luaunit"
local net = require "rt.net"
local simulator = require "lua.simulator"

local T = {}

local with = simulator.with
local PICTURE = "data:image/png;base64," .. [[
iVBORw0KGgoAAAANSUhEUgAAAEAAAAAkCAIAAAC2bqvFAAAACXBIWXMAAAABAAAAAQBPJcTWAAAAU0lEQVR4nO
3PUQkAIBTAwNfJKnaxviH8OITBAtxm7fN1wwUNaEEDWtCAFjSgBQ1oQQNa0IAWNKAFDWhBA1rQgBY0oAUNaEED
WtCAFjSgBQ1owWMXjRLueRIFBTMAAAAASUVORK5CYII=]]
PICTURE = PICTURE:gsub("%s", "")

local MOTION = { model = "gen4.5", promptText = "she turns", ratio = "1280:720",
  duration = 5, promptImage = PICTURE }

local function motion(more)
  local body = {}
  for k, v in pairs(MOTION) do body[k] = v end
  for k, v in pairs(more) do body[k] = v end
  return body
end

function T.test_key_and_version_come_first()
  with({}, function(c)
    for _, header in ipairs { false, "Bearer nonsense", "Bearer key_12",
      "Basic " .. simulator.key } do
      lu.assertEquals(c:get("/v1/organization", { Authorization = header }).status, 401)
    end
    local r = c:get("/v1/organization", { ["X-Runway-Version"] = false })
    lu.assertEquals({ r.status, r.json.docUrl }, { 400, "https://docs.dev.runwayml.com/api" })
    lu.assertEquals(c:get("/v1/organization", { ["X-Runway-Version"] = "2023-01-01" }).status,
      400)
    lu.assertEquals(c:get("/v1/organization").status, 200)
  end)
  with({ key = "key_" .. ("f"):rep(128) }, function(c)
    lu.assertEquals(c:get("/v1/organization").status, 401)
  end)
end

function T.test_every_answer_says_how_fast_the_clock_runs()
  with({ speed = 40 }, function(c)
    local client = assert(net.client { base = c.sim.url })
    for _, path in ipairs { "/v1/organization", "/v1/nothing", "/v1/gen4" } do
      lu.assertEquals(assert(net.submit(client, { path = path })).headers["x-sim-speed"], "40")
    end
  end)
end

function T.test_paths_and_methods()
  with({}, function(c)
    lu.assertEquals(c:get("/v1/nothing").status, 404)
    lu.assertEquals(c:get("/elsewhere").status, 404)
    lu.assertEquals(c:get("/v1/image_to_video").status, 405)
    lu.assertEquals(c:call("PUT", "/v1/tasks/" .. "00000000-0000-4000-8000-000000000000").status,
      405)
    lu.assertEquals(c:get "/v1/tasks/00000000-0000-4000-8000-000000000000".json,
      { error = "Could not find Task" })
    lu.assertEquals(c:get("/v1/tasks/nonsense").status, 400)
    lu.assertEquals(c:call("DELETE", "/v1/tasks/00000000-0000-4000-8000-000000000000").status,
      404)
  end)
end

function T.test_a_bad_body_gets_the_issues()
  with({}, function(c)
    local r = c:post("/v1/image_to_video", motion { ratio = "16:9", duration = 11 })
    lu.assertEquals(r.status, 400)
    lu.assertEquals(r.json.error, "Validation of body failed")
    local paths = {}
    for i, issue in ipairs(r.json.issues) do
      paths[i] = issue.path[1]
      lu.assertNil(issue.sentence)
    end
    table.sort(paths)
    lu.assertEquals(paths, { "duration", "ratio" })
    lu.assertEquals(c:post("/v1/image_to_video", "{").status, 400)
    lu.assertEquals(c:post("/v1/image_to_video", {}).json.issues[1].path, { "model" })
    lu.assertEquals(c.sim.bill.created, 0)
  end)
end

function T.test_a_task_goes_its_way()
  with({}, function(c)
    local r = c:post("/v1/image_to_video", MOTION)
    lu.assertEquals(r.json.estimatedCost, { credits = 60 })
    local id = r.json.id
    lu.assertStrMatches(id, "%x+%-%x+%-4%x+%-[89ab]%x+%-%x+")
    local t = c:task(id)
    lu.assertEquals({ t.status, t.progress, t.cost }, { "PENDING" })
    lu.assertEquals(t.estimatedCost, { credits = 60 })
    lu.assertStrMatches(t.createdAt, "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ")
    c:advance(3)
    t = c:task(id)
    lu.assertEquals({ t.status, t.progress }, { "RUNNING", 0 })
    c:advance(30)
    t = c:task(id)
    lu.assertTrue(t.progress > 0.3 and t.progress < 0.6, t.progress)
    c:advance(60)
    t = c:task(id)
    lu.assertEquals({ t.status, t.cost.credits, #t.output }, { "SUCCEEDED", 60, 1 })
    lu.assertNil(t.estimatedCost)
    lu.assertNil(t.progress)
    lu.assertEquals(c.sim.bill:show().total, { created = 1, succeeded = 1, failed = 0,
      cancelled = 0, reserved = 0, charged = 60, refunded = 0 })
  end)
end

function T.test_progress_moves_every_five_seconds_and_never_back()
  with({}, function(c)
    local id = c:create()
    c:advance(2)
    local last, changes = 0, 0
    for _ = 1, 50 do
      c:advance(1)
      local p = c.sim.tasks:progress(c.sim.tasks:find(id))
      lu.assertTrue(p >= last and p < 1)
      if p ~= last then changes = changes + 1 end
      last = p
    end
    lu.assertEquals(changes, 10)
  end)
end

function T.test_lanes_throttle_in_order()
  with({ tier = 1 }, function(c)
    local ids = {}
    for i = 1, 3 do ids[i] = c.sim.tasks:find(c:create()) end
    local function states()
      local out = {}
      for i, t in ipairs(ids) do out[i] = t.state end
      return table.concat(out, " ")
    end
    lu.assertEquals(states(), "PENDING THROTTLED THROTTLED")
    c:advance(80)
    lu.assertEquals(states(), "SUCCEEDED PENDING THROTTLED")
    lu.assertEquals(c:call("DELETE", "/v1/tasks/" .. ids[2].id).status, 204)
    lu.assertEquals(states(), "SUCCEEDED CANCELLED PENDING")
    lu.assertEquals(c:task(c:create { model = "veo3.1", duration = 8 }).status, "PENDING")
  end)
end

function T.test_delete_ends_and_deletes()
  with({}, function(c)
    local waiting, running = c:create(), c:create()
    lu.assertEquals(c:call("DELETE", "/v1/tasks/" .. waiting).status, 204)
    lu.assertEquals(c:get("/v1/tasks/" .. waiting).status, 404)
    lu.assertEquals(c:call("DELETE", "/v1/tasks/" .. waiting).status, 404)
    c:advance(100)
    local over = c:task(running)
    lu.assertEquals(over.status, "SUCCEEDED")
    lu.assertEquals(c:get(over.output[1]).status, 200)
    lu.assertEquals(c:call("DELETE", "/v1/tasks/" .. running).status, 204)
    lu.assertEquals(c:get(over.output[1]).status, 404)
    local line = c.sim.bill:show().models["gen4.5"]
    lu.assertEquals({ line.cancelled, line.refunded, line.charged }, { 1, 60, 60 })
  end)
end

function T.test_a_cancelled_task_may_linger()
  with({ linger = 30 }, function(c)
    local id = c:create()
    c:call("DELETE", "/v1/tasks/" .. id)
    local t = c:task(id)
    lu.assertEquals({ t.status, t.cost.credits }, { "CANCELLED", 0 })
    c:advance(31)
    lu.assertEquals(c:get("/v1/tasks/" .. id).status, 404)
  end)
end

function T.test_outputs_are_signed_expire_and_renew()
  with({}, function(c)
    local id = c:create()
    c:advance(100)
    local first = c:task(id).output[1]
    lu.assertNotEquals(c:task(id).output[1], first)
    local r = c:get(first, { Authorization = false })
    lu.assertEquals(r.status, 200)
    lu.assertStrContains(r.text:sub(1, 12), "ftyp")
    lu.assertEquals(c:get((first:gsub("_jwt=.*", ""))).status, 403)
    lu.assertEquals(c:get(first .. "0").status, 403)
    lu.assertEquals(c:get((first:gsub("/1%.", "/2."))).status, 404)
    lu.assertEquals(c:post(first, "x").status, 405)
    local part = c:get(first, { Range = "bytes=4-7" })
    lu.assertEquals({ part.status, part.text }, { 206, "ftyp" })
    c:advance(23 * 3600)
    lu.assertEquals(c:get(first).status, 200)
    c:advance(25 * 3600)
    lu.assertEquals(c:get(first).status, 403)
    lu.assertEquals(c:get(c:task(id).output[1]).status, 200)
  end)
end

function T.test_money_runs_out()
  with({ credits = 100 }, function(c)
    c:create()
    local r = c:post("/v1/image_to_video", MOTION)
    lu.assertEquals({ r.status, r.json.error },
      { 400, "You do not have enough credits to run this task." })
    lu.assertEquals(c:get "/v1/organization".json.creditBalance, 40)
  end)
end

function T.test_the_day_has_a_cap()
  with({ tier = 1 }, function(c)
    for _ = 1, 50 do c.sim.bill:open(c.sim.clock:now(), "gen4.5", 0) end
    local r = c:post("/v1/image_to_video", MOTION)
    lu.assertEquals({ r.status, r.json.error },
      { 429, "Your daily task limit has been reached." })
    local org = c:get "/v1/organization".json
    lu.assertEquals(org.usage.models["gen4.5"].dailyGenerations, 50)
    lu.assertEquals(org.tier.models["gen4.5"], { maxConcurrentGenerations = 1,
      maxDailyGenerations = 50 })
    c:advance(86401)
    lu.assertEquals(c:post("/v1/image_to_video", MOTION).status, 200)
  end)
end

function T.test_usage_by_day()
  with({}, function(c)
    c:create()
    c:create { promptText = "x [[fail:INTERNAL]]" }
    c:advance(100)
    local r = c:post("/v1/organization/usage", {})
    lu.assertEquals(r.json.models, { "gen4.5" })
    lu.assertEquals(r.json.results[1].usedCredits, { { model = "gen4.5", amount = 60 } })
    lu.assertEquals(c:post("/v1/organization/usage", { startDate = "2020-13-01" }).status, 400)
    lu.assertEquals(c:post("/v1/organization/usage", { startDate = "2020-01-01" }).status, 400)
  end)
end

function T.test_pictures_are_looked_at()
  with({}, function(c)
    local function why(uri)
      local r = c:post("/v1/image_to_video", motion { promptImage = uri })
      if r.status == 200 then return "taken" end
      lu.assertEquals(r.json.issues[1].path, { "promptImage" })
      return r.json.issues[1].message
    end
    lu.assertEquals(why(PICTURE), "taken")
    lu.assertEquals(why "https://example.com/hero.png", "taken")
    lu.assertStrContains(why "data:image/png;base64,AAAAAAAAAAAA", "not a supported file")
    lu.assertStrContains(why "data:image/png;base64,?????????????", "base64")
    lu.assertStrContains(why "data:image/gif;base64,R0lGODlhAQABAAAA", "Unsupported media type")
    lu.assertStrContains(why "runway://00000000-0000-4000-8000-000000000000", "unknown upload")
    local tall = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR" .. (">I4I4"):pack(300, 700) .. "\8\2\0\0\0"
    local hash = require "rt.hash"
    lu.assertEquals(why("data:image/png;base64," .. hash.base64(tall)),
      "Invalid asset aspect ratio. width / height ratio must be at least 0.5. Got 0.429.")
  end)
end

function T.test_an_output_can_be_the_next_input()
  with({}, function(c)
    local still = c:create({ model = "gen4_image", duration = false }, "text_to_image")
    c:advance(60)
    local url = c:task(still).output[1]
    lu.assertStrContains(url, "/1.png?")
    lu.assertEquals(c:post("/v1/image_to_video", motion { promptImage = url }).status, 200)
    local r = c:post("/v1/image_to_video", motion { promptImage = url .. "0" })
    lu.assertEquals(r.status, 400)
    lu.assertStrContains(r.json.issues[1].message, "not valid any more")
  end)
end

return T
