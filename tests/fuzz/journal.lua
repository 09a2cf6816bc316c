--- Whatever a disk has made of a journal: it is refused with a sentence, or it can be
--- read and told. Each three bytes change one: where, and to what; the first byte of all
--- may cut off the end.
local fs = require "rt.fs"
local journal = require "rushes.take.journal"
local json = require "rt.json"
local records = require "rushes.take.records"
local standing = require "rushes.cli.standing"
local task = require "rt.task"
local text = require "rushes.cli.text"

local DIR = os.getenv "FUZZ_DIR" .. "/journal"
local PATH = DIR .. "/journal.db"

local ATTEMPTS = {
  { shot = "a", stage = "still", state = "landed", cost = 2000, sent = 1, accepted = 2,
    ended = 30 },
  { shot = "a", state = "landed", cost = 25000, sent = 31, accepted = 32, ended = 90 },
  { shot = "b", state = "failed", cost = 0, class = "safety", failure = "moderated",
    sent = 1, accepted = 2, ended = 9 },
  { shot = "b", n = 2, state = "unknown", held = 25000, sent = 10, budget = "seq/arm" },
  { shot = "c", state = "running", held = 25000, sent = 1, accepted = 2, task = "t1" },
  { shot = "c", number = 2, state = "intent", held = 25000 },
  { state = "succeeded", cost = 5000, sent = 1, accepted = 2, task = "t2" },
}

local function raised(ok, ...)
  if not ok then error((...).traceback and tostring((...)) .. (...).traceback or (...), 0) end
  return ...
end

local function run(fn) return raised(task.run(fn)) end

local function make()
  return run(function()
    fs.remove(DIR, { recursive = true })
    dofile("tests/lua/journal_of.lua").make(DIR, ATTEMPTS, { meta = { show = "s",
      ["limit:"] = 90000, ["limit:seq"] = 50000 }, evidence = { { at = 3, balance = 7000,
      models = { gen4_turbo = 3 } } } })
    local conn <close> = assert(require("rt.db").open(PATH))
    assert(conn:write {
      { [[INSERT INTO decisions VALUES ('a', 'still', 1, 0, '{"model":"gen4_image"}', 1.0)]] },
      { "INSERT INTO history VALUES (1, 2, 1.0, 'queued', NULL)" },
      { "INSERT INTO moderated VALUES ('c0', 3, 'SAFETY.INPUT.TEXT', 1.0)" },
    })
    assert(conn:close())
    return assert(fs.read(PATH, { max = 1 << 20 }))
  end)
end

local function damage(whole, bytes)
  local parts, from = {}, 1
  local edits = {}
  for at = 2, #bytes - 2, 3 do
    local where = (bytes:byte(at) << 8 | bytes:byte(at + 1)) * 3 % #whole + 1
    edits[#edits + 1] = { where + bytes:byte(at + 2) % 3, bytes:sub(at + 2, at + 2) }
  end
  table.sort(edits, function(a, b) return a[1] < b[1] end)
  for _, edit in ipairs(edits) do
    if edit[1] >= from then
      parts[#parts + 1] = whole:sub(from, edit[1] - 1)
      parts[#parts + 1], from = edit[2], edit[1] + 1
    end
  end
  local damaged = table.concat(parts) .. whole:sub(from)
  local cut = (bytes:byte() or 0) - 192
  return cut > 0 and damaged:sub(1, #damaged - cut * 997) or damaged
end

local REFUSED = { damaged = true, unsupported = true, io = true }

local function refused(e)
  assert(REFUSED[e.code], tostring(e))
  assert(utf8.len(e.message), "the sentence is not text")
end

--- Everything that a command asks for. What is read after the check may still be refused,
--- for its texts.
local function told(fn)
  local ok, e = pcall(fn)
  if not ok then
    if type(e) ~= "table" then error(e, 0) end
    refused(e)
  end
end

local function tell()
  local s, e = standing.of(DIR)
  if not s then return refused(e) end
  json.encode(standing.data(s))
  standing.lines(s, 80, 30, text.painter(true))
  local r <close> = assert(records.open(DIR))
  json.encode { r:attempts(), r:open_submissions(), r:evidence "runway", r:files(),
    r:days "runway", r:durations(), r:accepted_today() }
end

local function resume(readonly)
  local j, e = journal.open(DIR, readonly)
  if not j then return refused(e) end
  journal.close_all()
end

local whole

return function(bytes)
  whole = whole or make()
  for _, name in ipairs { "-wal", "-shm", "-journal" } do os.remove(PATH .. name) end
  local file = assert(io.open(PATH, "wb"))
  file:write(damage(whole, bytes))
  file:close()
  run(function()
    told(tell)
    resume(true)
    if (bytes:byte() or 0) % 8 == 0 then resume(false) end -- its commits take their time
  end)
end
