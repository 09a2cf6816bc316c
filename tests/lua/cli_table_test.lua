local lu = require "luaunit"
local tables = require "rushes.cli.table"
local text = require "rushes.cli.text"

local T = {}

local plain, colour = text.painter(false), text.painter(true)

local COLUMNS = { { title = "shot", most = 8 }, { title = "credits", right = true },
  { title = "note" }, { title = "why", wrap = true } }

local function lines(rows, width, more)
  local opts = { paint = plain, width = width }
  for k, v in pairs(more or {}) do opts[k] = v end
  return tables.lines(COLUMNS, rows, opts)
end

function T.test_columns_are_as_wide_as_their_cells_and_numbers_end_together()
  lu.assertEquals(lines { { "street", "25", "x", "new" }, { "a", "7.5", "", "" } }, {
    "  shot    credits  note  why",
    "  street       25  x     new",
    "  a           7.5" })
end

function T.test_columns_without_text_are_left_out()
  lu.assertEquals(lines({ { "street", "25" }, { "a", "7.5" } }), {
    "  shot    credits", "  street       25", "  a           7.5" })
  lu.assertEquals(lines {}, {})
end

function T.test_long_cells_are_cut_to_what_their_column_may_take()
  lu.assertEquals(lines { { "a_long_name", "1" } }[2], "  a_long_…        1")
end

function T.test_the_last_cell_goes_on_below()
  local rows = { { "street", "25", "", "the prompt has changed since take t001 was made" } }
  lu.assertEquals(lines(rows, 46), {
    "  shot    credits  why",
    "  street       25  the prompt has changed",
    "                   since take t001 was made" })
  for _, line in ipairs(lines(rows, 46)) do lu.assertTrue(text.width(line) <= 46) end
end

function T.test_where_there_is_no_room_beside_it_stands_below()
  local rows = { { "street", "25", "", "the prompt has changed since" } }
  lu.assertEquals(lines(rows, 36), {
    "  shot    credits  why",
    "  street       25",
    "      the prompt has changed since" })
  rows[2] = { "lobby", "5", "", "new" } -- what fits stands beside
  lu.assertEquals(lines(rows, 36)[4], "  lobby         5  new")
  lu.assertEquals(lines(rows, 21)[1], "  shot    credits") -- no room for its title
end

function T.test_without_a_wrapped_column_lines_are_cut_to_the_width()
  local columns = { { title = "a" }, { title = "b" } }
  local rows = { { "1234567", { "1234567890", "red" } } }
  for width = 4, 24 do
    for _, line in ipairs(tables.lines(columns, rows, { paint = colour, width = width })) do
      lu.assertTrue(text.width((line:gsub("\27%[%d+m", ""))) <= width)
    end
  end
end

function T.test_cells_have_styles()
  local columns = { { title = "a" } }
  lu.assertEquals(tables.lines(columns, { { { "x", "red" } } }, { paint = colour,
    titles = false, indent = 0 }), { "\27[31mx\27[0m" })
end

function T.test_text_wraps_at_spaces()
  lu.assertEquals(text.wrap("one two three", 7), { "one two", "three" })
  lu.assertEquals(text.wrap("one", 7), { "one" })
  lu.assertEquals(text.wrap("incomprehensible word", 8), { "incompr…", "word" })
end

function T.test_on_a_narrow_screen_texts_give_way_and_numbers_stay()
  local columns = { { title = "budget" }, { title = "take", cut = text.cut_take },
    { title = "spent", right = true }, { title = "left", right = true } }
  local rows = { { "a budget with a long name", "lobby-at-night t001", "1234.125", "98765" } }
  lu.assertEquals(tables.lines(columns, rows, { paint = plain, width = 44 }), {
    "  budget       take             spent   left",
    "  a budget w…  lobby-… t001  1234.125  98765" })
end

function T.test_a_reason_below_leaves_no_empty_line_below_the_titles()
  local columns = { { title = "take" }, { title = "credits", right = true },
    { title = "why", wrap = true } }
  local rows = { { ("x"):rep(20), "25", "it has changed since it was made" } }
  local out = tables.lines(columns, rows, { paint = plain, width = 24 })
  lu.assertEquals(#out, 4)
  lu.assertEquals(out[1], "  take           credits")
  for _, line in ipairs(out) do lu.assertTrue(text.width(line) <= 24, line) end
end

return T
