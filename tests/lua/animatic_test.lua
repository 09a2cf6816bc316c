-- The simulator's picture makers: arguments and words only; ffmpeg is not run here.
local animatic = require "rushes.sim.animatic"
local burnin = require "rushes.sim.burnin"
local dice = require "rushes.sim.dice"
local lu = require "luaunit"
local plate = require "rushes.sim.plate"
local still = require "rushes.sim.still"

local T = {}

local NASTY = "50% of \"all\": it's [a];\nnew\tline, b\\c \u{1F303}\u{1F303} caf\u{E9} \xFF"

local function clip(over)
  local o = { image = "/in/hero.png", width = 1280, height = 720, seconds = 5, seed = 7,
    slate = "/out/a.txt", out = "/out/a.mp4.part", model = "gen4.5", prompt = "a street" }
  for key, value in pairs(over or {}) do o[key] = value end
  return o
end

local function after(argv, flag)
  for i, word in ipairs(argv) do
    if word == flag then return argv[i + 1] end
  end
end

local function columns(line) return assert(utf8.len(line)) end

function T.test_argv_is_a_list_of_strings_for_one_process()
  local argv = animatic.args(clip())
  for i, word in ipairs(argv) do
    lu.assertIsString(word, "argument " .. i)
  end
  lu.assertEquals(argv[1], "ffmpeg")
  lu.assertEquals(after(argv, "-i"), "file:/in/hero.png")
  lu.assertEquals(argv[#argv], "file:/out/a.mp4.part")
  lu.assertEquals(after(argv, "-f"), "mp4")
  lu.assertEquals(after(argv, "-progress"), "pipe:1")
  lu.assertEquals(after(argv, "-frames:v"), "120")
  lu.assertEquals(after(argv, "-threads"), "1")
  lu.assertEquals(after(argv, "-colorspace"), "bt709")
end

function T.test_expected_counts_frames()
  lu.assertEquals(animatic.expected(clip()).frames, 120)
  lu.assertEquals(animatic.expected(clip { seconds = 2.5 }).frames, 60)
  local e = animatic.expected(clip { frames = 48, fps = 30 })
  lu.assertEquals({ e.frames, e.fps, e.width, e.height }, { 48, 30, 1280, 720 })
  lu.assertAlmostEquals(e.seconds, 1.6, 1e-9)
end

function T.test_same_seed_same_arguments_another_seed_another_move()
  lu.assertEquals(animatic.args(clip()), animatic.args(clip()))
  local moves = {}
  for seed = 1, 40 do
    local graph = after(animatic.args(clip { seed = seed }), "-filter_complex")
    moves[graph:match "zoompan=[^,]*"] = true
  end
  local n = 0
  for _ in pairs(moves) do n = n + 1 end
  lu.assertTrue(n >= 10, "40 seeds gave only " .. n .. " camera moves")
end

function T.test_sizes_that_h264_cannot_have_are_refused()
  lu.assertErrorMsgContains("even whole numbers of pixels, got 1279 x 720",
    animatic.args, clip { width = 1279 })
  lu.assertErrorMsgContains("seconds or frames above zero", animatic.args, clip { seconds = 0 })
  lu.assertErrorMsgContains("got fast", animatic.args, clip { preset = "fast" })
end

function T.test_prompt_stays_out_of_the_arguments()
  local argv = animatic.args(clip { prompt = NASTY })
  for _, word in ipairs(argv) do
    lu.assertNotStrContains(word, "50%")
    lu.assertNotStrContains(word, "caf")
  end
  lu.assertStrContains(after(argv, "-filter_complex"), "expansion=none:textfile=/out/a.txt")
end

function T.test_names_that_stand_in_the_filter_cannot_break_it()
  local graph = after(animatic.args(clip { show = "a'b", shot = "c:d,[e];%{f}\\", take = 3 }),
    "-filter_complex")
  lu.assertStrContains(graph, "text='ab / cdef / t003'")
end

function T.test_escape_quotes_for_the_option_and_for_the_graph()
  lu.assertEquals(burnin.escape "/a/b c.txt", "/a/b c.txt")
  lu.assertEquals(burnin.escape "a:b", "a\\\\:b")
  lu.assertEquals(burnin.escape "it's", "it\\\\\\'s")
  lu.assertEquals(burnin.escape "[a],b;c", "\\[a\\]\\,b\\;c")
  lu.assertEquals(burnin.escape "a\\b", "a\\\\\\\\b")
end

function T.test_clean_keeps_what_the_font_can_draw()
  lu.assertEquals(burnin.clean(NASTY), "50% of \"all\": it's [a]; new line, b\\c · café ·")
  lu.assertEquals(burnin.clean "  \r\n a\0b  ", "a b")
  lu.assertEquals(burnin.clean "\u{6F22}\u{5B57} x\u{200D}y", "· xy")
  lu.assertEquals(burnin.clean "\xC3", "·")
  lu.assertEquals(burnin.clean "", "")
end

function T.test_wrap_breaks_between_words_and_ends_with_an_ellipsis()
  lu.assertEquals(burnin.wrap("one two three", 7, 3), { "one two", "three" })
  lu.assertEquals(burnin.wrap("one two three four", 8, 2), { "one two", "three f…" })
  lu.assertEquals(burnin.wrap("one two, three", 8, 1), { "one two…" })
  lu.assertEquals(burnin.wrap("abcdefghij", 4, 3), { "abcd", "efgh", "ij" })
  lu.assertEquals(burnin.wrap("\u{E9}\u{E9}\u{E9}\u{E9}\u{E9}", 3, 1), { "éé…" })
  lu.assertEquals(burnin.wrap("", 4, 3), {})
end

function T.test_a_long_prompt_neither_covers_nor_leaves_the_frame()
  local sizes = { { 1280, 720 }, { 720, 1280 }, { 1584, 672 }, { 480, 854 }, { 3840, 2160 } }
  for _, size in ipairs(sizes) do
    local o = clip { width = size[1], height = size[2],
      prompt = ("Wide words \u{1F303} 100% "):rep(60), credits = 60 }
    local m = burnin.metrics(o.width, o.height, 68)
    local n = 0
    for line in (animatic.slate(o) .. "\n"):gmatch "([^\n]*)\n" do
      n = n + 1
      lu.assertTrue(columns(line) <= m.columns, line)
    end
    lu.assertEquals(n, 4)
    lu.assertTrue(m.margin * 2 + m.box <= o.width)
    lu.assertTrue(n * m.line < math.min(o.width, o.height) / 5)
  end
end

function T.test_slate_says_model_seed_and_credits()
  lu.assertEquals(animatic.slate(clip { credits = 12.5 }),
    "gen4.5 │ seed 7 │ 12.5 credits\na street")
  lu.assertEquals(animatic.slate { width = 1280, height = 720, model = "aleph2" }, "│ aleph2")
end

function T.test_without_picture_a_plate_without_slate_no_words()
  local o = clip()
  o.image, o.slate = nil, nil
  local argv = animatic.args(o)
  lu.assertNil(after(argv, "-i"))
  local graph = after(argv, "-filter_complex")
  lu.assertStrContains(graph, "gradients=")
  lu.assertNotStrContains(graph, "drawtext")
end

function T.test_progress_reads_frames_and_the_end()
  lu.assertEquals(animatic.progress "frame=57", 57)
  lu.assertEquals(animatic.progress "frame=  120\r", 120)
  lu.assertEquals(animatic.progress "progress=end", "end")
  lu.assertNil(animatic.progress "progress=continue")
  lu.assertNil(animatic.progress "out_time_us=5000000")
  lu.assertNil(animatic.progress "")
end

function T.test_mood_follows_the_prompt_else_the_seed()
  local street = plate.mood("walks through a street, golden hour, shallow depth of field", 1)
  lu.assertEquals({ street.scene, street.words[1] }, { "city", "golden hour" })
  lu.assertEquals(plate.mood("a modern office lobby", 1).scene, "room")
  lu.assertEquals(plate.mood("she searches", 5), plate.mood(nil, 5), "sea is not in searches")
  lu.assertEquals(plate.mood(nil, 5), plate.mood("", 5))
end

function T.test_cast_gives_each_reference_its_part()
  local hero, neon = { path = "h", kind = "character" }, { path = "n", kind = "style" }
  local watch = { path = "w", kind = "prop" }
  lu.assertEquals(still.cast { neon, hero, watch }, { figure = 2, place = 1, insets = { 3 } })
  lu.assertEquals(still.cast { watch, neon }, { figure = 1, place = 2, insets = {} })
  lu.assertEquals(still.cast { { path = "a" }, { path = "b" } },
    { figure = 1, place = 2, insets = {} })
  lu.assertEquals(still.cast { { path = "a", width = 1280, height = 720 } },
    { place = 1, insets = {} })
  lu.assertEquals(still.cast { hero, hero, neon, watch }, { figure = 1, place = 3, insets = { 2 } })
  lu.assertEquals(still.cast {}, { insets = {} })
end

function T.test_still_reads_each_reference_once_and_writes_one_png()
  local o = { references = { { path = "/h.png", tag = "hero", kind = "character" },
    { path = "/n.png", tag = "neon", kind = "style" } }, width = 1280, height = 720, seed = 3,
    prompt = NASTY, model = "gen4_image", slate = "/s.txt", out = "/s.png.part" }
  local argv, inputs = still.args(o), {}
  for i, word in ipairs(argv) do
    lu.assertIsString(word)
    lu.assertNotStrContains(word, "50%")
    if word == "-i" then inputs[#inputs + 1] = argv[i + 1] end
  end
  lu.assertEquals(inputs, { "file:/h.png", "file:/n.png" })
  lu.assertEquals({ argv[1], argv[#argv], after(argv, "-f") },
    { "ffmpeg", "file:/s.png.part", "image2pipe" })
  lu.assertStrContains(still.slate(o), "@hero @neon │ gen4_image │ seed 3\n50% of")
  o.references = nil
  lu.assertNil(after(still.args(o), "-i"))
end

function T.test_dice_are_fair_to_their_bounds_and_repeat()
  local a, b, seen = dice(99), dice(99), {}
  for _ = 1, 200 do
    local n = a(-2, 2)
    lu.assertEquals(n, b(-2, 2))
    lu.assertTrue(n >= -2 and n <= 2)
    seen[n] = true
  end
  for n = -2, 2 do lu.assertTrue(seen[n], "never threw " .. n) end
end

return T
