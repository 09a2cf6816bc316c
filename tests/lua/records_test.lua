local db = require "rt.db"
local fs = require "rt.fs"
local lu = require "luaunit"
local journal_of = require "lua.journal_of"
local records = require "rushes.take.records"

local T = {}

--- Read a journal of these attempts with `fn(records, folder)`.
local function read(attempts, fn, more)
  local dir = assert(fs.tempdir())
  journal_of.make(dir, attempts, more)
  local journal = assert(records.open(dir, more and more.running))
  fn(journal, dir)
  journal:close()
  fs.remove(dir, { recursive = true })
end

local function landed(shot, more)
  local a = { shot = shot, state = "landed", cost = 60000, sent = 1, accepted = 2, ended = 66,
    task = "t-" .. (shot or "hand") }
  for k, v in pairs(more or {}) do a[k] = v end
  return a
end

function T.test_no_journal_is_a_sentence()
  local dir = assert(fs.tempdir())
  local journal, e = records.open(dir)
  lu.assertNil(journal)
  lu.assertEquals(e.code, "not_found")
  lu.assertStrContains(tostring(e), "there is no journal in " .. dir)
  fs.remove(dir, { recursive = true })
end

function T.test_a_newer_journal_is_refused()
  local dir = assert(fs.tempdir())
  journal_of.make(dir, {})
  local conn = assert(db.open(records.path(dir)))
  assert(conn:write { { "PRAGMA user_version = 99" } })
  conn:close()
  local journal, e = records.open(dir)
  lu.assertNil(journal)
  lu.assertEquals(e.code, "unsupported")
  lu.assertStrContains(tostring(e), "newer rushes")
  fs.remove(dir, { recursive = true })
end

function T.test_sums_of_spent_held_unknown_and_moderation()
  read({ landed "a", { shot = "b", state = "failed", cost = 25000, class = "safety" },
    { shot = "c", state = "running", held = 40000 },
    { shot = "d", state = "unknown", held = 60000 },
    { shot = "e", state = "failed", cost = 0, class = "internal" } }, function(j)
    lu.assertEquals(j:sums(), { spent = 85000, held = 100000, unknown = 60000,
      moderation = 25000 })
  end)
  read({}, function(j)
    lu.assertEquals(j:sums(), { spent = 0, held = 0, unknown = 0, moderation = 0 })
  end)
end

function T.test_a_budget_counts_what_is_below_it()
  read({ landed("a", { budget = "seq/arm1" }), landed("b", { budget = "seq/arm2" }),
    { shot = "c", state = "running", held = 5000, budget = "seq" }, landed "d" }, function(j)
    local budgets = j:budgets()
    lu.assertEquals(budgets["seq/arm1"].spent, 60000)
    lu.assertEquals(budgets.seq, { spent = 120000, held = 5000, unknown = 0, moderation = 0 })
    lu.assertNil(budgets[""])
  end)
end

local function states(j)
  local out = {}
  for _, take in ipairs(j:takes()) do
    out[#out + 1] = ("%s %d %s %s"):format(take.shot, take.number, take.stage, take.state)
  end
  return out
end

function T.test_a_take_shows_the_stage_that_is_not_done()
  read({ landed("a", { stage = "still", cost = 5000 }), landed "a",
    landed("b", { stage = "still" }), { shot = "b", state = "running", held = 60000 },
    { shot = "c", stage = "still", state = "running", held = 5000 },
    { shot = "c", state = "intent", held = 60000 },
    { shot = "d", stage = "still", state = "failed", cost = 0, failure = "no" },
    { shot = "d", state = "dropped", cost = 0 } }, function(j)
    lu.assertEquals(states(j), { "a 1 motion landed", "b 1 motion running",
      "c 1 still running", "d 1 still failed" })
    local takes = j:takes()
    lu.assertEquals({ takes[1].cost, takes[1].file }, { 65000, "a_t001.mp4" })
    lu.assertEquals(takes[4].failure, "no")
  end, { running = true })
end

function T.test_only_the_last_attempt_tells_the_state_but_all_are_paid_for()
  read({ { shot = "a", state = "failed", cost = 10000, failure = "it broke" },
    landed("a", { n = 2 }), landed("a", { number = 2 }) }, function(j)
    lu.assertEquals(states(j), { "a 1 motion landed", "a 2 motion landed" })
    local take = j:takes()[1]
    lu.assertEquals({ take.cost, take.failure, take.task }, { 70000, nil, "t-a" })
  end)
end

function T.test_calls_by_hand_are_told_after_the_takes()
  read({ { state = "unknown", held = 25000, sent = 3, model = "gen4_turbo", stage = "job" },
    landed "a", landed(nil, { stage = "job" }) }, function(j)
    local takes = j:takes()
    lu.assertEquals({ #takes, takes[1].shot, takes[1].file }, { 3, "a", "a_t001.mp4" })
    lu.assertEquals({ takes[2].call, takes[2].state, takes[2].model },
      { 1, "unknown", "gen4_turbo" })
    lu.assertEquals({ takes[3].state, takes[3].file, takes[3].shot }, { "landed", "hand.mp4" })
    local open = j:open_submissions()
    lu.assertEquals({ #open, open[1].call, open[1].shot }, { 1, 1 })
  end)
end

function T.test_what_a_crash_left_is_told_as_the_next_run_will_settle_it()
  local attempts = { { shot = "a", state = "sent", held = 60000, sent = 1 },
    { shot = "b", state = "intent", held = 25000 } }
  read(attempts, function(j)
    lu.assertEquals(states(j), { "a 1 motion unknown", "b 1 motion dropped" })
    lu.assertEquals(j:sums(), { spent = 0, held = 60000, unknown = 60000, moderation = 0 })
    lu.assertEquals(#j:open_submissions(), 1)
    lu.assertStrContains(j:open_submissions()[1].failure, "before the answer came")
  end)
  read(attempts, function(j)
    lu.assertEquals(states(j), { "a 1 motion sent", "b 1 motion intent" })
    lu.assertEquals(j:sums(), { spent = 0, held = 85000, unknown = 0, moderation = 0 })
    lu.assertEquals(#j:open_submissions(), 0)
  end, { running = true })
end

function T.test_open_submissions_are_the_unknown_and_those_asked_for_again()
  read({ { shot = "a", state = "unknown", held = 60000, sent = 5, evidence = 1 },
    { shot = "b", state = "resubmit", held = 60000, sent = 6 }, landed "c",
    { shot = "d", state = "lost", cost = 0, sent = 7 } }, function(j)
    local open = j:open_submissions()
    lu.assertEquals({ #open, open[1].shot, open[1].model, open[1].evidence, open[2].state },
      { 2, "a", "gen4.5", 1, "resubmit" })
  end, { evidence = { { at = 0, balance = 100000, models = { ["gen4.5"] = 3 } } } })
end

function T.test_evidence_has_its_counts()
  read({}, function(j)
    local evidence = j:evidence "runway"
    lu.assertEquals(#evidence, 2)
    lu.assertEquals({ evidence[1].at, evidence[1].balance, evidence[1].models },
      { journal_of.T0, 100000, { ["gen4.5"] = 3 } })
    lu.assertEquals(#j:evidence "gen4", 0)
  end, { evidence = { { at = 0, balance = 100000, models = { ["gen4.5"] = 3 } },
    { at = 60, balance = 90000 } } })
end

function T.test_days_are_utc_and_of_acceptance()
  local midnight = 86400 - journal_of.T0 % 86400
  read({ landed("a", { accepted = midnight - 1 }), landed("b", { accepted = midnight }),
    { shot = "c", state = "running", held = 40000, accepted = midnight + 9 },
    { shot = "d", state = "failed", cost = 0, accepted = midnight + 9 },
    { shot = "e", state = "unknown", held = 60000, sent = midnight },
    { shot = "f", state = "charged", cost = 60000, sent = midnight },
    landed("g", { provider = "gen4" }) }, function(j)
    local days = j:days "runway"
    local first = os.date("!%Y-%m-%d", math.floor(journal_of.T0))
    local second = os.date("!%Y-%m-%d", math.floor(journal_of.T0 + midnight))
    lu.assertEquals(days, {
      { date = first, model = "gen4.5", credits = 60000 },
      { date = second, model = "gen4.5", credits = 160000 } })
  end)
end

function T.test_medians_want_three_samples()
  read({ landed("a", { ended = 12 }), landed("b", { ended = 22 }), landed("c", { ended = 92 }),
    landed("d", { model = "gen4_turbo" }), landed("e", { model = "gen4_turbo" }) },
    function(j)
      lu.assertEquals(j:durations(), { ["gen4.5"] = { motion = 20 } })
    end)
end

function T.test_the_run_that_is_told_is_one_of_a_script()
  read({}, function(j, dir)
    local conn = assert(db.open(records.path(dir)))
    assert(conn:write { { "INSERT INTO runs VALUES (2, 1.0, 2.0, 1, 'h', NULL, '0.1', 0)" } })
    conn:close()
    lu.assertEquals(j:last_run().script, "night.lua")
  end)
end

return T
