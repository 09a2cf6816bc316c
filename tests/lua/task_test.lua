local lu = require "luaunit"
local task = require "rt.task"

local T = {}

function T.test_children_run_at_once_and_the_scope_waits_for_them()
  local order = {}
  task.scope(function(s)
    s:spawn(function() task.sleep(0.02); order[#order + 1] = "slow" end)
    s:spawn(function() order[#order + 1] = "fast" end)
  end)
  lu.assertEquals(order, { "fast", "slow" })
end

return T
