--- What bounds spending beside the budget: the breaker, --fail-fast, deadlines.
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

--- Six shots in one arm, each refused by moderation for a prompt of its own, one at once.
local ARM = [[
local rushes = require "rushes"
local show = rushes.show { name = "night", %s
  policy = rushes.policy.fixed { model = "gen4.5" } }
for i = 1, 6 do
  show:shot { name = "s" .. i, prompt = i .. " [" .. "[fail:SAFETY.INPUT.TEXT]" .. "]" }
end
rushes.budget("arm", 1000, function()
  for _, take in ipairs(show:shoot()) do print(take.status, take.err.code) end
end)]]

local function count(text, line)
  return select(2, text:gsub(line, ""))
end

function T.test_the_breaker_holds_back_the_rest_of_an_arm()
  studio.with({ tier = 1 }, function(s)
    local r = s:run(ARM:format "")
    lib.assert_code(r, 10)
    lu.assertEquals(s:bill().created, 3)
    lu.assertEquals(count(r.stdout, "failed\tmoderation"), 3)
    lu.assertStrContains(r.stderr, "moderation has refused 3 calls of budget arm")
    lu.assertStrContains(r.stderr, "--allow-moderated")
  end)
end

function T.test_running_it_again_does_not_send_three_more()
  studio.with({ tier = 1 }, function(s)
    s:run(ARM:format "")
    local r = s:run(ARM:format "", { command = "plan" })
    lu.assertStrContains(r.stdout, "blocked (not sent)      6")
    r = s:run(ARM:format "")
    lib.assert_code(r, 10)
    lu.assertStrContains(r.stderr, "s1: moderation has refused this prompt")
    lu.assertStrContains(r.stderr, "(60 credits charged by an earlier run)")
    lu.assertStrContains(r.stderr, "s6 t001 failed: not sent: moderation has refused 3 calls")
    lu.assertEquals(s:bill().created, 3)
    -- what was refused is taken out: the rest has its own chance
    s:run((ARM:format(""):gsub("i = 1, 6", "i = 3, 6")))
    lu.assertEquals(s:bill().created, 5)
  end)
end

function T.test_the_breakers_limit_can_be_set_and_taken_away()
  studio.with({ tier = 1 }, function(s)
    s:run(ARM:format "moderation_limit = 1,")
    lu.assertEquals(s:bill().created, 1)
    s:run(ARM:format "moderation_limit = 1,", { "--allow-moderated" })
    lu.assertEquals(s:bill().created, 7)
  end)
end

function T.test_fail_fast_submits_nothing_more()
  studio.with({ tier = 1 }, function(s)
    local shots = {}
    for i = 1, 5 do shots[i] = i .. " [[fail:ASSET.INVALID]]" end
    local r = s:run(studio.script(shots), { "--fail-fast" })
    lib.assert_code(r, 5)
    lu.assertEquals(s:bill().created, 1)
    lu.assertEquals(count(r.stdout, "stopped"), 8) -- status and code of four takes
  end)
end

--- Looks at tasks all the time, whether it knows the simulator's speed yet or not.
local function polling(deadline)
  return ("require('rushes.provider.runway').poll = { first = 0.02, every = 0.02,"
    .. " deadline = %g, queue = %g }\n"):format(deadline, deadline)
end

function T.test_a_deadline_stops_following_and_a_later_run_follows_on()
  studio.with({ speed = 0 }, function(s)
    local source = studio.script { "A street" }
    local r = s:run(polling(0.2) .. source)
    lib.assert_code(r, 6)
    local id = s.sim.tasks:list()[1].id
    lu.assertStrContains(r.stderr, "task " .. id)
    lu.assertStrContains(r.stderr, "running the script again follows it further")
    s.sim.clock:set_speed(1000)
    r = s:run(polling(900) .. source)
    lib.assert_code(r, 0)
    lu.assertEquals({ s:bill().created, s:bill().charged }, { 1, 60 })
  end)
end

return T
