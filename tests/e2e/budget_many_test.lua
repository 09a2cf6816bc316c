--- Five hundred shots at once and credits for three hundred of them: exactly those are
--- sent, and the simulator, which checks as it bills, never sees the budget exceeded.
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local SHOTS, AFFORDABLE, PRICE = 500, 300, 60

--- Each shot in a task of its own, so that all of them want the credits at once.
local EACH = [[
local rushes = require "rushes"
local show = rushes.show { name = "night", policy = rushes.policy.fixed { model = "gen4.5" },
  %s }
for i = 1, %d do show:shot { name = ("s%%03d"):format(i), prompt = "A street " .. i } end
local task = require "rt.task"
local landed, refused = 0, 0
task.scope(function(scope)
  for _, shot in ipairs(show.shots) do
    scope:spawn(function()
      local take = shot:shoot()
      if take.status == "landed" then landed = landed + 1 end
      if take.err and take.err.code == "budget" then refused = refused + 1 end
    end)
  end
end)
print(landed, refused, show.ledger.spent, show.ledger.reserved)]]

local function script(budget) return EACH:format(budget, SHOTS) end

local function check(s, r, refused)
  lib.assert_code(r, 8)
  lu.assertEquals(r.stdout, ("%d\t%d\t%d\t0\n"):format(AFFORDABLE, refused,
    AFFORDABLE * PRICE * 1000), r.stderr)
  local all = s.sim.bill:show()
  lu.assertEquals(all.budget, { credits = AFFORDABLE * PRICE + PRICE - 1,
    peak = AFFORDABLE * PRICE, overruns = 0 })
  lu.assertEquals({ all.total.created, all.total.charged, all.total.reserved },
    { AFFORDABLE, AFFORDABLE * PRICE, 0 })
end

--- One credit short of one more.
local LIMIT = AFFORDABLE * PRICE + PRICE - 1

local function with(fn)
  studio.with({ tier = 5, speed = 20000, budget = LIMIT }, fn)
end

function T.test_of_five_hundred_shots_at_once_the_affordable_ones_are_sent()
  with(function(s)
    check(s, s:run(script("budget = " .. LIMIT), { "--no-progress" }),
      SHOTS - AFFORDABLE)
  end)
end

function T.test_the_flag_of_the_run_counts_as_exactly()
  with(function(s)
    check(s, s:run(script "", { "--no-progress", "--budget", LIMIT }),
      SHOTS - AFFORDABLE)
  end)
end

--- With failures that are given back and bought again the budget is spent to the end,
--- and never beyond.
function T.test_refunds_are_spent_again_and_never_too_much()
  studio.with({ tier = 5, speed = 20000, budget = LIMIT, faults = "fail:INTERNAL:0.1" },
    function(s)
      local r = s:run(script("budget = " .. LIMIT), { "--no-progress" })
      lib.assert_code(r, 8)
      local all = s.sim.bill:show()
      lu.assertEquals({ all.budget.overruns, all.total.reserved }, { 0, 0 })
      lu.assertTrue(all.total.failed > 0)
      lu.assertEquals(r.stdout:match "^%d+\t%d+\t(%d+)\t0\n$",
        tostring(math.tointeger(all.total.charged * 1000)))
    end)
end

return T
