--- Decisions are pinned: an edited policy says so, and that --redecide asks it.
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local SOURCE = studio.script { "A", "B", "C", "D", "E" }
local EDITED = SOURCE:gsub("gen4%.5", "gen4_turbo")

local function count(text, part) return select(2, text:gsub(part, "")) end

function T.test_an_edited_policy_is_told_in_one_line()
  studio.with({}, function(s)
    local r = s:run(SOURCE)
    lib.assert_code(r, 0)
    lu.assertNotStrContains(r.stderr, "redecide")
    lu.assertNotStrContains(s:run("-- the same\n" .. SOURCE).stderr, "redecide")
    for _, command in ipairs { "plan", "run" } do
      r = s:run(EDITED, { command = command })
      lib.assert_code(r, 0)
      lu.assertStrContains(r.stderr, "the policy, or a value in it, has changed since it"
        .. " decided for shots s1, s2, s3 and 2 more; the journal's answers stand, and"
        .. " --redecide asks again\n")
      lu.assertEquals(count(r.stderr, "redecide"), 1)
    end
    lu.assertEquals(s:bill().created, 5)
  end)
end

function T.test_redecide_asks_and_then_there_is_nothing_to_say()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script { "A" }), 0)
    local edited = studio.script { "A" }:gsub("gen4%.5\" }", "gen4.5\", seconds = 8 }")
    lu.assertStrContains(s:run(edited).stderr, "for shot s1; the journal's answer stands")
    lu.assertEquals(s:bill().created, 1)
    lib.assert_code(s:run(edited, { "--redecide" }), 0)
    lu.assertEquals(s:bill().created, 2)
    lu.assertNotStrContains(s:run(edited).stderr, "redecide")
  end)
end

function T.test_a_show_that_is_shot_shot_by_shot_is_told_once()
  local one_by_one = [[
for _, shot in ipairs(show.shots) do shot:shoot() end
]]
  studio.with({}, function(s)
    lib.assert_code(s:run(SOURCE .. one_by_one), 0)
    local r = s:run((SOURCE .. one_by_one):gsub("gen4%.5", "gen4_turbo"), {})
    lu.assertEquals(count(r.stderr, "redecide"), 1)
  end)
end

function T.test_a_function_of_the_script_and_a_decision_of_an_older_rushes()
  local own = SOURCE:gsub("rushes%.policy%.fixed (%b{})", "function() return %1 end")
  studio.with({}, function(s)
    lib.assert_code(s:run(own), 0)
    local r = s:run((own:gsub("gen4%.5", "gen4_turbo")))
    lu.assertStrContains(r.stderr, "--redecide asks again")
    s:tamper "UPDATE decisions SET decision = json_remove(decision, '$.policy')"
    r = s:run((own:gsub("gen4%.5", "gen4_turbo")))
    lu.assertNotStrContains(r.stderr, "redecide")
  end)
end

return T
