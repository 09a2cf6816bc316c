local lu = require "luaunit"
local catalog = require "rushes.catalog"
local text = require "rushes.catalog.text"

local T = {}

local VIDEO = { "1280:720", "720:1280", "1104:832", "960:960", "832:1104", "1584:672" }

function T.test_length_counts_utf16_units()
  lu.assertEquals(catalog.utf16_length "", 0)
  lu.assertEquals(catalog.utf16_length "abc", 3)
  lu.assertEquals(catalog.utf16_length "é", 1)
  lu.assertEquals(catalog.utf16_length "€", 1)
  lu.assertEquals(catalog.utf16_length "😀", 2)
  lu.assertEquals(catalog.utf16_length "a😀é", 4)
  -- A family of four is one picture on the screen and eleven units on the wire.
  lu.assertEquals(catalog.utf16_length "👨‍👩‍👧‍👦", 11)
end

function T.test_length_refuses_what_is_not_utf8()
  local units, at = catalog.utf16_length "ab\xFFc"
  lu.assertNil(units)
  lu.assertEquals(at, 3)
  lu.assertNil((catalog.utf16_length "\xED\xA0\x80")) -- half of a surrogate pair
end

function T.test_nearest_ratio_is_nearest_in_shape_then_in_size()
  lu.assertEquals(catalog.nearest("16:9", VIDEO), "1280:720")
  lu.assertEquals(catalog.nearest("9:16", VIDEO), "720:1280")
  lu.assertEquals(catalog.nearest("1:1", VIDEO), "960:960")
  lu.assertEquals(catalog.nearest("4:3", VIDEO), "1104:832")
  lu.assertEquals(catalog.nearest("21:9", VIDEO), "1584:672")
  lu.assertEquals(catalog.nearest("1920x1080", VIDEO), "1280:720")
  local veo = { "1280:720", "720:1280", "1080:1920", "1920:1080" }
  lu.assertEquals(catalog.nearest("16:9", veo), "1280:720")
  lu.assertEquals(catalog.nearest("1918:1080", veo), "1920:1080")
  lu.assertEquals(catalog.nearest("1280:720", { "16:9", "9:16" }), "16:9")
end

function T.test_nearest_number_and_word()
  lu.assertEquals(catalog.nearest(5, { 4, 6, 8 }), 4)
  lu.assertEquals(catalog.nearest(99, { 4, 6, 8 }), 8)
  lu.assertEquals(catalog.nearest("promt", { "ratio", "prompt" }), "prompt")
  lu.assertEquals(catalog.nearest("gen4 turbo", { "gen4.5", "gen4_turbo" }), "gen4_turbo")
  lu.assertNil(catalog.nearest("zebra", { "ratio", "prompt" }))
  lu.assertNil(catalog.nearest({}, { "ratio" }))
  lu.assertNil(catalog.nearest("x", {}))
end

function T.test_shown_values_are_short_and_keep_secrets()
  lu.assertEquals(text.show "https://h/a.png?sig=secret", '"https://h/a.png?…"')
  lu.assertEquals(text.show "a\nb", '"a b"')
  lu.assertEquals(text.show(3), "3")
  lu.assertTrue(#text.show(("x"):rep(5000)) < 60)
  lu.assertNotNil(utf8.len(text.show(("€"):rep(500))))
  lu.assertNotNil(utf8.len(text.show "\xFF\xFE"))
end

function T.test_lists_of_values()
  lu.assertEquals(text.list {}, "nothing")
  lu.assertEquals(text.list { "a" }, "a")
  lu.assertEquals(text.list { "a", "b", "c" }, "a, b or c")
  local many = {}
  for i = 1, 26 do many[i] = i end
  lu.assertEquals(text.list(many), "1, 2, 3, 4, 5, 6, 7, 8 and 18 more")
end

return T
