--- A journal is of one account: with another key nothing is sent while something of it is
--- open, because that account would say that it is gone.
local fs = require "rt.fs"
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

-- Parts of it are looked for in everything that is said or written, as of studio.KEY.
local OTHER = "key_" .. ("5ec2e7c0ffee1111"):rep(8)

local SOURCE = studio.script { "A street" }

--- A studio whose account takes both keys, with one take that has landed; `other` is the
--- environment with the other key.
local function with_landed(fn)
  studio.with({}, function(s)
    s.sim.key = nil
    lib.assert_code(s:run(SOURCE), 0)
    fn(s, studio.env(s.sim.url, OTHER))
  end)
end

--- What a crash or a lost answer would have left.
local function leave_open(s, state)
  assert(fs.remove(s.dir .. "/night/s1_t001.mp4"))
  s:tamper("UPDATE attempts SET state = ?, held = 60000, cost = NULL", state)
end

local function refused(r)
  lib.assert_code(r, 4)
  lu.assertStrContains(r.stderr, "has 1 call that is not on disk or not settled (60 credits")
  lu.assertStrContains(r.stderr, "--same-account")
  lu.assertStrContains(r.stderr, "Nothing was sent")
end

function T.test_another_key_is_refused_while_something_is_open()
  for _, state in ipairs { "accepted", "running", "succeeded", "unknown", "resubmit" } do
    with_landed(function(s, other)
      leave_open(s, state)
      local creates, polls = s:counter "create", s:counter "poll"
      refused(s:run(SOURCE, { env = other }))
      refused(s:run(SOURCE, { env = other, command = "plan" }))
      lu.assertEquals({ creates(), polls() }, { 0, 0 })
    end)
  end
end

function T.test_same_account_says_that_a_key_is_a_new_one_of_it()
  with_landed(function(s, other)
    leave_open(s, "accepted")
    lib.assert_code(s:run(SOURCE, { "--same-account", env = other }), 0)
    leave_open(s, "accepted")
    lib.assert_code(s:run(SOURCE, { env = other }), 0)
    leave_open(s, "accepted")
    lib.assert_code(s:run(SOURCE), 0) -- the old one is still known
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_where_nothing_is_open_the_journal_changes_over()
  with_landed(function(s, other)
    lib.assert_code(s:run(SOURCE, { env = other }), 0)
    leave_open(s, "accepted")
    refused(s:run(SOURCE))
    lib.assert_code(s:run(SOURCE, { env = other }), 0)
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_a_key_that_the_provider_refuses_is_not_the_accounts()
  with_landed(function(s, other)
    s.sim.key = studio.KEY
    s:tamper "DELETE FROM meta WHERE key LIKE 'keys:%'" -- by an older rushes
    leave_open(s, "accepted")
    local r = s:run(SOURCE, { env = other })
    lib.assert_code(r, 4)
    lu.assertStrContains(r.stderr, "does not accept the key (401)")
    lib.assert_code(s:run(SOURCE), 0)
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_a_plan_without_a_key_still_works()
  with_landed(function(s)
    leave_open(s, "accepted")
    local r = s:run(SOURCE, { env = { RUNWAYML_BASE_URL = s.sim.url }, command = "plan" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "under way at the provider")
  end)
end

function T.test_reconcile_and_audit_do_not_ask_another_account()
  with_landed(function(s, other)
    leave_open(s, "unknown")
    local r = lib.rushes { "audit", "night", cwd = s.dir, env = other }
    lib.assert_code(r, 4)
    lu.assertStrContains(r.stderr, "rushes run --same-account SCRIPT")
    r = lib.rushes { "reconcile", "night", cwd = s.dir, env = other }
    lib.assert_code(r, 9)
    lu.assertStrContains(r.stdout, "could not be asked")
    lu.assertStrContains((r.stdout:gsub("%s+", " ")), "made with another key of runway")
  end)
end

function T.test_the_journal_holds_a_mark_and_no_key()
  with_landed(function(s)
    local meta = {}
    for _, row in ipairs(s:journal "SELECT * FROM meta") do meta[row.key] = row.value end
    lu.assertStrMatches(meta["keys:runway"], "%x%x%x%x%x%x%x%x")
    lu.assertStrMatches(meta.salt, ("%x"):rep(32))
    for _, file in ipairs { "journal.db", "journal.db-wal" } do
      local bytes = fs.read(s.dir .. "/night/" .. file) or ""
      lu.assertNil(bytes:find("5ec2e7c0ffee", 1, true), file)
    end
  end)
end

return T
