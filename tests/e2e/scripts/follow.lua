-- A studio that is stopped: one take is under way, the next one waits its turn.
-- arg[1]: seconds that the take under way goes on
local event = require "rushes.event"
local stop = require "rushes.stop"
local task = require "rt.task"

local function fields(shot, state)
  return { show = "demo", shot = shot, take = "t001", model = "gen4_turbo", credits = 25,
    state = state, id = shot .. "-id", progress = 0 }
end

event.emit("planned", fields("street", "planned"))
event.emit("planned", fields("lobby", "planned"))
event.emit("submitted", fields("street", "running"))
print "ready"
io.stdout:flush()
local deadline = tonumber(arg[1])
while not stop.requested() do task.sleep(0.01) end
task.sleep(deadline)
event.emit("landed", fields("street", "landed"))
local f = fields("lobby", "stopped")
f.err = stop.err()
event.emit("failed", f)
print "the script went on to its end"
