--- `rushes plan` and the run after it agree to the credit: two hundred calls made by
--- chance, over all models of the catalogue, by shots and by `provider:generate`. Compared
--- is, call by call, what the plan says with what the simulator, which prices for itself
--- what it is sent, holds for it. What it charges in the end is the same too, but for clips
--- whose length the model chooses; a plan counts the longest, and the rest is given back.
---
--- rushes does not look into a clip that is worked on, and plans with the longest and
--- largest that the model takes; so that is what these calls are given. With shorter ones
--- the plan is more than the bill, which a test of its own shows.
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"
local proc = require "rt.proc"

local lib = require "e2e.lib"
local random_calls = require "e2e.random_calls"
local studio = require "e2e.studio"

local T = {}

local CALLS = 200
local SEED = 7

-- What both kinds of calls are made of: read from calls.json, and made at once.
local SCRIPT = [[
local rushes = require "rushes"
local json = require "rt.json"
local fs = require "rt.fs"
local task = require "rt.task"
local calls = json.decode(fs.read "calls.json")
local show = rushes.show { name = "night" }
local hero = show:character("hero", { image = "picture.png" })
local function shoot(i, call)
  show:shot { name = ("s%03d"):format(i), prompt = call.prompt, ratio = call.ratio,
    seed = call.seed, refs = call.refs and { hero } or nil,
    first_frame = call.first and "picture.png" or nil,
    policy = rushes.policy.fixed { model = call.model, seconds = call.seconds } }:shoot()
end
local provider
local function generate(call)
  provider = provider or rushes.provider "runway"
  assert(assert(provider:generate(call)):poll())
end
task.scope(function(scope)
  for i, call in ipairs(calls) do
    scope:spawn(call.shot and shoot or generate, call.shot and i or call, call)
  end
end)
]]

--- A still picture as a clip: size, frames per second, seconds.
local CLIPS = {
  large = { "2560x1600", 1, 30 }, short = { "1280x720", 24, 10 },
  fast = { "128x72", 60, 30 }, brief = { "640x360", 24, 4 },
}

-- The longest and dearest that each model takes.
local DEAREST = { picture = "picture.png", aleph2 = "large.mp4", ruby = "large.mp4",
  act_two = "large.mp4", gemini_omni_flash = "short.mp4",
  magnific_video_upscaler_creative = "fast.mp4" }

local function ffmpeg(...)
  local r = assert(proc.run { "ffmpeg", "-v", "error", "-f", "lavfi", "-i", ... })
  assert(r.code == 0, r.stderr)
end

local function make_files(dir)
  ffmpeg("color=s=640x360:c=navy", "-frames:v", "1", dir .. "/picture.png")
  for name, c in pairs(CLIPS) do
    ffmpeg(("color=s=%s:c=navy:r=%d:d=%d"):format(table.unpack(c)), "-c:v", "libx264",
      "-preset", "ultrafast", "-pix_fmt", "yuv420p", ("%s/%s.mp4"):format(dir, name))
  end
end

---@param s tests.Studio
---@param calls table[]
---@return table plan    of `rushes plan --json`
---@return table[] tasks  of the simulator, after the run
local function plan_and_run(s, calls)
  make_files(s.dir)
  assert(fs.write(s.dir .. "/calls.json", json.encode(calls)))
  local r = s:run(SCRIPT, { command = "plan", "--json" })
  lib.assert_code(r, 0)
  lu.assertEquals(s:bill().created, 0)
  local plan = assert(json.decode(r.stdout))
  lib.assert_code(s:run(SCRIPT, { "--no-progress" }), 0)
  local tasks = {}
  for _, row in ipairs(s.sim.tasks:list()) do tasks[#tasks + 1] = s.sim.tasks:find(row.id) end
  return plan, tasks
end

local STAGE = { text_to_image = "still" }

--- Amounts by what the call is: of a shot its stage, of others the model's, in order.
local function planned(plan)
  local by = {}
  for _, call in ipairs(plan.calls) do
    local by_hand = call.stage ~= "still" and call.stage ~= "motion"
    local name = by_hand and call.model or call.shot .. " " .. call.stage
    by[name] = by[name] or {}
    table.insert(by[name], call.credits)
  end
  return by
end

local function held(tasks)
  local by = {}
  for _, t in ipairs(tasks) do
    local shot = t.names.shot
    local name = shot and shot .. " " .. (STAGE[t.endpoint] or "motion") or t.model
    by[name] = by[name] or {}
    table.insert(by[name], t.estimate / 1000)
  end
  return by
end

local function sorted(by)
  local n = 0
  for _, list in pairs(by) do
    table.sort(list)
    n = n + #list
  end
  return by, n
end

function T.test_plan_and_run_agree_to_the_credit()
  studio.with({ tier = 5, speed = 5000, credits = 1000000 }, function(s)
    local calls, chosen = random_calls.calls(SEED, CALLS // 2, DEAREST), 0
    for _, call in ipairs(calls) do
      if call.seconds == "auto" then chosen = chosen + 1 end
    end
    table.move(random_calls.shots(SEED, CALLS // 2), 1, CALLS // 2, #calls + 1, calls)
    local plan, tasks = plan_and_run(s, calls)
    local said, asked = sorted(planned(plan)), sorted(held(tasks))
    for name, list in pairs(asked) do lu.assertEquals(said[name], list, name) end
    local _, n = sorted(said)
    lu.assertEquals(n, #tasks)
    lu.assertTrue(n >= CALLS)
    local bill = s:bill()
    lu.assertEquals(plan.credits, bill.charged + bill.refunded)
    for _, t in ipairs(tasks) do
      lu.assertEquals(t.state, "SUCCEEDED")
      if t.cost ~= t.estimate then
        lu.assertTrue(t.cost < t.estimate)
        chosen = chosen - 1
      end
    end
    lu.assertTrue(chosen >= 0, "calls cheaper than planned, and nobody chose their length")
  end)
end

function T.test_a_shorter_clip_costs_less_than_planned()
  studio.with({ tier = 5, speed = 5000 }, function(s)
    local calls = {}
    for i, model in ipairs { "aleph2", "ruby", "gemini_omni_flash",
      "magnific_video_upscaler_creative" } do
      calls[i] = { model = model, video = "brief.mp4",
        prompt = model:find "^[ag]" and "rain" or nil }
    end
    local plan, tasks = plan_and_run(s, calls)
    local sum = 0
    for _, t in ipairs(tasks) do sum = sum + t.cost / 1000 end
    lu.assertEquals(#tasks, #calls)
    lu.assertEquals(s:bill().charged, sum)
    lu.assertTrue(plan.credits > sum)
  end)
end

return T
