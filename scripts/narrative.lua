#!/usr/bin/env -S rushes run
-- Three scenes, one heroine: the same woman from the street to the rooftop.
local rushes = require "rushes"

local show = rushes.show {
  name   = "night-walk",
  ratio  = "1280:720",
  budget = 400, -- credits; nothing is bought beyond it
}

local hero = show:character("hero", { image = "refs/protagonist.png", strength = 0.85 })
local neon = show:style("neon", { image = "refs/neon.png", strength = 0.7 })

local scene = rushes.template [[
{who} {action}, {light}, cinematic composition, professional cinematography]]

show:shot {
  name = "street", seconds = 5, refs = { hero },
  prompt = scene {
    who = "A woman in her 30s", action = "walks confidently through a busy city street",
    light = "golden hour, shallow depth of field",
  },
}

show:shot {
  name = "lobby", seconds = 5, refs = { hero },
  prompt = scene {
    who = "The same woman", action = "enters a modern office lobby, looking determined",
    light = "architectural lighting, glass and steel",
  },
}

show:shot {
  name = "rooftop", seconds = 5, refs = { hero, neon },
  prompt = scene {
    who = "The woman", action = "stands on a rooftop at night above the city skyline",
    light = "neon light on her face, moody",
  },
}

-- Which model, and why: plain Lua, asked once per shot and remembered.
show.policy = function(shot, ctx)
  if shot.name == "rooftop" and ctx.budget.left >= 200 then
    return { model = "gen4.5", why = "the closing shot is worth the price" }
  end
  return { model = "gen4_turbo", why = "fast and cheap" }
end

local takes = show:shoot() -- all at once; comes back when each has landed or failed

for _, take in ipairs(takes) do
  print(take.shot.name, take.status, take.model, take.credits, take.file or take.err)
end
