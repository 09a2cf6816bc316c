--- What the tests of lanes share: an account with clocks that a test moves, and tasks
--- that wait for its slots.
local core = require "rt.c.core"
local event = require "rushes.event"
local lanes = require "rushes.money.lane"
local stop = require "rushes.stop"
local task = require "rt.task"

local M = { DAY = 86400, MODEL = "gen4.5", notes = {} }

local offset -- of the two clocks, which go on by themselves as well

--- The wall clock of the account.
function M.wall() return offset.wall + core.now() end

--- Lanes with these limits for the model, and clocks of their own.
function M.account(limits, look)
  offset = { now = 0, wall = 1.7e9 - core.now() }
  local all = lanes.new { look = look, wall = M.wall,
    now = function() return offset.now + core.now() end }
  all:update { lanes = { [M.MODEL] = limits } }
  return all
end

--- Move the clocks: both, or one of them ("now", "wall").
function M.pass(seconds, which)
  for name, value in pairs(offset) do
    if not which or which == name then offset[name] = value + seconds end
  end
end

--- Let every task run until it waits.
function M.settle()
  for _ = 1, 5 do task.yield() end
end

--- Spawn waiters, "shot" or "shot/priority"; their names stand in `got` in the order in
--- which they get a slot, the slots in `got.slots`.
function M.waiters(s, all, list, model)
  local got = { slots = {} }
  for _, name in ipairs(list) do
    s:spawn(function()
      local shot, priority = name:match "^(%w+)/?(%d*)"
      local slot, e = all:acquire(model or M.MODEL, { shot = shot,
        priority = tonumber(priority) })
      got[#got + 1] = slot and name or e.code
      got.slots[#got.slots + 1] = slot
    end)
  end
  M.settle()
  return got
end

function M.names(got) return table.concat(got, " ") end

--- One more waiter, the first to watch the clock; gives the function that ends it.
function M.watcher(s, all)
  local scope
  s:spawn(function()
    task.scope(function(inner)
      scope = inner
      all:acquire(M.MODEL)
    end)
  end)
  M.settle()
  return function() scope:cancel() end
end

--- A suite in which `notes` has the sentences for a person of each test.
function M.suite()
  local T, off = {}, nil
  function T:setUp()
    M.notes = {}
    off = event.subscribe(function(kind, f)
      if kind == "note" then M.notes[#M.notes + 1] = f.text end
    end)
  end
  function T:tearDown()
    off()
    stop.reset()
  end
  return T
end

return M
