--- What goes wrong at the provider and on the way: each take says what happened, the
--- others land, and the simulator's bill shows that nothing was bought twice. Every way
--- in which a submission can go wrong: resend_test.
local hash = require "rt.hash"
local httpd = require "rt.httpd"
local json = require "rt.json"
local lu = require "luaunit"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

--- Shoot these prompts at 60 credits each; the lines that the script printed.
local function shoot(s, prompts, code, opts)
  local r = s:run(studio.script(prompts), opts)
  lib.assert_code(r, code)
  local lines = {}
  for line in r.stdout:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines, r.stderr
end

local function landed(n)
  return ("s%d\tlanded\t60\tnight/s%d_t001.mp4"):format(n, n)
end

-- ---- the provider says no ----

function T.test_a_moderated_take_is_not_tried_again_and_the_others_land()
  studio.with({}, function(s)
    local lines, said = shoot(s, { "A", "B [[fail:SAFETY.INPUT.TEXT]]", "C" }, 1)
    lu.assertEquals(lines, { landed(1), "s2\tfailed\t60\tprovider", landed(3) })
    lu.assertStrContains(said, "moderation refused the prompt or a picture; this is charged")
    lu.assertStrContains(said, "(60 credits charged)")
    local bill = s:bill()
    lu.assertEquals({ bill.created, bill.failed, bill.charged }, { 3, 1, 180 })
  end)
end

function T.test_an_internal_failure_costs_nothing()
  studio.with({}, function(s)
    local lines = shoot(s, { "A [[fail:INTERNAL]]", "B" }, 1)
    lu.assertEquals(lines, { "s1\tfailed\t0\tprovider", landed(2) })
    lu.assertEquals(s:bill().charged, 60)
  end)
end

function T.test_a_failure_of_every_take_is_the_providers()
  studio.with({}, function(s)
    shoot(s, { "A [[fail:INTERNAL.BAD_OUTPUT.CODE01]]", "B [[fail:THIRD_PARTY.UNAVAILABLE]]" }, 5)
  end)
end

function T.test_an_account_that_may_not_use_a_model_is_said_in_words()
  studio.with({ tier = 1 }, function(s)
    local limits = s.sim.limits
    function s.sim.limits(...)
      return setmetatable({ daily = 0 }, { __index = limits(...) })
    end
    local _, said = shoot(s, { "A" }, 5)
    lu.assertStrContains(said, "its limit is 0 a day")
    lu.assertEquals(s:bill().created, 0)
  end)
end

function T.test_an_account_without_credits_is_said_in_words()
  studio.with({ credits = 100 }, function(s)
    local lines, said = shoot(s, { "A", "B" }, 1)
    table.sort(lines)
    lu.assertStrContains(lines[1] .. lines[2], "landed")
    lu.assertStrContains(said, "the account has not enough credits for this call")
    lu.assertEquals(s:bill().charged, 60)
  end)
end

-- ---- nobody knows ----

local UNKNOWN = "it is not known whether the call was taken"

function T.test_a_lost_answer_is_unknown_held_and_not_sent_again()
  for _, fault in ipairs { "reset_after_create", "close_after_create", "500", "504" } do
    studio.with({}, function(s)
      local lines, said = shoot(s, { "A [[" .. fault .. "]]", "B" }, 9)
      lu.assertEquals(lines, { "s1\tunknown\t60\tunknown", landed(2) }, fault)
      lu.assertStrContains(said, UNKNOWN)
      lu.assertStrContains(said, "(60 credits held)")
      lu.assertStrContains(said, "60 credits spent · 60 credits still held")
      lu.assertEquals(s:bill().created, 2, fault)
    end)
  end
end

function T.test_the_credits_of_an_unknown_call_are_not_spent_again()
  studio.with({}, function(s)
    local r = s:run [==[
      local rushes = require "rushes"
      local show = rushes.show { name = "night", budget = 100,
        policy = rushes.policy.fixed { model = "gen4.5" } }
      local lost = show:shot { name = "lost", prompt = "A [[reset_after_create]]" }
      local other = show:shot { name = "other", prompt = "B" }
      print(lost:shoot().err.unknown, other:shoot().err.code)]==]
    lib.assert_code(r, 9)
    lu.assertEquals(r.stdout, "true\tbudget\n")
    lu.assertStrContains(r.stderr, "show night has 40 left of 100 (0 spent, 60 held")
  end)
end

-- ---- while it is followed ----

function T.test_trouble_while_polling_is_ridden_out()
  for _, fault in ipairs { "poll_html:x2", "poll_5xx:x2", "poll_reset:x2" } do
    studio.with({ faults = fault }, function(s)
      lu.assertEquals(shoot(s, { "A" }, 0), { landed(1) }, fault)
      lu.assertEquals(s:bill().created, 1)
    end)
  end
end

--- A gateway that speaks the gen4 dialect in words of its own.
local WORDS = {
  { status = "WARMING_UP" }, { status = "RUNNING" }, { status = "rendering", progress = 40 },
  { status = "COMPLETED", output = "/clip.mp4", credits_used = 60 },
}

local function gateway(server, clip)
  local n = 0
  return function(req)
    local function reply(value)
      if value.output then
        value = { status = value.status, credits_used = value.credits_used,
          output = ("http://127.0.0.1:%d%s"):format(server.port, value.output) }
      end
      req:respond { status = 200, headers = { ["Content-Type"] = "application/json",
        ["X-Sim-Speed"] = "1000" }, body = json.encode(value) }
    end
    if req.method == "POST" then return reply { id = "job-1" } end
    if req.path == "/clip.mp4" then return req:respond { status = 200, body = clip } end
    n = math.min(n + 1, #WORDS)
    reply(WORDS[n])
  end
end

function T.test_unknown_status_words_mean_that_it_goes_on()
  local server = assert(httpd.listen {})
  lib.in_folder(function(dir)
    task.scope(function(scope)
      scope:spawn(function() server:serve(gateway(server, "not much of a clip")) end)
      local code = [[
        local gen4 = rushes.provider "gen4"
        local job = assert(gen4:generate { model = "gen4", prompt = "A", seconds = 5 })
        local states = {}
        assert(job:poll { on_progress = function(p) states[#states + 1] = job.state .. p end })
        print(table.concat(states, " "), job.state, job.credits)
        print(job:download "clip.mp4")]]
      local r = lib.rushes { "-e", code, cwd = dir,
        env = studio.env("http://127.0.0.1:" .. server.port) }
      lib.assert_code(r, 0)
      lu.assertStrContains(r.stdout, "running0 running0.4\tsucceeded\t60\nclip.mp4")
      server:close()
    end)
  end)
end

--- The account's numbers show free slots, and somebody else has taken them all.
function T.test_a_take_that_another_user_holds_up_is_waited_for()
  studio.with({}, function(s)
    local limits, polls = s.sim:limits "gen4.5", s:counter "poll"
    s.sim.lanes:occupy("gen4.5", limits.at_once)
    task.scope(function(scope)
      scope:spawn(function()
        while polls() < 3 do task.sleep(0.01) end
        lu.assertEquals(s.sim.lanes:show()["gen4.5"].waiting, 2)
        s.sim.lanes:occupy("gen4.5", 0)
      end)
      lu.assertItemsEquals(shoot(s, { "A", "B" }, 0), { landed(1), landed(2) })
    end)
    lu.assertEquals(s:bill().created, 2)
  end)
end

-- ---- on the way home ----

--- Is the clip what the simulator made?
local function assert_clip(s)
  local row = require("rushes.sim.control").tasks(s.sim)[1]
  lu.assertEquals(assert(hash.sha256_file(s.dir .. "/night/s1_t001.mp4")), row.sha256[1])
end

function T.test_an_expired_address_is_renewed()
  studio.with({}, function(s)
    lu.assertEquals(shoot(s, { "A [[expired_url]]" }, 0), { landed(1) })
    assert_clip(s)
  end)
end

function T.test_a_download_that_breaks_off_is_resumed()
  studio.with({}, function(s)
    local bodies = s:counter "body"
    lu.assertEquals(shoot(s, { "A [[truncated_body:400]]" }, 0), { landed(1) })
    lu.assertTrue(bodies() >= 3, bodies() .. " requests") -- 1.4 kB in pieces of 400
    assert_clip(s)
    lu.assertEquals(studio.files(s.dir .. "/night"), { "s1_t001.mp4" })
  end)
end

return T
