--- The simulator's failures as a client sees them.
local hash = require "rt.hash"
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
  with({ tier = 5 }, function(c)
    lu.assertEquals(buy(c, "[[reset_after_create]]").code, 56)
    lu.assertEquals(buy(c, "[[close_after_create]]").code, 52)
    lu.assertEquals(buy(c, "[[504]]").status, 504)
    lu.assertEquals(buy(c, "[[500]]").status, 500)
    local r = buy(c, "[[truncated_answer:5]]")
    lu.assertEquals({ r.code, r.status, #r.text }, { 18, 200, 5 })
    r = buy(c, "[[no_id]]")
    lu.assertEquals({ r.status, r.json }, { 200, { estimatedCost = { credits = 60 } } })
    r = buy(c, "[[html_ok]]")
    lu.assertEquals({ r.status, r.text:sub(1, 6) }, { 200, "<html>" })
    lu.assertEquals(c.sim.bill.created, 7)
    c:advance(300)
    lu.assertEquals(c.sim.bill:show().total.charged, 420)
    lu.assertEquals(#c:get "/_sim/tasks".json.tasks, 7)
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
  with({ faults = "poll_5xx:x1,poll_html:x2,poll_reset:x3,poll_truncated:9:@5" }, function(c)
    local id = c:create()
    local seen = {}
    for i = 1, 4 do
      local r = c:get("/v1/tasks/" .. id)
      seen[i] = r.code == 56 and "reset" or r.text:find "<html>" and "html" or r.status
    end
    lu.assertEquals(seen, { "reset", "reset", "reset", 200 })
    local r = c:get("/v1/tasks/" .. id)
    lu.assertEquals({ r.code, r.status, #r.text }, { 18, 200, 9 })
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

function T.test_tasks_are_told_with_names_credits_and_hashes()
  with({}, function(c)
    local names = { ["X-Rushes-Show"] = "night", ["X-Rushes-Shot"] = "roof", ["X-Rushes-Take"] = "t002" }
    local first = c:post("/v1/text_to_video", order "rain", names).json.id
    local second = buy(c, "rain [[fail:INTERNAL]]").json.id
    local function tasks() return c:get "/_sim/tasks".json.tasks end
    lu.assertEquals({ tasks()[1].credits, tasks()[1].sha256 }, { 60 })
    c:advance(100)
    local bytes = c:get(c:task(first).output[1]).text
    local list = tasks()
    local row = list[1]
    lu.assertEquals({ row.id, row.model, row.endpoint, row.state, row.show, row.shot, row.take,
      row.credits }, { first, "gen4.5", "text_to_video", "SUCCEEDED", "night", "roof", "t002", 60 })
    lu.assertEquals(row.sha256, { hash.sha256(bytes) })
    row = list[2]
    lu.assertEquals({ row.id, row.state, row.failureCode, row.credits, row.sha256 },
      { second, "FAILED", "INTERNAL", 0 })
  end)
end

function T.test_a_budget_and_another_user_are_set_from_outside()
  with({ budget = 1000 }, function(c)
    buy(c, "rain")
    lu.assertEquals(c:get "/_sim/bill".json.budget, { credits = 1000, peak = 60, overruns = 0 })
    lu.assertEquals(c:post("/_sim/budget", { credits = 100 }).json.budget.credits, 100)
    buy(c, "rain")
    lu.assertEquals(c:get "/_sim/bill".json.budget, { credits = 100, peak = 120, overruns = 1 })
    lu.assertEquals(c:post("/_sim/budget", { credits = "much" }).status, 400)
    lu.assertEquals(c:call("POST", "/_sim/reset").status, 204)
    lu.assertEquals(c:get "/_sim/bill".json.budget, { credits = 1000, peak = 0, overruns = 0 })
    lu.assertEquals(c:post("/_sim/others", { running = 1 }).status, 400)
    local r = c:post("/_sim/others", { model = "gen4.5", running = 99, made = 7, credits = 50 })
    lu.assertEquals(r.json.lanes["gen4.5"], { running = 0, waiting = 0, others = 99 })
    local id = buy(c, "rain").json.id
    c:advance(10)
    lu.assertEquals(c:task(id).status, "THROTTLED")
    local org = c:get "/v1/organization".json
    lu.assertEquals({ org.creditBalance, org.usage.models["gen4.5"].dailyGenerations },
      { 100000 - 50 - 60, 8 })
    c:post("/_sim/others", { model = "gen4.5", running = 0 })
    c:advance(10)
    lu.assertEquals(c:task(id).status, "RUNNING")
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
