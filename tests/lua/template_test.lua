local lu = require "luaunit"
local template = require "rushes.studio.template"

local T = {}

function T.test_names_are_filled_and_ends_trimmed()
  local t = template.new "\n{who} {action}, take {n}\n"
  lu.assertEquals(t { who = "A woman", action = "walks", n = 3 }, "A woman walks, take 3")
end

function T.test_values_may_hold_braces_and_percent_signs()
  local t = template.new "{who}!"
  lu.assertEquals(t { who = "{50%} %1" }, "{50%} %1!")
end

function T.test_doubled_braces_are_characters()
  lu.assertEquals(template.new "a {{b}} {c}" { c = "d" }, "a {b} d")
end

function T.test_a_missing_name_is_named()
  lu.assertErrorMsgContains("{action} was not given; it takes action, who",
    template.new "{who} {action}", { who = "x" })
end

function T.test_an_unknown_name_gets_a_hint()
  lu.assertErrorMsgContains('no field "actoin" (did you mean "action"?)',
    template.new "{action}", { actoin = "x" })
end

function T.test_errors_point_at_the_script()
  local ok, e = pcall(function()
    local text = template.new "{who}" {}
    return text
  end)
  lu.assertFalse(ok)
  lu.assertStrContains(e, "template_test.lua:")
end

function T.test_stray_braces_and_bad_names_are_refused_with_their_line()
  lu.assertErrorMsgContains("single brace on line 2", template.new, "a\nb } c")
  lu.assertErrorMsgContains("{2x} is not a name (line 1)", template.new, "{2x}")
end

return T
