--- Running a script again is resuming it: what has landed is not bought again, what is
--- under way is followed, what changed is bought anew under the next number.
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local HERO = [[
local png = %q
local hero = show:character("hero", { image = png })
show:shot { name = "street", prompt = "She walks", refs = { hero } }
]]

local PICTURE = lib.SCRIPTS:gsub("tests/e2e/scripts$", "scripts/refs/protagonist.png")

--- As if the program was killed between a clip's rename and the journal.
local WITHOUT_FILES = "UPDATE attempts SET path = NULL, bytes = NULL, mtime = NULL,"
  .. " sha256 = NULL, landed = NULL"

local function hero() return HERO:format(PICTURE) end

--- Run the source twice; the second run must buy nothing.
local function twice(s, source, flags)
  lib.assert_code(s:run(source, flags and { table.unpack(flags) }), 0)
  local before = s:bill()
  local again = s:run(source, flags and { table.unpack(flags) })
  lib.assert_code(again, 0)
  local after = s:bill()
  lu.assertEquals({ after.created, after.charged }, { before.created, before.charged })
  return again
end

function T.test_what_has_landed_costs_nothing()
  studio.with({}, function(s)
    local again = twice(s, studio.script { "A street", "A roof" })
    lu.assertStrContains(again.stdout, "night/s1_t001.mp4")
    lu.assertStrContains(again.stderr, "is there already")
    lu.assertEquals(studio.files(s.dir .. "/night"), { "s1_t001.mp4", "s2_t001.mp4" })
  end)
end

function T.test_a_still_is_used_again_when_only_the_motion_changes()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script(hero())), 0)
    local longer = hero():gsub("refs = ", "seconds = 8, refs = ")
    lib.assert_code(s:run(studio.script(longer)), 0)
    lu.assertEquals(s:bill().created, 3)
    local files = studio.files(s.dir .. "/night")
    lu.assertItemsEquals(files, { "street_t001.mp4", "street_t001_still.png", "street_t002.mp4" })
    -- and back: nothing is bought
    lib.assert_code(s:run(studio.script(hero())), 0)
    lu.assertEquals(s:bill().created, 3)
  end)
end

function T.test_comments_and_order_change_nothing()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script { "A street", "A roof" }), 0)
    lib.assert_code(s:run(studio.script([[
      -- the roof comes first now
      show:shot { prompt = "A roof", name = "s2", seconds = 5.0 }
      show:shot { prompt = "A street", name = "s1" }]])), 0)
    lu.assertEquals(s:bill().created, 2)
  end)
end

function T.test_a_missing_or_changed_file_is_downloaded_again_for_free()
  studio.with({}, function(s)
    local source = studio.script { "A street", "A roof" }
    lib.assert_code(s:run(source), 0)
    local one, two = s.dir .. "/night/s1_t001.mp4", s.dir .. "/night/s2_t001.mp4"
    local bytes = assert(fs.read(one))
    assert(fs.remove(one))
    assert(fs.write(two, "somebody wrote over it"))
    lib.assert_code(s:run(source), 0)
    lu.assertEquals(s:bill().created, 2)
    lu.assertEquals(fs.read(one), bytes)
    lu.assertEquals(fs.read(two .. ".changed-1"), "somebody wrote over it")
    lu.assertEquals(#assert(fs.read(two)) > 100, true)
  end)
end

function T.test_links_that_stay_expired_are_no_reason_to_buy_anew()
  studio.with({ faults = "expired_url:x3" }, function(s)
    local r = s:run(studio.script { "a" })
    lib.assert_code(r, 5)
    lu.assertStrContains(r.stderr, "running the script again downloads it")
    lu.assertNotStrContains(r.stderr, "--force")
    lib.assert_code(s:run(studio.script { "a" }), 0)
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_a_clip_that_a_killed_run_has_left_is_no_other_file()
  studio.with({}, function(s)
    local source = studio.script { "A street" }
    lib.assert_code(s:run(source), 0)
    local before = studio.files(s.dir .. "/night")
    s:tamper(WITHOUT_FILES)
    s:tamper("UPDATE attempts SET state = 'succeeded'")
    lib.assert_code(s:run(source), 0)
    lu.assertEquals(studio.files(s.dir .. "/night"), before)
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_verify_finds_what_size_and_time_do_not_tell()
  studio.with({}, function(s)
    local source = studio.script { "A street" }
    lib.assert_code(s:run(source), 0)
    local file = s.dir .. "/night/s1_t001.mp4"
    local bytes = assert(fs.read(file))
    local damaged = bytes:sub(1, -2) .. string.char((bytes:byte(-1) + 1) % 256)
    assert(fs.write(file, damaged))
    s:tamper("UPDATE attempts SET mtime = ?", assert(fs.stat(file)).mtime)
    lib.assert_code(s:run(source), 0)
    lu.assertEquals(fs.read(file), damaged)
    lib.assert_code(s:run(source, { "--verify" }), 0)
    lu.assertEquals(fs.read(file), bytes)
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_an_accepted_take_is_followed()
  studio.with({}, function(s)
    local source = studio.script { "A street" }
    lib.assert_code(s:run(source), 0)
    assert(fs.remove(s.dir .. "/night/s1_t001.mp4"))
    s:tamper(WITHOUT_FILES)
    s:tamper("UPDATE attempts SET state = 'accepted', held = 60000, cost = NULL")
    local r = s:run(source)
    lib.assert_code(r, 0)
    lu.assertEquals(s:bill().created, 1)
    lu.assertEquals(s:journal("SELECT state, held, cost FROM attempts"),
      { { state = "landed", held = 0, cost = 60000 } })
  end)
end

function T.test_what_was_only_intended_is_asked_for_anew()
  studio.with({}, function(s)
    local source = studio.script { "A street" }
    lib.assert_code(s:run(source), 0)
    s:tamper(WITHOUT_FILES)
    s:tamper("UPDATE attempts SET state = 'intent', held = 60000, cost = NULL")
    lib.assert_code(s:run(source), 0)
    lu.assertEquals(s:bill().created, 2)
    lu.assertEquals(s:journal("SELECT state, held, cost FROM attempts ORDER BY n"),
      { { state = "dropped", held = 0, cost = 0 }, { state = "landed", held = 0, cost = 60000 } })
  end)
end

function T.test_what_was_sent_without_an_answer_is_unknown_and_keeps_its_credits()
  studio.with({}, function(s)
    local source = studio.script({ "A street" }, "budget = 100")
    lib.assert_code(s:run(source), 0)
    s:tamper(WITHOUT_FILES)
    s:tamper("UPDATE attempts SET state = 'sent', held = 60000, cost = NULL")
    local r = s:run(source)
    lib.assert_code(r, 9)
    lu.assertStrContains(r.stdout, "unknown")
    lu.assertStrContains(r.stderr, "rushes reconcile night")
    lu.assertEquals(s:bill().created, 1)
    -- 60 of 100 are held, so another one does not fit
    r = s:run(source, { "--on-unknown", "resubmit" })
    lib.assert_code(r, 8)
    lu.assertEquals(s:bill().created, 1)
    r = s:run(studio.script({ "A street" }, "budget = 120"), { "--on-unknown", "resubmit" })
    lib.assert_code(r, 0)
    lu.assertEquals(s:bill().created, 2)
    lu.assertEquals(s:journal("SELECT state, held FROM attempts ORDER BY n"),
      { { state = "resubmit", held = 60000 }, { state = "landed", held = 0 } })
  end)
end

function T.test_the_budget_counts_all_runs()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script({ "A street" }, "budget = 100")), 0)
    local r = s:run(studio.script({ "Another street" }, "budget = 100"))
    lib.assert_code(r, 8)
    lu.assertStrContains(r.stderr, "60 spent")
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_decisions_are_pinned()
  studio.with({}, function(s)
    local function source(model)
      return (studio.script { "A street" }:gsub("gen4%.5", model))
    end
    lib.assert_code(s:run(source "gen4.5"), 0)
    lib.assert_code(s:run(source "gen4_turbo"), 0)
    lu.assertEquals(s:bill().created, 1)
    lib.assert_code(s:run(source "gen4_turbo", { "--redecide" }), 0)
    lu.assertEquals(s:bill().created, 3) -- a still and a motion
    lu.assertEquals(json.decode(s:journal("SELECT decision FROM decisions")[1].decision)
      .model, "gen4_turbo")
  end)
end

function T.test_force_makes_it_anew_once()
  studio.with({}, function(s)
    local source = studio.script { "A street" }
    lib.assert_code(s:run(source), 0)
    local r = s:run(source, { "--force" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "night/s1_t002.mp4")
    lu.assertEquals(s:bill().created, 2)
    r = s:run(source)
    lu.assertStrContains(r.stdout, "night/s1_t002.mp4")
    lu.assertEquals(s:bill().created, 2)
  end)
end

function T.test_only_and_limit()
  studio.with({}, function(s)
    local source = studio.script { "A", "B", "C", "D" }
    local r = s:run(source, { "--only", "s[12]" })
    lib.assert_code(r, 0)
    lu.assertEquals(s:bill().created, 2)
    r = s:run(source, { "--limit", "1" })
    lib.assert_code(r, 0)
    lu.assertEquals(s:bill().created, 3)
    lu.assertStrContains(r.stdout, "skipped")
  end)
end

function T.test_the_same_request_twice_is_one_call()
  studio.with({}, function(s)
    local r = s:run(studio.script [[
      show:shot { name = "a", prompt = "A street", seed = 7 }
      show:shot { name = "b", prompt = "A street", seed = 7 }]])
    lib.assert_code(r, 0)
    lu.assertEquals(s:bill().created, 1)
    lu.assertStrContains(r.stdout, "b\tlanded\t0\tnight/a_t001.mp4")
  end)
end

function T.test_two_programs_cannot_run_one_show()
  studio.with({}, function(s)
    assert(fs.mkdir(s.dir .. "/night"))
    local lock = assert(fs.lock(s.dir .. "/night/journal.lock",
      '{"pid":4711,"host":"desk","since":1700000000,"script":"night.lua"}'))
    local r = s:run(studio.script { "A street" })
    lib.assert_code(r, 1)
    lu.assertStrContains(r.stderr, "process 4711 on desk since 2023-11-14")
    lu.assertStrContains(r.stderr, "night.lua")
    lu.assertEquals(s:bill().created, 0)
    lock:release()
  end)
end

function T.test_a_newer_journal_is_refused()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script { "A street" }), 0)
    s:tamper("PRAGMA user_version = 99")
    local r = s:run(studio.script { "A street" })
    lib.assert_code(r, 1)
    lu.assertStrContains(r.stderr, "was written by a newer rushes")
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_a_folder_belongs_to_one_show_and_one_account()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script { "A street" }), 0)
    local other = studio.script({ "A roof" }, 'output = "night"'):gsub('name = "night"',
      'name = "day"')
    local r = s:run(other)
    lu.assertStrContains(r.stderr, "that of show night")
    s:tamper("UPDATE meta SET value = 'https://elsewhere.example' WHERE key = 'base:runway'")
    r = s:run(studio.script { "A street" })
    lu.assertStrContains(r.stderr, "https://elsewhere.example")
    lib.assert_code(s:run(studio.script { "A street" }, { "--same-account" }), 0)
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_what_moderation_refused_is_not_sent_again()
  studio.with({}, function(s)
    local source = studio.script { "A street [[fail:SAFETY.INPUT.TEXT]]" }
    s:run(source)
    local r = s:run(source)
    lib.assert_code(r, 10)
    lu.assertStrContains(r.stderr, "moderation has refused this prompt")
    lu.assertEquals(s:bill().created, 1)
    s:run(source, { "--allow-moderated" })
    lu.assertEquals(s:bill().created, 2)
  end)
end

function T.test_a_refunded_failure_is_bought_again()
  studio.with({}, function(s)
    local source = studio.script { "A street [[fail:INTERNAL]]" }
    local r = s:run(source)
    lib.assert_code(r, 5)
    lu.assertEquals(s:bill().created, 3)
    lu.assertEquals(s:bill().charged, 0)
    lu.assertEquals(s:journal("SELECT state, cost FROM attempts ORDER BY n"), {
      { state = "failed", cost = 0 }, { state = "failed", cost = 0 },
      { state = "failed", cost = 0 } })
  end)
end

return T
