--- The show that the crash test kills: twelve shots of sixteen calls and two calls by
--- hand, and what can happen to a paid call on its way.
local fs = require "rt.fs"
local tiny = require "rushes.sim.tiny"

local M = {}

M.NAME = "night"
-- Credits: all of it costs about 540, and what is settled as charged is bought again: after
-- two kills that can be every second call.
M.BUDGET = 2500

local SCENE = 800 -- of the three shots that have a budget of their own, 192 the first time
local DEAR = 200  -- spent while the policy takes the dearer model: until the third street

M.BY_HAND = "by hand" -- stands for the shot of a call that the script makes itself

--- Shot -> the endpoints of its calls, in order.
M.SHOTS = { [M.BY_HAND] = { "text_to_image", "image_to_video" } }

--- Files that lie beside the show's folder in the end.
M.BESIDE = { ["script.lua"] = true, ["hero.png"] = true, ["hand.png"] = true,
  ["hand.mp4"] = true, ["points.log"] = true, [M.NAME] = true }

local function add(prefix, n, ...)
  for i = 1, n do M.SHOTS[prefix .. i] = { ... } end
end

add("walk", 4, "text_to_image", "image_to_video")
add("street", 5, "text_to_video")
add("roof", 2, "text_to_video")
add("bar", 1, "image_to_video")

-- The policy looks at the budget, so a run that decided anew after a crash would choose
-- other models and buy them.
M.SCRIPT = ([[
local rushes = require "rushes"
local task = require "rt.task"
local show = rushes.show { name = %q, budget = %d, policy = rushes.policy.by_budget {
  { above = %g, model = "gen4.5", seconds = 4 }, { model = "seedance2_mini", seconds = 4 } } }
local hero = show:character("hero", { image = "hero.png" })
for i = 1, 4 do
  show:shot { name = "walk" .. i, prompt = "@hero walks, number " .. i, refs = { hero },
    policy = rushes.policy.fixed { model = "gen4_turbo", seconds = 2 } }
end
for i = 1, 5 do show:shot { name = "street" .. i, prompt = "A street in the rain, " .. i } end
show:shoot()
rushes.budget("seq010", %d, function()
  local last = { show:shot { name = "roof1", prompt = "A roof" },
    show:shot { name = "roof2", prompt = "Another roof" },
    show:shot { name = "bar1", prompt = "A bar", first_frame = "hero.png", seconds = 3 } }
  task.scope(function(scope)
    for _, shot in ipairs(last) do scope:spawn(function() shot:shoot() end) end
  end)
end)
local runway = rushes.provider("runway", show)
local still = assert(runway:generate { model = "gen4_image", prompt = "A door",
  ratio = "1280:720" })
assert(still:poll())
local picture = assert(still:download "hand.png")
local clip = assert(runway:generate { model = "gen4_turbo", image = picture, seconds = 2,
  ratio = "1280:720" })
assert(clip:poll())
assert(clip:download "hand.mp4")
]]):format(M.NAME, M.BUDGET, 1 - DEAR / M.BUDGET, SCENE)

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
