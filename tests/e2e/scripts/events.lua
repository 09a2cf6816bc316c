-- Takes as the studio announces them, without a studio: for tests of what is shown.
-- arg: number of takes, seconds per take, "print" to print meanwhile
local event = require "rushes.event"
local task = require "rt.task"

local n, seconds = tonumber(arg[1] or "3"), tonumber(arg[2] or "1")
local names = { "street", "lobby", "rooftop", "夜の街", "rue d'été" }
local models = { "gen4_turbo", "gen4.5" }

local function take(i)
  local f = { show = "demo", shot = (names[i] or "shot") .. (i > 5 and i or ""),
    take = "t001", model = models[i % 2 + 1], credits = 25 + i, state = "planned",
    progress = 0 }
  local function tell(kind, more)
    for k, v in pairs(more or {}) do f[k] = v end
    event.emit(kind, f)
  end
  tell "planned"
  tell("submitted", { id = ("task-%d"):format(i), state = i > 6 and "throttled" or "queued",
    stage = i % 3 == 0 and "still" or "motion" })
  task.sleep(seconds * 0.2)
  for step = 1, 10 do
    tell(step == 1 and "state" or "progress", { state = "running", progress = step / 10 })
    task.sleep(seconds * (0.05 + 0.01 * i))
    if arg[3] == "print" and step % 4 == 0 then print(f.shot, "step", step) end
  end
  if i == 3 then
    local e = require("rt.err").new("provider", "the prompt was refused by moderation",
      { class = "safety" })
    return tell("failed", { state = "failed", err = e, credits = 28 })
  end
  tell("landed", { state = "landed", file = ("demo/%s_t001.mp4"):format(f.shot) })
end

event.emit("show", { show = "demo", budget = 400 })
task.scope(function(s)
  for i = 1, n do s:spawn(take, i) end
end)
event.emit("done", { show = "demo" })
