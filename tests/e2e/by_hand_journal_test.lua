--- Calls by hand that belong to a show: kept in its journal, found again.
local fs = require "rt.fs"
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local SOURCE = [[
local rushes = require "rushes"
local show = rushes.show { name = "night", budget = %d }
local runway = rushes.provider("runway", show)
for i = 1, %d do
  local job, e = runway:generate { model = "gen4.5", prompt = "A street", seconds = 5,
    ratio = "1280:720" }
  if job then job, e = job:poll() end
  if job then assert(job:download(("clip%%d.mp4"):format(i))) end
  print(i, job and job.state or e.code, job and job.credits)
end
print(show.ledger.spent // 1000, show.ledger.reserved // 1000)]]

function T.test_a_second_run_buys_nothing()
  studio.with({}, function(s)
    local first = s:run(SOURCE:format(200, 2))
    lib.assert_code(first, 0)
    lu.assertEquals(first.stdout, "1\tsucceeded\t60\n2\tsucceeded\t60\n120\t0\n")
    local second = s:run(SOURCE:format(200, 2))
    lu.assertEquals(second.stdout, first.stdout)
    lu.assertEquals(s:bill().created, 2)
    lu.assertEquals(studio.files(s.dir), { "clip1.mp4", "clip2.mp4", "script.lua" })
  end)
end

function T.test_the_shows_budget_holds()
  studio.with({}, function(s)
    local r = s:run(SOURCE:format(100, 2))
    lu.assertEquals(r.stdout, "1\tsucceeded\t60\n2\tbudget\tnil\n60\t0\n")
    r = s:run(SOURCE:format(100, 3))
    lu.assertEquals(r.stdout, "1\tsucceeded\t60\n2\tbudget\tnil\n3\tbudget\tnil\n60\t0\n")
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_a_missing_file_is_downloaded_again()
  studio.with({}, function(s)
    lib.assert_code(s:run(SOURCE:format(100, 1)), 0)
    local bytes = assert(fs.read(s.dir .. "/clip1.mp4"))
    assert(fs.remove(s.dir .. "/clip1.mp4"))
    lib.assert_code(s:run(SOURCE:format(100, 1)), 0)
    lu.assertEquals(fs.read(s.dir .. "/clip1.mp4"), bytes)
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_one_that_was_lost_is_unknown_and_not_sent_again()
  studio.with({ faults = "reset_after_create" }, function(s)
    local r = s:run(SOURCE:format(100, 1))
    lu.assertEquals(r.stdout, "1\tunknown\tnil\n0\t60\n")
    r = s:run(SOURCE:format(100, 1))
    lu.assertEquals(r.stdout, "1\tunknown\tnil\n0\t60\n")
    lu.assertEquals(s:bill().created, 1)
  end)
end

return T
