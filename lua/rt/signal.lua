--- Waiting for signals. It does not keep the program alive: where a task waits for a
--- signal and nothing else can go on, that is a deadlock as with any other wait for
--- nothing. A task that serves signals is cancelled with its scope.
local c = require "rt.c.signal"
local task = require "rt.task"

local M = {}

--- Those that end a program; the host counts them in any case (see task.interrupted).
local ENDS = { SIGINT = true, SIGTERM = true, SIGHUP = true }

local watched = {} -- name -> {seen = count handed out, waiting = tasks}

local function look()
  if not c.came() then return end
  for name, w in pairs(watched) do
    if c.count(name) > w.seen then task.wake_all(w.waiting) end
  end
end

local function watch(name)
  if not c.watch(name) then
    error(("cannot wait for %q: it must be one of SIGINT, SIGTERM, SIGHUP, SIGUSR1,"
      .. " SIGUSR2, SIGWINCH, SIGCONT and SIGQUIT"):format(tostring(name)), 3)
  end
  if not next(watched) then task.on_turn(look) end
  watched[name] = { seen = c.count(name), waiting = {} }
  return watched[name]
end

local function wait_for_end(name)
  local number = c.number(name)
  repeat local _, last = task.interrupted() until last == number
  return name
end

--- Wait for the next signal of this name. From the first call on the signal has no other
--- effect, and one that comes between two calls is not lost; several of them then count
--- as one. SIGINT, SIGTERM and SIGHUP are those of task.interrupted.
---@async
---@param name string  "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT", "SIGQUIT", "SIGINT", …
---@return string name
function M.wait(name)
  if ENDS[name] then return wait_for_end(name) end
  local w = watched[name] or watch(name)
  if c.count(name) <= w.seen then task.wait_on(w.waiting) end
  w.seen = c.count(name)
  return name
end

return M
