local lu = require "luaunit"
local simulator = require "lua.simulator"

local T = {}

local with = simulator.with
local KEY = { Authorization = "Bearer tutorial", ["X-Runway-Version"] = false }
local ORDER = { model = "gen4", prompt = "rain", duration = 5, fps = 24,
  generation_options = { motion_physics = "realistic" } }

local function order(more)
  local body = {}
  for k, v in pairs(ORDER) do body[k] = v end
  for k, v in pairs(more) do body[k] = v end
  return body
end

function T.test_a_task_goes_its_way()
  with({}, function(c)
    local r = c:post("/v1/gen4", ORDER, KEY)
    lu.assertEquals(r.status, 200)
    local path = "/v1/gen4/tasks/" .. r.json.id
    lu.assertEquals(c:get(path, KEY).json.status, "PENDING")
    c:advance(35)
    local t = c:get(path, KEY).json
    lu.assertEquals(t.status, "RUNNING")
    lu.assertTrue(math.type(t.progress) == "integer" and t.progress > 30 and t.progress < 70)
    c:advance(60)
    t = c:get(path, KEY).json
    lu.assertEquals({ t.status, t.progress, t.credits_used }, { "SUCCEEDED", 100, 60 })
    lu.assertEquals(c:get(t.output.url).status, 200)
    lu.assertEquals(c:get("/v1/tasks/" .. r.json.id).status, 404)
  end)
end

function T.test_failure_has_a_reason()
  with({}, function(c)
    local r = c:post("/v1/gen4", order { prompt = "[[fail:SAFETY.INPUT.TEXT]]" }, KEY)
    c:advance(100)
    local t = c:get("/v1/gen4/tasks/" .. r.json.id, KEY).json
    lu.assertEquals({ t.status, t.failure_reason, t.credits_used },
      { "FAILED", "SAFETY.INPUT.TEXT", 60 })
  end)
end

function T.test_requests_are_checked()
  with({ gen4_key = "tutorial" }, function(c)
    lu.assertEquals(c:post("/v1/gen4", ORDER, { Authorization = false }).status, 401)
    lu.assertEquals(c:post("/v1/gen4", ORDER, { Authorization = "Bearer x" }).status, 401)
    lu.assertEquals(c:post("/v1/gen4", order { duration = 60 }, KEY).status, 400)
    lu.assertEquals(c:post("/v1/gen4", order { fps = 23 }, KEY).status, 400)
    lu.assertEquals(c:post("/v1/gen4", order { visual_references = {
      { image_url = "https://example.com/a.png", type = "hero" } } }, KEY).status, 400)
    lu.assertEquals(c:get("/v1/gen4", KEY).status, 405)
    lu.assertEquals(c:get("/v1/gen4/tasks/nothing", KEY).status, 404)
    lu.assertEquals(c:call("DELETE", "/v1/gen4/tasks/nothing", nil, KEY).status, 405)
    lu.assertEquals(c:get("/v1/gen4/other", KEY).status, 404)
  end)
end

return T
