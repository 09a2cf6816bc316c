--- Journals that a disk has damaged, in ways that SQLite itself does not notice.
local db = require "rt.db"
local fs = require "rt.fs"
local lu = require "luaunit"
local journal_of = require "lua.journal_of"
local records = require "rushes.take.records"
local schema = require "rushes.take.schema"
local soundness = require "rushes.take.soundness"

local T = {}

local dir

function T.setUp() dir = assert(fs.tempdir()) end

function T.tearDown() fs.remove(dir, { recursive = true }) end

--- A journal to which the statements have been done, as reading it ends.
local function after(...)
  journal_of.make(dir, { { shot = "a", state = "landed", cost = 5000, sent = 1, accepted = 2,
    ended = 9 }, { shot = "b", state = "unknown", held = 5000, sent = 3 } })
  for _, sql in ipairs { ... } do
    local conn <close> = assert(db.open(fs.join(dir, "journal.db")))
    assert(conn:write { { "PRAGMA writable_schema = ON" } }) -- the disk asks nobody
    assert(conn:write { { sql } })
  end
  local journal, e = records.open(dir)
  if journal then journal:close() end
  fs.remove(dir, { recursive = true })
  return e
end

function T.test_the_columns_are_those_of_the_tables()
  local conn <close> = assert(db.open(fs.join(dir, "x.db"), { create = true }))
  for _, sql in ipairs(schema.migrations[1]) do
    assert(conn:write { { sql } })
    local name, columns = soundness.columns(sql)
    local rows = assert(conn:rows("SELECT * FROM pragma_table_info(?)", name))
    lu.assertEquals(#columns, #rows, name)
    for i, row in ipairs(rows) do
      lu.assertEquals(columns[i].name, row.name)
      lu.assertEquals(columns[i].type, row.type)
      lu.assertEquals(columns[i].needed, row.notnull == 1 or row.pk > 0, name .. row.name)
    end
  end
end

function T.test_a_sound_journal_is_opened() lu.assertNil(after()) end

function T.test_values_that_no_rushes_has_written()
  for _, set in ipairs { "attempts SET state = 'lanfed'", "attempts SET held = -5000",
    "attempts SET held = 9223372036854775807", "attempts SET cost = 'five'",
    "attempts SET changed = 9e999", "attempts SET sent = x'00'", "calls SET request = '{'",
    "shots SET spec = 'a' || char(0)", "takes SET number = 1.5" } do
    local e = after("UPDATE " .. set)
    lu.assertEquals(e and e.code, "damaged", set)
    lu.assertStrContains(e.message, "the journal in " .. dir .. " is damaged: ")
    lu.assertStrContains(e.message, set:match "^%l+")
    lu.assertStrContains(e.message, "put a good copy of journal.db in its place")
  end
end

function T.test_what_belongs_to_nothing()
  local swap = "UPDATE sqlite_schema SET sql = replace(sql, '%s', '%s') WHERE name = 'attempts'"
  local e = after(swap:format("REFERENCES calls (id)", "CHECK (call > 0)"),
    "UPDATE attempts SET call = 77 WHERE id = 2",
    swap:format("CHECK (call > 0)", "REFERENCES calls (id)"))
  lu.assertEquals(e and e.code, "damaged")
  lu.assertStrContains(e.message, "a row of attempts belongs to none of calls")
end

function T.test_a_table_that_is_gone()
  for _, sql in ipairs { "DROP TABLE evidence", "ALTER TABLE attempts RENAME held TO hold" } do
    local e = after(sql)
    lu.assertEquals(e and e.code, "damaged", sql)
  end
end

function T.test_an_index_that_lacks_a_row()
  local e = after("UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema"
    .. " WHERE name = 'sqlite_autoindex_takes_2') WHERE name = 'sqlite_autoindex_takes_1'")
  lu.assertEquals(e and e.code, "damaged")
end

function T.test_a_text_that_is_none()
  local rows = { { shot = "fine" }, { shot = "b\xffd" } }
  local found, e = soundness.texts(rows, dir)
  lu.assertNil(found)
  lu.assertEquals(e.code, "damaged")
  lu.assertStrContains(e.message, "the text of a shot is not UTF-8")
  lu.assertEquals(soundness.texts({ rows[1] }, dir), { rows[1] })
end

return T
