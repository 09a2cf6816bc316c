local lu = require "luaunit"
local suggest = require "rt.suggest"

local T = {}

function T.test_distance_counts_edits_and_swaps()
  for _, case in ipairs { { "", "", 0 }, { "a", "", 1 }, { "", "abc", 3 },
    { "prompt", "prompt", 0 }, { "promt", "prompt", 1 }, { "prompts", "prompt", 1 },
    { "ratoi", "ratio", 1 }, { "kitten", "sitting", 3 }, { "ab", "ba", 1 } } do
    lu.assertEquals(suggest.distance(case[1], case[2]), case[3], case[1])
    lu.assertEquals(suggest.distance(case[2], case[1]), case[3], case[2])
  end
end

function T.test_the_nearest_word_if_near_enough()
  local words = { "name", "ratio", "budget", "seconds" }
  lu.assertEquals(suggest.nearest("raito", words), "ratio")
  lu.assertEquals(suggest.nearest("Budget", words), "budget")
  lu.assertEquals(suggest.nearest("second", words), "seconds")
  lu.assertNil(suggest.nearest("resolution", words))
  lu.assertNil(suggest.nearest("x", {}))
  lu.assertEquals(suggest.hint("raito", words), ' (did you mean "ratio"?)')
  lu.assertEquals(suggest.hint("resolution", words), "")
end

function T.test_check_keys_blames_the_caller()
  local function shot(t) suggest.check_keys("shot", t, { name = true, prompt = true }) end
  shot { name = 1 }
  lu.assertErrorMsgMatches("tests/lua/suggest_test%.lua:%d+: shot has no field \"promt\" "
    .. "%(did you mean \"prompt\"%?%); it takes name, prompt", function()
    shot { promt = "x" }
    return nil
  end)
end

return T
