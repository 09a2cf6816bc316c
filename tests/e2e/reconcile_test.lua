--- rushes reconcile, status and audit after calls whose answers got lost.
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

--- Any command in the studio's folder.
local function command(s, args)
  args.cwd = s.dir
  args.env = args.env or studio.env(s.sim.url)
  return lib.rushes(args)
end

local function data(s, args)
  args[#args + 1] = "--json"
  local r = command(s, args)
  return assert(json.decode(r.stdout), r.stderr), r
end

--- One call that is taken and whose answer is lost, one that is not taken, one that lands.
local SCRIPT = studio.script [==[
show:shot { name = "taken", prompt = "a [[reset_after_create]]", seconds = 5 }
show:shot { name = "refused", prompt = "b [[http:507]]", seconds = 10 }
show:shot { name = "fine", prompt = "c", seconds = 5 }]==]

local function with_unknown(fn)
  studio.with({ faults = "" }, function(s)
    local r = s:run(SCRIPT)
    lib.assert_code(r, 9)
    fn(s, r)
  end)
end

local function by_shot(list)
  local out = {}
  for _, row in ipairs(list) do out[row.shot] = row end
  return out
end

function T.test_the_account_tells_what_was_taken()
  with_unknown(function(s)
    local d, r = data(s, { "reconcile", "night" })
    lib.assert_code(r, 9)
    local rows = by_shot(d.submissions)
    lu.assertEquals({ d.unknown, d.held, #d.submissions }, { 2, 180, 2 })
    lu.assertEquals(rows.taken.verdict, "taken", rows.taken.why)
    lu.assertEquals(rows.refused.verdict, "not_taken", rows.refused.why)
    lu.assertEquals(rows.taken.before.balance - rows.taken.after.balance, 120)
    lu.assertEquals(#d.next, 2)
  end)
end

function T.test_without_a_key_only_the_journal_speaks_and_it_is_said()
  with_unknown(function(s)
    local r = command(s, { "reconcile", env = { RUNWAYML_API_SECRET = "" } })
    lib.assert_code(r, 9)
    lu.assertStrContains(r.stdout, "runway could not be asked")
    lu.assertStrContains(r.stdout, "has not been looked at since")
    lu.assertStrContains(r.stdout, "cannot be told")
  end)
end

function T.test_another_address_is_not_asked()
  with_unknown(function(s)
    local env = studio.env "http://127.0.0.1:9"
    local r = command(s, { "reconcile", env = env })
    lib.assert_code(r, 9)
    lu.assertStrContains(r.stdout, "the address that is set now is http://127.0.0.1:9")
  end)
end

function T.test_settled_ones_are_asked_for_anew_and_the_books_agree()
  with_unknown(function(s)
    local rows = by_shot(data(s, { "reconcile", "night" }).submissions)
    lib.assert_code(command(s, { "reconcile", "night", "--assume", "charged", "--id",
      tostring(rows.taken.id) }), 9)
    local r = command(s, { "reconcile", "night", "--assume", "lost" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, ("submission %d settled as lost"):format(rows.refused.id))
    lu.assertStrContains(r.stdout, "every submission has a known outcome")
    lu.assertStrContains(r.stdout, "rushes run script.lua")
    local created = s:bill().created
    lib.assert_code(s:run((SCRIPT:gsub(" %[%[.-%]%]", ""))), 0)
    -- What was asked for before had other words: three takes anew, one reused.
    lu.assertEquals(s:bill().created, created + 2)
    local money = data(s, { "status" }).credits
    lu.assertEquals({ money.spent, money.held, money.unknown }, { 300, 0, 0 })
    local bill = s:bill()
    lu.assertEquals(bill.charged + bill.reserved, 300)
  end)
end

function T.test_resubmit_keeps_the_credits_and_the_next_run_asks_again()
  with_unknown(function(s)
    local rows = by_shot(data(s, { "reconcile" }).submissions)
    local r = command(s, { "reconcile", "--resubmit", tostring(rows.taken.id),
      tostring(rows.refused.id) })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "asked for again")
    local d = data(s, { "status" })
    lu.assertEquals({ d.credits.held, d.credits.unknown, d.credits.asked_again },
      { 180, 0, 180 })
    lu.assertEquals(d.states.resubmit, 2)
    -- what is held for them can still be freed
    lib.assert_code(command(s, { "reconcile", "--assume", "lost" }), 0)
    lu.assertEquals(data(s, { "status" }).credits.held, 0)
  end)
end

function T.test_status_leads_to_settling_what_was_asked_for_again()
  studio.with({ faults = "reset_after_create:x1" }, function(s)
    local source = studio.script { "A street" }
    lib.assert_code(s:run(source), 9)
    lib.assert_code(s:run(source, { "--on-unknown", "resubmit" }), 0)
    local d = data(s, { "status" })
    lu.assertEquals({ d.states, d.credits.held, d.credits.unknown, d.credits.asked_again },
      { { landed = 1 }, 60, 0, 60 })
    lu.assertEquals(d.next, { { command = "rushes reconcile night", why =
      "settle 1 submission that was asked for again: until then 60 credits stay held" } })
    local r = command(s, { "status" })
    lu.assertStrContains(r.stdout, "of it, not settled")
    local audit = data(s, { "audit" })
    lu.assertEquals({ audit.unattributed, audit.unknown }, { 60, 60 })
    local rows = data(s, { "reconcile" }).submissions
    lu.assertEquals({ #rows, rows[1].state, rows[1].verdict }, { 1, "resubmit", "taken" })
    lib.assert_code(command(s, { "reconcile", "--assume", "charged" }), 0)
    d = data(s, { "status" })
    lu.assertEquals({ #d.next, d.credits.spent, d.credits.held, d.credits.asked_again },
      { 0, 120, 0, 0 })
  end)
end

function T.test_settling_is_not_a_run_that_goes_on()
  with_unknown(function(s)
    local first = by_shot((data(s, { "reconcile", "night" })).submissions)
    local r = command(s, { "reconcile", "night", "--resubmit", tostring(first.taken.id) })
    lib.assert_code(r, 9)
    lu.assertNotStrContains(r.stdout, "the run that goes on")
    lu.assertStrContains(r.stdout, "--assume")
  end)
end

function T.test_there_may_be_nothing_to_settle()
  with_unknown(function(s)
    lib.assert_code(command(s, { "reconcile", "night", "--assume", "charged" }), 0)
    local r = command(s, { "reconcile", "night", "--assume", "lost" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "every submission has a known outcome")
  end)
end

function T.test_what_cannot_be_settled_is_said()
  with_unknown(function(s)
    local r = command(s, { "reconcile", "--assume", "lost", "--id", "9999" })
    lib.assert_code(r, 1)
    lu.assertStrContains(r.stderr, "submission 9999 is not open: there is none")
    r = command(s, { "reconcile", "--assume", "perhaps" })
    lib.assert_code(r, 2)
    lu.assertStrContains(r.stderr, "--assume wants lost or charged, not 'perhaps'")
    r = command(s, { "reconcile", "--id", "1" })
    lib.assert_code(r, 2)
    lu.assertStrContains(r.stderr, "--id says which submissions --assume settles")
    lu.assertEquals(data(s, { "status" }).credits.unknown, 180)
  end)
end

-- ---- status ----

function T.test_status_tells_how_the_show_stands()
  with_unknown(function(s)
    local r = command(s, { "status", "night" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "3 takes: 1 landed, 2 unknown")
    lu.assertStrContains(r.stdout, "not running; the last run ended")
    lu.assertStrContains(r.stdout, "rushes reconcile night")
    local d = data(s, { "status" })
    lu.assertEquals(d.credits, { spent = 60, held = 180, unknown = 180, moderation = 0,
      asked_again = 0 })
    lu.assertEquals(#d.takes, 3)
    lu.assertNil(d.running)
  end)
end

function T.test_limits_stand_in_the_journal()
  studio.with({}, function(s)
    local inner = studio.script({ "x", "y" }, "budget = 400")
    s:run(('require("rushes").budget("seq010", 100, function()\n%s end)'):format(inner))
    local d = data(s, { "status" })
    lu.assertEquals({ d.credits.limit, d.credits.left, d.shots, d.unbegun },
      { 400, 340, 2, 1 })
    lu.assertEquals(d.budgets, { { path = "seq010", limit = 100, left = 40, spent = 60,
      held = 0, unknown = 0, moderation = 0 } })
    local r = command(s, { "status" })
    lu.assertStrContains(r.stdout, "1 shot without a take")
    s:run((inner:gsub("budget = 400", "")))
    lu.assertNil(data(s, { "status" }).credits.limit)
  end)
end

function T.test_moderation_has_a_line_of_its_own()
  studio.with({}, function(s)
    s:run(studio.script { "x [[fail:SAFETY.INPUT.TEXT]]", "y" })
    local d = data(s, { "status" })
    lu.assertEquals({ d.credits.spent, d.credits.moderation }, { 120, 60 })
    local r = command(s, { "status" })
    lu.assertStrContains(r.stdout, "of it, refused by moderation     60")
    lu.assertStrContains(r.stdout, "rushes run script.lua")
  end)
end

function T.test_status_where_there_is_nothing()
  lib.in_folder(function(dir)
    local r = lib.rushes { "status", cwd = dir }
    lib.assert_code(r, 3)
    lu.assertStrContains(r.stderr, "no show has been run here")
    r = lib.rushes { "reconcile", "night", cwd = dir }
    lib.assert_code(r, 3)
    lu.assertStrContains(r.stderr, 'there is no show "night" with a journal here')
  end)
end

function T.test_several_shows_are_listed()
  studio.with({}, function(s)
    for _, name in ipairs { "one", "two" } do
      s:run((studio.script({ "x" }):gsub('"night"', ('"%s"'):format(name))))
    end
    local r = command(s, { "status" })
    lib.assert_code(r, 2)
    lu.assertStrContains(r.stderr, "say which:\n  one\n  two")
    lib.assert_code(command(s, { "status", "two" }), 0)
    r = command(s, { "status", "tow" })
    lib.assert_code(r, 3)
    lu.assertStrContains(r.stderr, 'did you mean "two"?')
    lib.assert_code(command(s, { "status", s.dir .. "/one/" }), 0)
    lib.assert_code(command(s, { "status", "one/journal.db" }), 0)
    r = command(s, { "status", "--sim", "one" })
    lib.assert_code(r, 3)
    lu.assertStrContains(r.stderr, "leave --sim away")
  end)
end

-- ---- audit ----

function T.test_an_audit_of_a_show_that_is_alone_finds_nothing()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script { "x", "y" }), 0)
    local d, r = data(s, { "audit" })
    lib.assert_code(r, 0)
    lu.assertEquals({ d.total.journal, d.total.account, d.unattributed, d.missing },
      { 120, 120, 0, 0 })
    lu.assertEquals({ #d.rows, d.rows[1].model }, { 1, "gen4.5" })
    r = command(s, { "audit", "night", "--days", "1" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "unattributed: nothing")
  end)
end

function T.test_an_audit_names_what_the_journal_does_not_know()
  with_unknown(function(s)
    lib.assert_code(s:run((studio.script({ "x" }):gsub("night", "other"))), 0)
    local d = data(s, { "audit", "night" })
    -- the lost answer (60) and the other show (60)
    lu.assertEquals({ d.total.journal, d.total.account, d.unattributed, d.unknown },
      { 60, 180, 120, 180 })
    local r = command(s, { "audit", "night" })
    lu.assertStrContains(r.stdout, "unattributed: 120 credits charged that this journal does")
    lu.assertStrContains(r.stdout, "rushes reconcile night")
  end)
end

function T.test_an_audit_after_a_clock_that_was_ahead()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script { "x" }), 0)
    s:tamper "UPDATE attempts SET accepted = accepted + 3 * 86400"
    local d = data(s, { "audit" })
    lu.assertEquals({ d.total.journal, d.total.account, d.unattributed, d.missing },
      { 60, 60, 0, 0 })
    lu.assertEquals(#d.ahead, #"2026-11-26")
    lu.assertStrContains(command(s, { "audit" }).stdout, "clock was ahead once")
  end)
end

function T.test_an_audit_needs_the_account()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script { "x" }), 0)
    lib.assert_code(command(s, { "audit", env = { RUNWAYML_API_SECRET = "" } }), 4)
    lib.assert_code(command(s, { "audit", env = studio.env(s.sim.url .. "/other") }), 2)
    local r = command(s, { "audit", "--days", "0" })
    lib.assert_code(r, 2)
    lu.assertStrContains(r.stderr, "--days is a whole number from 1 to 90")
  end)
end

function T.test_a_rehearsal_has_no_account_to_ask()
  lib.in_folder(function(dir)
    assert(fs.write(dir .. "/script.lua", studio.script { "x" }))
    lib.assert_code(lib.rushes { "run", "--sim", "--sim-speed", "1000", "script.lua",
      cwd = dir }, 0)
    local r = lib.rushes { "audit", "--sim", cwd = dir }
    lib.assert_code(r, 2)
    lu.assertStrContains(r.stderr, "the takes are of a rehearsal (--sim)")
  end)
end

function T.test_a_read_only_folder_can_be_looked_at()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script { "x" }), 0)
    lu.assertNotNil(fs.stat(s.dir .. "/night/journal.db"))
    lu.assertEquals(data(s, { "status" }).states, { landed = 1 })
  end)
end

return T
