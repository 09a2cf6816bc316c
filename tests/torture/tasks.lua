-- Scopes, deadlines, failure, cancellation, channels and semaphores.
local task = require "rt.task"

local got = 0
task.scope(function(s)
  local ch, sem = task.channel(2), task.semaphore(2)
  for i = 1, 5 do
    s:spawn(function()
      sem:with(function() task.sleep(0) end)
      ch:send(i)
    end)
  end
  for _ = 1, 5 do got = got + ch:recv() end
  task.timeout(0.001, task.sleep, 10)
  task.try(task.scope, function(inner)
    inner:spawn(function() error "on purpose" end)
    inner:spawn(task.sleep, 10)
  end)
  task.shield(1, task.yield)
end)
assert(got == 15)
