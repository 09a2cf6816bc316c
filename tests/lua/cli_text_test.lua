local lu = require "luaunit"
local text = require "rushes.cli.text"
local when = require "rushes.when"

local T = {}

function T.test_width_counts_columns_not_bytes()
  lu.assertEquals(text.width "street", 6)
  lu.assertEquals(text.width "rue d'été", 9)
  lu.assertEquals(text.width "夜の街", 6)
  lu.assertEquals(text.width "e\u{301}", 1)
  lu.assertEquals(text.width "🎬", 2)
end

function T.test_cut_never_exceeds_and_never_splits_a_character()
  for n = 0, 12 do
    local s = text.cut("夜の街 street", n)
    lu.assertTrue(text.width(s) <= n, s)
    lu.assertNotNil(utf8.len(s))
  end
  lu.assertEquals(text.cut("rooftop", 7), "rooftop")
  lu.assertEquals(text.cut("rooftop", 5), "roof…")
end

function T.test_pad_fills_to_the_width()
  lu.assertEquals(text.pad("été", 5), "été  ")
  lu.assertEquals(text.pad("25", 4, true), "  25")
  lu.assertEquals(text.width(text.pad("夜の街", 4)), 4)
end

function T.test_bar_has_its_width_at_every_share()
  for i = 0, 100 do lu.assertEquals(text.width(text.bar(i / 100, 20)), 20) end
  lu.assertEquals(text.bar(0, 4), "····")
  lu.assertEquals(text.bar(1, 4), "████")
  lu.assertEquals(text.bar(7, 4), "████")
  lu.assertEquals(text.bar(0.5, 4), "██··")
end

function T.test_clean_leaves_nothing_that_moves_the_cursor()
  lu.assertEquals(text.clean "a\27[2Jb\r\nc", "a [2Jb  c")
  lu.assertEquals(text.clean "\xff\xfeok", "?ok")
  lu.assertEquals(text.clean "été", "été")
  lu.assertNotStrContains(text.clean "a\u{9b}b", "\u{9b}")
  lu.assertNotNil(utf8.len(text.clean "é\xc3 夜\x80"))
end

function T.test_numbers_as_a_person_reads_them()
  lu.assertEquals({ text.credits(25), text.credits(12.5), text.credits(0.125),
    text.credits(100), text.credits(0) }, { "25", "12.5", "0.125", "100", "0" })
  lu.assertEquals({ text.clock(7), text.clock(750), text.clock(3723), text.clock(59.6) },
    { "0:07", "12:30", "1:02:03", "1:00" })
  lu.assertEquals({ text.bytes(812), text.bytes(4.2e6), text.bytes(23e9) },
    { "812 B", "4.2 MB", "23 GB" })
  lu.assertEquals({ text.count(1, "take"), text.count(3, "take") }, { "1 take", "3 takes" })
end

function T.test_spans_are_told_in_the_unit_that_fits()
  lu.assertEquals(text.span(41.4), "41 s")
  lu.assertEquals(text.span(119), "119 s")
  lu.assertEquals(text.span(150), "3 min")
  lu.assertEquals(text.span(5 * 3600 + 61), "5 h 01 min")
  lu.assertEquals(text.span(3 * 86400), "3 days")
end

function T.test_a_time_of_another_day_has_its_date()
  local now = os.time { year = 2026, month = 11, day = 23, hour = 14, min = 20 }
  lu.assertEquals(when.of(now - 3600, now), "13:20")
  lu.assertEquals(when.of(now + 86400, now), "2026-11-24 14:20")
end

function T.test_the_number_of_a_take_is_never_cut_away()
  lu.assertEquals(text.take("street", "t001", 30), "street t001")
  lu.assertEquals(text.take("a_very_long_name", "t012", 12), "a_very… t012")
end

function T.test_thousandths_are_told_as_credits()
  lu.assertEquals(text.thousandths(60000), "60")
  lu.assertEquals(text.thousandths(12345), "12.345")
end

function T.test_paint_only_with_colour()
  lu.assertEquals(text.painter(true)("red", "x"), "\27[31mx\27[0m")
  lu.assertEquals(text.painter(false)("red", "x"), "x")
end

return T
