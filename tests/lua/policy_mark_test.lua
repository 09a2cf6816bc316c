--- By what an edited policy is told from the one that has decided.
local fs = require "rt.fs"
local lu = require "luaunit"
local mark = require "rushes.studio.policy_mark"
local policy = require "rushes.studio.policy"
local rushes = require "rushes"

local T = {}

local n = 0

--- The mark of the function that a file with this text returns.
local function of(text)
  local dir = assert(fs.tempdir())
  n = n + 1
  local path = ("%s/p%d.lua"):format(dir, n)
  assert(fs.write(path, text))
  local m = mark.of(assert(loadfile(path))())
  assert(fs.remove(dir, { recursive = true }))
  return m
end

local TEXT = [[
local models = { fast = "gen4_turbo" }
local function choose(name) return models[name] end
return function(shot)
  return { model = choose "fast", why = shot.name }
end]]

function T.test_the_same_text_has_the_same_mark_wherever_it_stands()
  lu.assertStrMatches(of(TEXT), ("%x"):rep(16))
  lu.assertEquals(of(TEXT), of(TEXT))
  lu.assertEquals(of("\n\n-- moved\n" .. TEXT), of(TEXT))
  lu.assertEquals(of((TEXT:gsub("  return { model", "\n      -- said\n return { model"))),
    of(TEXT))
end

function T.test_code_and_what_it_has_captured_change_it()
  for _, edit in ipairs { { "shot.name", "shot.prompt" }, { "gen4_turbo", "gen4.5" },
    { "models%[name%]", "models[name] or name" } } do
    lu.assertNotEquals(of((TEXT:gsub(edit[1], edit[2]))), of(TEXT), edit[1])
  end
end

function T.test_ready_made_policies_are_what_they_were_given()
  local function fixed(model) return policy.fixed { model = model } end
  lu.assertEquals(mark.of(fixed "a"), mark.of(fixed "a"))
  lu.assertNotEquals(mark.of(fixed "a"), mark.of(fixed "b"))
  local function rows(above) return policy.by_budget { { above = above, model = "a" } } end
  lu.assertNotEquals(mark.of(rows(0.5)), mark.of(rows(0.25)))
  lu.assertEquals(mark.of(policy.first_of { rows(0.5), fixed "a" }),
    mark.of(policy.first_of { rows(0.5), fixed "a" }))
  lu.assertNotEquals(mark.of(policy.first_of { rows(0.5), fixed "a" }),
    mark.of(policy.first_of { rows(0.5), fixed "b" }))
end

--- What changes while a script runs is no part of it.
function T.test_objects_and_modules_of_rushes_are_left_out()
  local function with(value) return function() return value end end
  local show = setmetatable({ spent = 1 }, {})
  local before = mark.of(with(show))
  show.spent = 2
  lu.assertEquals(mark.of(with(show)), before)
  lu.assertEquals(mark.of(with(rushes.task)), mark.of(with(rushes.fs)))
  lu.assertEquals(mark.of(with(rushes.sorted)), mark.of(with(rushes.sorted)))
end

function T.test_it_is_that_of_the_first_look_and_ends()
  local count, loop = 0, {}
  loop.loop = loop
  local function counting()
    count = count + 1
    return loop, counting
  end
  local first = mark.of(counting)
  counting()
  lu.assertEquals(mark.of(counting), first)
  local large = {}
  for i = 1, 1e4 do large[i] = { i } end
  lu.assertStrMatches(mark.of(function() return large end), ("%x"):rep(16))
end

return T
