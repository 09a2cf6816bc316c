--- The simulator's failures as a client sees them.
local lu = require "luaunit"
local simulator = require "lua.simulator"

local T = {}

local with = simulator.with
local ORDER = { model = "gen4.5", promptText = "rain", ratio = "1280:720", duration = 5 }

local function order(prompt)
  local body = {}
  for k, v in pairs(ORDER) do body[k] = v end
  body.promptText = prompt
  return body
end

local function buy(c, prompt) return c:post("/v1/text_to_video", order(prompt)) end

function T.test_refusals_make_no_task()
  with({}, function(c)
    for mark, status in pairs { ["429"] = 429, daily_cap = 429, html_error = 503,
      ["503"] = 503, ["http:502"] = 502, ["http:418"] = 418 } do
      lu.assertEquals(buy(c, "x [[" .. mark .. "]]").status, status, mark)
    end
    lu.assertEquals(buy(c, "[[daily_cap]]").json.error,
      "Your daily task limit has been reached.")
    lu.assertStrContains(buy(c, "[[html_error]]").text, "<html>")
    lu.assertEquals(c.sim.bill.created, 0)
    lu.assertEquals(c.sim.bill.balance, 100000000)
  end)
end

function T.test_lost_answers_leave_a_task_that_is_billed()
  with({}, function(c)
    lu.assertEquals(buy(c, "[[reset_after_create]]").code, 56)
    lu.assertEquals(buy(c, "[[close_after_create]]").code, 52)
    lu.assertEquals(buy(c, "[[504]]").status, 504)
    lu.assertEquals(buy(c, "[[500]]").status, 500)
    lu.assertEquals(c.sim.bill.created, 4)
    c:advance(100)
    lu.assertEquals(c.sim.bill:show().total.charged, 240)
    lu.assertEquals(#c:get "/_sim/tasks".json.tasks, 4)
  end)
end

function T.test_failures_are_charged_by_class()
  local rows = { ["SAFETY.INPUT.TEXT"] = 60, ["SAFETY.OUTPUT.VIDEO"] = 60,
    ["INPUT_PREPROCESSING.SAFETY.TEXT"] = 60, ["INPUT_PREPROCESSING.INTERNAL"] = 0,
    ["INTERNAL.BAD_OUTPUT.01"] = 0, ["ASSET.INVALID"] = 0, ["THIRD_PARTY.UNAVAILABLE"] = 0,
    INTERNAL = 0, none = 0 }
  with({ tier = 5 }, function(c)
    local ids = {}
    for code in pairs(rows) do ids[code] = buy(c, "x [[fail:" .. code .. "]]").json.id end
    c:advance(10)
    lu.assertEquals(c:task(ids["SAFETY.INPUT.TEXT"]).status, "FAILED")
    lu.assertEquals(c:task(ids.INTERNAL).status, "RUNNING")
    c:advance(100)
    for code, cost in pairs(rows) do
      local t = c:task(ids[code])
      lu.assertEquals({ t.status, t.cost.credits, t.failureCode },
        { "FAILED", cost, code ~= "none" and code or nil })
      lu.assertNotNil(t.failure)
    end
  end)
end

function T.test_a_slow_task_takes_longer()
  with({}, function(c)
    local id = buy(c, "[[slow:200]]").json.id
    c:advance(150)
    lu.assertEquals(c:task(id).status, "RUNNING")
    c:advance(150)
    lu.assertEquals(c:task(id).status, "SUCCEEDED")
  end)
end

function T.test_downloads_go_wrong()
  with({}, function(c)
    local expired = buy(c, "[[expired_url]]").json.id
    local short = buy(c, "[[truncated_body:100]]").json.id
    c:advance(100)
    lu.assertEquals(c:get(c:task(expired).output[1]).status, 403)
    lu.assertEquals(c:get(c:task(expired).output[1]).status, 200)
    local r = c:get(c:task(short).output[1])
    lu.assertEquals({ r.code, r.status, #r.text }, { 18, 200, 100 })
  end)
end

function T.test_polls_go_wrong()
  with({ faults = "poll_5xx:x1,poll_html:x2,poll_reset:x3" }, function(c)
    local id = c:create()
    local seen = {}
    for i = 1, 4 do
      local r = c:get("/v1/tasks/" .. id)
      seen[i] = r.code == 56 and "reset" or r.text:find "<html>" and "html" or r.status
    end
    lu.assertEquals(seen, { "reset", "reset", "reset", 200 })
  end)
end

function T.test_the_control_endpoint_sets_faults_and_the_clock()
  with({}, function(c)
    lu.assertEquals(c:post("/_sim/faults", { faults = "429:5:x1" }).status, 200)
    local r = c:call("POST", "/v1/text_to_video", order "rain", { ["X-Test"] = "1" })
    lu.assertEquals(r.status, 429)
    lu.assertEquals(buy(c, "rain").status, 200)
    r = c:post("/_sim/faults", { faults = "nonsense" })
    lu.assertEquals(r.status, 400)
    lu.assertStrContains(r.json.error, "there is no fault")
    local before = c:get "/_sim/clock".json.now
    r = c:post("/_sim/clock", { advance = 86400, speed = 3 })
    lu.assertEquals(r.json.speed, 3)
    lu.assertNotEquals(r.json.now:sub(1, 10), before:sub(1, 10))
    lu.assertEquals(c:post("/_sim/clock", { advance = -1 }).status, 400)
    lu.assertEquals(c:get "/_sim/bill".json.created, 1)
    lu.assertEquals(c:call("POST", "/_sim/reset").status, 204)
    lu.assertEquals(c:get "/_sim/bill".json.created, 0)
    lu.assertEquals(c:get("/_sim/nothing").status, 404)
    lu.assertEquals(c:get("/_sim").json.simulator, "rushes")
  end)
end

function T.test_a_bad_setting_is_refused_with_a_sentence()
  local sim = require "rushes.sim"
  for field, value in pairs { tier = 9, faults = "nonsense", host = "0.0.0.0" } do
    local ok, e = sim.start { media = false, [field] = value }
    lu.assertNil(ok)
    lu.assertEquals(e.code, "invalid")
  end
  lu.assertErrorMsgContains('sim_faults_test.lua', function()
    return (sim.start { sped = 1 }) -- the position is the caller's
  end)
end

return T
