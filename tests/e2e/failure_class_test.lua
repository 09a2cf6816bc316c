--- The failure table: for each class of failure how often the call is bought again by
--- itself, what that costs, and what the run ends with. The simulator says how many tasks
--- there were and what it charged; the waits pass by its clock.
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

---@class tests.Failure
---@field code? string      the failure code of every task
---@field sim? table        options of the simulator
---@field prepare? fun(s: tests.Studio)
---@field tasks integer     made in all
---@field charged integer   credits
---@field exit integer
---@field error? string     code of the take's error, default "provider"
---@field says string       part of it

---@param row tests.Failure
local function test(row)
  return function()
    local options = { faults = row.code and "fail:" .. row.code }
    for k, v in pairs(row.sim or {}) do options[k] = v end
    studio.with(options, function(s)
      if row.prepare then row.prepare(s) end
      local r = s:run(studio.script({ "A street" }, "budget = 1000")
        .. 'print(show.ledger.spent // 1000, show.ledger.reserved // 1000)\n')
      lib.assert_code(r, row.exit)
      local lines = { r.stdout:match "^s1\t(%a+)\t(%d+)\t(%a+)\n(%d+)\t(%d+)\n$" }
      lu.assertEquals(lines, { "failed", tostring(row.charged), row.error or "provider",
        tostring(row.charged), "0" }, r.stdout .. r.stderr)
      lu.assertStrContains(r.stderr, row.says)
      local bill = s:bill()
      lu.assertEquals({ bill.created, bill.charged, bill.reserved },
        { row.tasks, row.charged, 0 }, r.stderr)
    end)
  end
end

-- ---- never again: the same would fail, and may cost, again ----

T.test_safety_of_the_input = test { code = "SAFETY.INPUT.TEXT", tasks = 1, charged = 60,
  exit = 5, says = "moderation refused the prompt" }
T.test_safety_of_the_output = test { code = "SAFETY.OUTPUT.VIDEO", tasks = 1, charged = 60,
  exit = 5, says = "moderation refused the result" }
T.test_safety_while_preparing = test { code = "INPUT_PREPROCESSING.SAFETY.TEXT", tasks = 1,
  charged = 60, exit = 5, says = "moderation refused the input" }
T.test_asset = test { code = "ASSET.INVALID", tasks = 1, charged = 0, exit = 5,
  error = "invalid", says = "wrong size, shape or codec" }
T.test_invalid_for_the_models_own_provider = test { code = "THIRD_PARTY.INPUT_VALIDATION",
  tasks = 1, charged = 0, exit = 5, error = "invalid", says = "refused the input" }
T.test_a_reason_of_tomorrow = test { code = "SOMETHING.NEW", tasks = 1, charged = 0,
  exit = 5, says = "a reason this version does not know" }
T.test_invalid_request = test { sim = { faults = "http:400" }, tasks = 0, charged = 0,
  exit = 5, error = "invalid", says = "Runway refused the request" }
T.test_quota_of_credits = test { sim = { credits = 59 }, tasks = 0, charged = 0, exit = 5,
  says = "has not enough credits" }

--- The account is asked first, so a key that is refused ends the run before any take.
function T.test_auth()
  studio.with({}, function(s)
    local r = s:run(studio.script { "A street" },
      { env = studio.env(s.sim.url, "key_" .. ("0"):rep(128)) })
    lib.assert_code(r, 4)
    lu.assertStrContains(r.stderr, "check RUNWAYML_API_SECRET")
    lu.assertEquals(s:bill().created, 0)
  end)
end

--- Somebody deletes the task while it runs; nobody can tell what it cost, so all of it.
T.test_expired = test { sim = { faults = "slow:100000" }, tasks = 1, charged = 60,
  exit = 5, says = "no longer has the task",
  prepare = function(s)
    local shown = s.sim.tasks.shown
    function s.sim.tasks.shown(tasks, id)
      if tasks:find(id) and tasks:find(id).state == "RUNNING" then tasks:delete(id) end
      return shown(tasks, id)
    end
  end }

-- ---- again, because it was given back and may pass ----

T.test_internal = test { code = "INTERNAL", tasks = 3, charged = 0, exit = 5,
  says = "Runway failed" }
T.test_no_code_is_internal = test { code = "none", tasks = 3, charged = 0, exit = 5,
  says = "Runway failed" }
T.test_internal_while_preparing = test { code = "INPUT_PREPROCESSING.INTERNAL", tasks = 3,
  charged = 0, exit = 5, says = "while preparing the input" }
T.test_unavailable = test { code = "THIRD_PARTY.UNAVAILABLE", tasks = 4, charged = 0,
  exit = 5, says = "own provider is not available" }
T.test_bad_output = test { code = "INTERNAL.BAD_OUTPUT.CODE01", tasks = 2, charged = 0,
  exit = 5, says = "quality gate" }

function T.test_what_passes_is_bought_once_in_the_end()
  for code, times in pairs { INTERNAL = 2, ["THIRD_PARTY.UNAVAILABLE"] = 3,
    ["INTERNAL.BAD_OUTPUT.CODE01"] = 1 } do
    studio.with({ faults = ("fail:%s:x%d"):format(code, times) }, function(s)
      local r = s:run(studio.script({ "A street" }))
      lib.assert_code(r, 0)
      lu.assertEquals(r.stdout, "s1\tlanded\t60\tnight/s1_t001.mp4\n")
      local bill = s:bill()
      lu.assertEquals({ bill.created, bill.charged }, { times + 1, 60 }, code)
    end)
  end
end

--- Every attempt must fit the budget, and what failed was given back before.
function T.test_another_attempt_fits_where_the_first_one_did()
  studio.with({ faults = "fail:INTERNAL:x2", budget = 60 }, function(s)
    lib.assert_code(s:run(studio.script({ "A street" }, "budget = 60")), 0)
    lu.assertEquals(s.sim.bill.overruns, 0)
  end)
end

return T
