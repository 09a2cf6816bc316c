--- What a script may get wrong, and what the machine may: a sentence, the right status,
--- nothing bought, nothing half written, and no key anywhere (studio:run looks for it).
local fs = require "rt.fs"
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

--- Nothing was bought and nothing but the script is there.
local function assert_untouched(s, dir)
  lu.assertEquals(s:bill().created, 0)
  lu.assertEquals(studio.files(dir or s.dir), { "script.lua" })
end

--- Run the source: refused with this status and this sentence, and without a trace.
local function refused(s, code, sentence, source)
  local dir = s.dir .. "/" .. ("%p"):format({}):match "%x+$"
  local r = s:run(source, { dir = dir })
  lib.assert_code(r, code)
  lu.assertStrContains(r.stderr, sentence)
  lu.assertNotStrContains(r.stderr, "fault in rushes")
  assert_untouched(s, dir)
end

--- All the cases at once: {status, sentence, source}.
local function all_refused(cases)
  studio.with({}, function(s)
    task.scope(function(scope)
      for _, case in ipairs(cases) do
        scope:spawn(refused, s, case[1], case[2], case[3])
      end
    end)
  end)
end

-- ---- values ----

function T.test_what_no_model_takes_is_refused_offline()
  all_refused {
    { 1, 'did you mean "gen4_turbo"?', studio.script(
      'show.policy = rushes.policy.fixed { model = "gen4_trubo" }\n'
      .. 'show:shot { name = "a", prompt = "A street" }') },
    { 1, 'ratio is "16:9"', studio.script({ "A street" }, 'ratio = "16:9"') },
    { 1, 'did you mean "1280:720"?', studio.script({ "A street" }, 'ratio = "16:9"') },
    { 1, "the greatest allowed is 10", studio.script
      'show:shot { name = "a", prompt = "A street", seconds = 11 }' },
    { 1, "at least 1 is needed", studio.script 'show:shot { name = "a" }' },
  }
end

local function script_with_prompt(prompt)
  return studio.script(([[show:shot { name = "a", prompt = %s }]]):format(prompt))
end

function T.test_a_prompt_is_counted_in_utf16_units()
  all_refused {
    { 1, "has 1001 characters (UTF-16 code units)",
      script_with_prompt '("😀"):rep(500) .. "x"' },
    { 1, "1001", script_with_prompt '("x"):rep(1001)' },
  }
  studio.with({}, function(s)
    for i, prompt in ipairs { '("😀"):rep(500)', '("ü"):rep(998) .. "😀"' } do
      lib.assert_code(s:run(script_with_prompt(prompt)), 0)
      lu.assertEquals(s:bill().succeeded, i)
    end
  end)
end

-- ---- misspelt and misused ----

local function in_show(code)
  return 'local rushes = require "rushes"\n'
    .. 'local show = rushes.show { name = "night" }\n' .. code
end

function T.test_unknown_fields_are_met_with_a_hint()
  all_refused {
    { 7, 'show has no field "bugdet" (did you mean "budget"?)',
      'require("rushes").show { name = "night", bugdet = 5 }' },
    { 7, 'shot has no field "promt" (did you mean "prompt"?)',
      in_show 'show:shot { name = "a", promt = "x" }' },
    { 7, 'character has no field "imgae" (did you mean "image"?)',
      in_show 'show:character("hero", { imgae = "hero.png" })' },
    { 7, 'policy.fixed has no field "modle" (did you mean "model"?)',
      'require("rushes").policy.fixed { modle = "x" }' },
    { 7, 'a row of policy.by_budget has no field "abov" (did you mean "above"?)',
      'require("rushes").policy.by_budget { { abov = 1 } }' },
    { 1, 'no field "modle" (did you mean "model"?)', in_show [[
      show:shot { name = "a", prompt = "x" }
      show.policy = function() return { modle = "gen4.5" } end
      show:shoot()]] },
    { 7, 'show:shoot has no field "olny" (did you mean "only"?)', in_show [[
      show:shot { name = "a", prompt = "x" }
      show:shoot { olny = 1 }]] },
    { 7, 'shot has no field or method "seconds_" (did you mean "seconds"?)', in_show [[
      print(show:shot { name = "a", prompt = "x" }.seconds_)]] },
    { 7, 'rushes has no "tempalte" (did you mean "template"?)',
      'require("rushes").tempalte "x"' },
    { 7, 'template: {light} was not given', 'require("rushes").template "{who} {light}" { who = "x" }' },
    { 7, 'there is no provider "runwya" (did you mean "runway"?)',
      'require("rushes").provider "runwya"' },
    { 7, 'there is no provider "runwya"', 'require("rushes").show { name = "a", provider = "runwya" }' },
  }
end

function T.test_values_of_the_wrong_type_are_named()
  all_refused {
    { 7, "show night: ratio must be a string, not a number",
      'require("rushes").show { name = "night", ratio = 16/9 }' },
    { 7, "show night: policy must be a function, not a string",
      'require("rushes").show { name = "night", policy = "gen4.5" }' },
    { 7, "show night: budget is a number of credits from 0 on, not the text \"lots\"",
      'require("rushes").show { name = "night", budget = "lots" }' },
    { 7, "it names the folder", 'require("rushes").show { name = "../night" }' },
    { 7, "it takes letters, digits", in_show 'show:shot { name = "a/b", prompt = "x" }' },
    { 7, 'character "hero" needs a picture', in_show 'show:character("hero", {})' },
    { 7, 'character "hero": image must be a string, not a number',
      in_show 'show:character("hero", { image = 5 })' },
    { 7, "images[2] must be a path or an https URL, not a boolean",
      in_show 'show:character("hero", { images = { "a.png", true } })' },
    { 7, "refs is a list, as in refs = { hero }",
      in_show 'show:shot { name = "a", prompt = "x", refs = { hero = {} } }' },
    { 7, "refs[1] is a string", in_show 'show:shot { name = "a", prompt = "x", refs = { "hero" } }' },
    { 7, "first_frame must be a path, an https URL or a reference, not a number",
      in_show 'show:shot { name = "a", prompt = "x", first_frame = 5 }' },
    { 7, "for one of them say shot:shoot()", in_show [[
      show:shot { name = "a", prompt = "x" }
      show:shoot "a"]] },
    { 1, "the policy is a string; it must be a function", in_show [[
      show.policy = "gen4.5"
      show:shot { name = "a", prompt = "x" }
      show:shoot()]] },
  }
end

function T.test_a_script_that_cannot_be_read_or_fails_before_it_shoots()
  all_refused {
    { 7, "script.lua:2: unexpected symbol near '='", 'show {}\nlocal x = = 1' },
    { 7, "script.lua:4: attempt to index a nil value",
      in_show 'local sun\nshow:shot { name = "a", prompt = sun.light }' },
  }
end

function T.test_an_error_in_one_policy_does_not_stop_the_others()
  studio.with({}, function(s)
    local r = s:run(studio.script [[
      show:shot { name = "a", prompt = "A street" }
      show:shot { name = "b", prompt = "A lobby",
        policy = function(shot) return shot.name.first.letter end }
      show:shot { name = "c", prompt = "A roof" }]])
    lib.assert_code(r, 1)
    lu.assertEquals(r.stdout, "a\tlanded\t60\tnight/a_t001.mp4\nb\tfailed\t0\tscript\n"
      .. "c\tlanded\t60\tnight/c_t001.mp4\n")
    lu.assertStrContains(r.stderr, "script.lua:5: attempt to index a nil value (field 'first')")
    lu.assertEquals(s:bill().created, 2)
  end)
end

-- ---- keys ----

function T.test_a_key_that_the_provider_refuses_is_4()
  studio.with({}, function(s)
    local other = studio.KEY:gsub("0000", "1111")
    for _, wrong in ipairs { other, "5ec2e7c0ffee", other:sub(1, 60) } do
      local r = s:run(studio.script { "A street", "A lobby" },
        { env = studio.env(s.sim.url, wrong) })
      lib.assert_code(r, 4)
      lu.assertStrContains(r.stderr, "does not accept the key (401); check RUNWAYML_API_SECRET")
      assert_untouched(s)
    end
  end)
end

function T.test_a_key_with_a_line_break_is_refused_before_it_is_sent()
  studio.with({}, function(s)
    local r = s:run(studio.script { "A street" },
      { env = studio.env(s.sim.url, studio.KEY .. "\nX-Other: 1") })
    lib.assert_code(r, 4)
    lu.assertStrContains(r.stderr, "RUNWAYML_API_SECRET")
    assert_untouched(s)
  end)
end

-- ---- pictures ----

--- A PNG of `mb` MB: a small picture and a comment that no reader looks at.
local function big_png(path, mb)
  local png = assert(fs.read(assert(os.getenv "PWD") .. "/scripts/refs/neon.png"))
  local crc = "\0\0\0\0" -- of a chunk that is skipped unread
  local filler = ("x"):rep(mb << 20)
  local chunk = (">I4"):pack(#filler) .. "tEXt" .. filler .. crc
  assert(fs.write(path, png:sub(1, 33) .. chunk .. png:sub(34)))
end

local BIG = [[
local rushes = require "rushes"
local show = rushes.show { name = "night", provider = %q }
local hero = show:character("hero", { image = "hero.png" })
for _, name in ipairs { "a", "b", "c" } do
  show:shot { name = name, prompt = "A street", refs = { hero } }
end
show.policy = rushes.policy.fixed { model = %q }
for _, take in ipairs(show:shoot()) do print(take.status) end]]

function T.test_a_picture_of_20_MB_is_uploaded_once_where_uploads_are()
  studio.with({}, function(s)
    local uploads, receive = 0, s.sim.uploads.receive
    function s.sim.uploads.receive(...)
      uploads = uploads + 1
      return receive(...)
    end
    big_png(s.dir .. "/hero.png", 20)
    local r = s:run(BIG:format("runway", "gen4_turbo"))
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "landed\nlanded\nlanded\n")
    lu.assertEquals(uploads, 1)
    lu.assertEquals(s:bill().succeeded, 6)
  end)
end

function T.test_a_picture_of_20_MB_is_refused_where_no_uploads_are()
  studio.with({}, function(s)
    big_png(s.dir .. "/hero.png", 20)
    local r = s:run(BIG:format("gen4", "gen4"))
    lib.assert_code(r, 1)
    lu.assertStrContains(r.stderr, "hero.png")
    lu.assertStrContains(r.stderr, "MB")
    lu.assertEquals(s:bill().created, 0)
    lu.assertEquals(studio.files(s.dir), { "hero.png", "script.lua" })
  end)
end

function T.test_a_picture_that_is_none_is_refused()
  studio.with({}, function(s)
    for content, sentence in pairs { ["GIF89a\1\0\1\0\0\0\0;"] = "GIF picture, which is not accepted",
      [""] = "is empty", ["\137PNG\r\n\26\n"] = "cut off or damaged",
      ["just words"] = "is not a picture" } do
      assert(fs.write(s.dir .. "/hero.png", content))
      local r = s:run(in_show 'show:character("hero", { image = "hero.png" })')
      lib.assert_code(r, 7)
      lu.assertStrContains(r.stderr, sentence)
      lu.assertStrContains(r.stderr, "script.lua:3")
    end
    lu.assertEquals(s:bill().created, 0)
  end)
end

function T.test_a_missing_first_frame_fails_its_shot_only()
  studio.with({}, function(s)
    local r = s:run(studio.script [[
      show:shot { name = "a", prompt = "A street", first_frame = "gone.png" }
      show:shot { name = "b", prompt = "A street" }]])
    lib.assert_code(r, 1)
    lu.assertStrContains(r.stderr, 'there is no picture or clip "gone.png"')
    lu.assertEquals(s:bill().created, 1)
  end)
end

-- ---- the other side ----

function T.test_a_server_that_is_down_is_6_and_nothing_stays_held()
  lib.in_folder(function(dir)
    assert(fs.write(dir .. "/script.lua", studio.script({ "A", "B" }, "budget = 200")
      .. "\nprint(show.ledger:left() // 1000)"))
    local r = lib.rushes { "run", "script.lua", cwd = dir,
      env = studio.env "http://127.0.0.1:1" }
    lib.assert_code(r, 6)
    lu.assertEquals(r.stdout, "s1\tfailed\t0\tnetwork\ns2\tfailed\t0\tnetwork\n200\n")
    lu.assertStrContains(r.stderr, "cannot connect to http://127.0.0.1:1")
    lu.assertEquals(studio.files(dir), { "script.lua" })
  end)
end

-- ---- the disk ----

local function on_own_disk(s, options, source)
  local words = lib.own_disk(options)
  assert(fs.mkdir(s.dir .. "/night"))
  assert(fs.write(s.dir .. "/script.lua", source))
  local args = { cwd = s.dir, env = studio.env(s.sim.url), table.unpack(words) }
  for _, word in ipairs { lib.RUSHES, "run", "script.lua" } do args[#args + 1] = word end
  return assert(proc.run(args))
end

--- The disk fills up while the clip is being made.
local FULL = [[
local event = require "rushes.event"
event.subscribe(function(kind, f)
  if kind ~= "submitted" or f.stage ~= %q then return end
  local filler = io.open("night/filler", "wb")
  filler:setvbuf "no"
  repeat until not filler:write(("x"):rep(512))
  filler:close()
end)
local rushes = require "rushes"
local show = rushes.show { name = "night" }
show:shot { name = "a", prompt = "A street" }
local take = show:shoot()[1]
print(take.status, take.err.code, take.credits, take.err.id == take.id)
for _, entry in ipairs(rushes.fs.list "night") do print(entry.name) end]]

local JOURNAL = "journal.db\njournal.db-shm\njournal.db-wal\njournal.lock\njournal.reserve\n"

function T.test_a_disk_that_is_full_costs_no_clip()
  studio.with({}, function(s)
    local r = on_own_disk(s, "size=4m", FULL:format "motion")
    lib.assert_code(r, 1)
    lu.assertEquals(r.stdout, "failed\tno_space\t30\ttrue\na_t001_still.png\nfiller\n" .. JOURNAL)
    local id = s.sim.tasks:list()[2].id
    lu.assertStrContains(r.stderr, ("the clip has been made and paid for (25 credits, task %s),"
      .. " but could not be saved"):format(id))
    lu.assertStrContains(r.stderr, "No space left on device")
    lu.assertStrContains(r.stderr, "(30 credits charged)")
  end)
end

function T.test_a_still_that_cannot_be_saved_buys_no_motion()
  studio.with({}, function(s)
    local r = on_own_disk(s, "size=4m", FULL:format "still")
    lib.assert_code(r, 1)
    lu.assertEquals(r.stdout, "failed\tno_space\t5\ttrue\nfiller\n" .. JOURNAL)
    lu.assertStrContains(r.stderr, "the still has been made and paid for (5 credits")
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_a_folder_that_cannot_be_written_is_found_before_money_is_spent()
  studio.with({}, function(s)
    local r = on_own_disk(s, "ro", studio.script { "A street" })
    lib.assert_code(r, 1)
    lu.assertStrContains(r.stderr, 'no clip can be written to the folder "night", so nothing was sent')
    lu.assertStrContains(r.stderr, "the file system is mounted read-only")
    lu.assertEquals(s:bill().created, 0)
  end)
end

function T.test_a_folder_that_cannot_be_made_is_found_before_money_is_spent()
  studio.with({}, function(s)
    local r = s:run(studio.script({ "A street" }, 'output = "script.lua/clips"'))
    lib.assert_code(r, 7)
    lu.assertStrContains(r.stderr, 'no clip can be written to the folder "script.lua/clips"')
    assert_untouched(s)
  end)
end

return T
