--- The show that the crash test kills: twelve shots, sixteen calls, all that can happen
--- to a paid call on its way, twice over.
local fs = require "rt.fs"
local tiny = require "rushes.sim.tiny"

local M = {}

M.NAME = "night"
M.BUDGET = 1000 -- credits: enough for all of it, and for what is bought again

--- Shot -> the endpoints of its calls, in order.
M.SHOTS = {}

local function add(prefix, n, ...)
  for i = 1, n do M.SHOTS[prefix .. i] = { ... } end
end

add("walk", 4, "text_to_image", "image_to_video")
add("street", 5, "text_to_video")
add("roof", 2, "text_to_video")
add("bar", 1, "image_to_video")

M.CALLS = 0
for _, endpoints in pairs(M.SHOTS) do M.CALLS = M.CALLS + #endpoints end

-- The policy looks at the budget, so a run that decided anew after a crash would choose
-- other models and buy them.
M.SCRIPT = ([[
local rushes = require "rushes"
local task = require "rt.task"
local show = rushes.show { name = %q, budget = %d, policy = rushes.policy.by_budget {
  { above = 0.8, model = "gen4.5", seconds = 4 }, { model = "seedance2_mini", seconds = 4 } } }
local hero = show:character("hero", { image = "hero.png" })
for i = 1, 4 do
  show:shot { name = "walk" .. i, prompt = "@hero walks, number " .. i, refs = { hero },
    policy = rushes.policy.fixed { model = "gen4_turbo", seconds = 2 } }
end
for i = 1, 5 do show:shot { name = "street" .. i, prompt = "A street in the rain, " .. i } end
show:shoot()
rushes.budget("seq010", 400, function()
  local last = { show:shot { name = "roof1", prompt = "A roof" },
    show:shot { name = "roof2", prompt = "Another roof" },
    show:shot { name = "bar1", prompt = "A bar", first_frame = "hero.png", seconds = 3 } }
  task.scope(function(scope)
    for _, shot in ipairs(last) do scope:spawn(function() shot:shoot() end) end
  end)
end)
]]):format(M.NAME, M.BUDGET)

--- By the number of the request, so that each comes to pass once and at another moment.
--- Creates: refused for now, lost after the task was made, and a page; polls, links and
--- downloads: all that is ridden out.
M.FAULTS = table.concat({ "429:0:@2", "reset_after_create:@4", "503:@6", "500:@9",
  "html_error:@11", "truncated_answer:@14", "502:@16", "close_after_create:@18",
  "poll_5xx:x2@3", "poll_html:@9", "poll_reset:@14", "poll_truncated:@19",
  "expired_url:@2", "expired_url:x2@6", "truncated_body:400:x4@3", "slow_body:4000:@9" },
  ",")

--- What the script needs beside it.
---@async
---@param dir string
function M.prepare(dir)
  assert(fs.write(dir .. "/script.lua", M.SCRIPT))
  assert(tiny.file(dir .. "/hero.png", "png", "hero"))
end

return M
