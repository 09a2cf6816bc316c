--- Settling submissions by hand: the credits, and the trace that it leaves.
local db = require "rt.db"
local fs = require "rt.fs"
local lu = require "luaunit"
local journal_of = require "lua.journal_of"
local journals = require "rushes.take.journal"
local records = require "rushes.take.records"
local settle = require "rushes.take.settle"

local T = {}

local function lost(shot) return { shot = shot, state = "unknown", held = 60000, sent = 1 } end

--- Make a journal of these attempts, call `fn(dir)`, and give the rows of a query.
local function after(attempts, fn, sql)
  local dir <const> = assert(fs.tempdir())
  journal_of.make(dir, attempts)
  fn(dir)
  journals.close_all()
  local conn = assert(db.open(records.path(dir)))
  local rows = assert(conn:rows(sql))
  conn:close()
  fs.remove(dir, { recursive = true })
  return rows
end

local SETTLED = { { 1, "lost" }, { 2, "charged" }, { 3, "resubmit" } }

local function settle_all(dir)
  for _, s in ipairs(SETTLED) do assert(settle.settle(dir, { s[1] }, s[2])) end
end

function T.test_what_becomes_of_the_credits()
  lu.assertEquals(after({ lost "a", lost "b", lost "c" }, settle_all,
    "SELECT state, held, COALESCE(cost, -1) AS cost FROM attempts ORDER BY id"),
    { { state = "lost", held = 0, cost = 0 }, { state = "charged", held = 0, cost = 60000 },
      { state = "resubmit", held = 60000, cost = -1 } })
end

function T.test_history_tells_who_settled_it()
  lu.assertEquals(after({ lost "a", lost "b", lost "c" }, settle_all,
    "SELECT attempt, state, detail FROM history ORDER BY id"),
    { { attempt = 1, state = "lost", detail = "settled by a person" },
      { attempt = 2, state = "charged", detail = "settled by a person" },
      { attempt = 3, state = "resubmit", detail = "settled by a person" } })
end

function T.test_one_that_is_not_open_changes_nothing()
  lu.assertEquals(after({ lost "a", { shot = "b", state = "landed", cost = 5 } },
    function(dir)
      local ok, e = settle.settle(dir, { 1, 2 }, "lost")
      lu.assertNil(ok)
      lu.assertStrContains(tostring(e), "submission 2 is not open: its state is landed")
    end, "SELECT state FROM attempts ORDER BY id"),
    { { state = "unknown" }, { state = "landed" } })
end

return T
