--- One heroine through several scenes: the same picture in every still, each still in its
--- own clip, whatever else lies about.
local fs = require "rt.fs"
local hash = require "rt.hash"
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local REFS = assert(os.getenv "PWD") .. "/scripts/refs/"

--- Note what was ordered, and make every still another one, so that they can be told
--- apart: bytes behind the end of a PNG are not looked at.
local function note_orders(s)
  local orders, add = {}, s.sim.tasks.add
  function s.sim.tasks.add(tasks, t)
    local o = t.pieces[1].options
    local order = { endpoint = t.endpoint, prompt = o.prompt, seed = o.seed, shot = o.shot,
      refs = {}, image = o.image and hash.sha256_file(o.image) }
    for i, ref in ipairs(o.references or {}) do
      order.refs[i] = hash.sha256_file(ref.path)
    end
    orders[o.shot .. "/" .. t.endpoint] = order
    orders[#orders + 1] = order
    return add(tasks, t)
  end
  local make, n = s.sim.media.make, 0
  function s.sim.media.make(media, pieces)
    local files = assert(make(media, pieces))
    if pieces[1].kind ~= "still" then return files end
    n = n + 1
    local path = ("%s/still%d.png"):format(s.sim.dir, n)
    assert(fs.write(path, assert(fs.read(files[1])) .. n))
    return { path }
  end
  return orders
end

local SHOW = [[
local rushes = require "rushes"
local show = rushes.show { name = "night", policy = rushes.policy.fixed { model = "gen4_turbo" } }
local hero = show:character("hero", { image = "refs/hero.png" })
local neon = show:style("neon", { image = "refs/neon.png", tag = "neon_look" })
show:shot { name = "street", prompt = "@Hero walks", refs = { hero } }
show:shot { name = "lobby", prompt = "The same woman", refs = { hero } }
show:shot { name = "roof", prompt = "@hero looks up, mail@example.com", refs = { hero, neon } }
for _, take in ipairs(show:shoot()) do print(take.shot.name, take.status, take.still) end]]

local function with_refs(fn)
  studio.with({}, function(s)
    assert(fs.mkdir(s.dir .. "/refs"))
    assert(fs.copy(REFS .. "protagonist.png", s.dir .. "/refs/hero.png"))
    assert(fs.copy(REFS .. "neon.png", s.dir .. "/refs/neon.png"))
    fn(s, note_orders(s))
  end)
end

local function assert_each_still_in_its_clip(s, orders, dir)
  for _, shot in ipairs { "street", "lobby", "roof" } do
    local still = ("%s/night/%s_t001_still.png"):format(dir or s.dir, shot)
    lu.assertEquals(orders[shot .. "/image_to_video"].image, (hash.sha256_file(still)), shot)
  end
end

function T.test_the_heroine_is_in_every_still_and_each_still_in_its_clip()
  with_refs(function(s, orders)
    local r = s:run(SHOW)
    lib.assert_code(r, 0)
    local hero, neon = hash.sha256_file(REFS .. "protagonist.png"), hash.sha256_file(REFS .. "neon.png")
    lu.assertEquals(#orders, 6)
    lu.assertEquals(orders["street/text_to_image"].refs, { hero })
    lu.assertEquals(orders["lobby/text_to_image"].refs, { hero })
    lu.assertEquals(orders["roof/text_to_image"].refs, { hero, neon })
    assert_each_still_in_its_clip(s, orders)
  end)
end

function T.test_who_is_not_mentioned_is_mentioned_in_the_still_and_tags_end_there()
  with_refs(function(s, orders)
    lib.assert_code(s:run(SHOW), 0)
    local function prompt(name) return orders[name].prompt end
    lu.assertEquals(prompt "street/text_to_image", "@Hero walks")
    lu.assertEquals(prompt "street/image_to_video", "Hero walks")
    lu.assertEquals(prompt "lobby/text_to_image", "The same woman\nThe character is @hero.")
    lu.assertEquals(prompt "lobby/image_to_video", "The same woman")
    lu.assertStrContains(prompt "roof/text_to_image", "The style is that of @neon_look.")
    lu.assertEquals(prompt "roof/image_to_video", "hero looks up, mail@example.com")
  end)
end

function T.test_shooting_twice_asks_for_second_takes_with_seeds_of_their_own()
  with_refs(function(s, orders)
    lib.assert_code(s:run(SHOW), 0)
    local first = orders["street/text_to_image"].seed
    lib.assert_code(s:run(SHOW .. "\nshow:shoot()"), 0)
    lu.assertNotEquals(orders["street/text_to_image"].seed, first)
    lu.assertEquals(#studio.files(s.dir .. "/night"), 12)
    -- and the same seeds again in an empty folder
    assert(fs.remove(s.dir .. "/night", { recursive = true }))
    lib.assert_code(s:run(SHOW), 0)
    lu.assertEquals(orders["street/text_to_image"].seed, first)
  end)
end

--- An old still of that name lies beside the script, which runs from another folder.
function T.test_a_clip_starts_from_the_still_that_was_just_made()
  with_refs(function(s, orders)
    assert(fs.mkdir(s.dir .. "/night"))
    for _, shot in ipairs { "street", "lobby", "roof" } do
      assert(fs.copy(REFS .. "watch.png", ("%s/night/%s_t001_still.png"):format(s.dir, shot)))
    end
    assert(fs.write(s.dir .. "/script.lua", SHOW))
    lib.in_folder(function(elsewhere)
      local r = lib.rushes { "run", s.dir .. "/script.lua", cwd = elsewhere,
        env = studio.env(s.sim.url) }
      lib.assert_code(r, 0)
      assert_each_still_in_its_clip(s, orders, elsewhere)
    end)
  end)
end

function T.test_a_shot_with_a_first_frame_buys_no_still()
  with_refs(function(s, orders)
    local r = s:run [[
      local rushes = require "rushes"
      local show = rushes.show { name = "night" }
      show:shot { name = "street", prompt = "She walks", first_frame = "refs/hero.png" }
      show:shot { name = "both", prompt = "She walks", first_frame = "refs/hero.png",
        refs = { show:character("hero", { image = "refs/hero.png" }) } }
      for _, take in ipairs(show:shoot()) do print(take.status, take.still) end]]
    lib.assert_code(r, 1)
    lu.assertEquals(r.stdout, "landed\tnil\nfailed\tnil\n")
    lu.assertStrContains(r.stderr, 'shot "both" has both first_frame and refs')
    lu.assertEquals(#orders, 1)
    lu.assertEquals(orders[1].image, (hash.sha256_file(s.dir .. "/refs/hero.png")))
  end)
end

function T.test_a_motion_that_fails_keeps_its_still_and_costs_what_that_cost()
  with_refs(function(s)
    s:fail_after(1, "ASSET.INVALID")
    local r = s:run [[
      local rushes = require "rushes"
      local show = rushes.show { name = "night", budget = 40 }
      local shot = show:shot { name = "street", prompt = "She walks" }
      local take = show:shoot()[1]
      print(take.status, take.credits, take.still, take.file, show.ledger:left() // 1000)
      print(shot:shoot().status)]]
    lu.assertEquals(r.stdout, "failed\t5\tnight/street_t001_still.png\tnil\t35\nlanded\n")
    lib.assert_code(r, 1)
    lu.assertEquals(s:bill().charged, 35)
  end)
end

function T.test_a_motion_that_is_bought_again_gets_its_still_again()
  with_refs(function(s)
    s:fail_after(1, "INTERNAL")
    local r = s:run [[
      local rushes = require "rushes"
      local show = rushes.show { name = "night", budget = 40 }
      local take = show:shot { name = "street", prompt = "She walks" }:shoot()
      print(take.status, take.credits, take.file)]]
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "landed\t30\tnight/street_t001.mp4\n")
    lu.assertEquals(s:bill().charged, 30)
  end)
end

function T.test_a_model_with_references_of_its_own_gets_them_in_one_call()
  with_refs(function(s, orders)
    local r = s:run((SHOW:gsub("gen4_turbo", "seedance2")))
    lib.assert_code(r, 0)
    lu.assertEquals(#orders, 3)
    for _, order in ipairs(orders) do lu.assertNotEquals(order.endpoint, "text_to_image") end
  end)
end

return T
