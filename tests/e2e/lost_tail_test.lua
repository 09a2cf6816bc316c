--- A journal that has lost its end, with journal.db-wal or with journal.db: it is refused
--- before anything is bought a second time, and what only looks says so. A run that was
--- killed, at whatever moment, is never taken for one.
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"
local proc = require "rt.proc"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local SCRIPT = studio.script { "A street", "A roof" }

--- The same, killed once its takes have landed.
local function killing(source)
  return source .. [[os.execute("kill -KILL " .. require("rt.c.sys").process())]]
end

--- One take has landed in a run that ended well, another in one that was killed.
local function killed(fn)
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script { "A street" }), 0)
    lu.assertEquals(s:run(killing(SCRIPT)).signal, "SIGKILL")
    lu.assertEquals(s:bill().created, 2)
    s.wal = s.dir .. "/night/journal.db-wal"
    lu.assertTrue(fs.stat(s.wal).size > 4096)
    fn(s)
  end)
end

--- A command about the show: what it says on both channels.
local function said(s, code, ...)
  local r = lib.rushes { cwd = s.dir, env = studio.env(s.sim.url), ... }
  lib.assert_code(r, code)
  return r.stdout .. r.stderr, r
end

local function assert_told(text)
  text = text:gsub("%s+", " ")
  lu.assertStrContains(text, "the end of the journal in night is missing")
  lu.assertStrContains(text, "Put journal.db-wal back")
  lu.assertStrContains(text, "rushes reconcile night --accept-loss")
end

local function gone(s) assert(fs.remove(s.wal)) end

local function empty(s) assert(proc.run { "truncate", "-s", "0", s.wal }) end

function T.test_a_run_is_refused_until_somebody_accepts_the_loss()
  for _, lose in ipairs { gone, empty } do
    killed(function(s)
      lose(s)
      for _, flags in ipairs { {}, { "--force" }, { "--on-unknown", "resubmit" } } do
        local r = s:run(SCRIPT, flags)
        lib.assert_code(r, 1)
        assert_told(r.stderr)
      end
      said(s, 1, "reconcile", "night", "--assume", "charged", "--id", "1")
      lu.assertEquals(s:bill().created, 2)
      said(s, 0, "reconcile", "night", "--accept-loss")
      lib.assert_code(s:run(SCRIPT), 0)
      lu.assertEquals(s:bill().created, 3) -- that is what the loss costs
    end)
  end
end

function T.test_a_file_that_is_put_back_is_as_if_nothing_had_been()
  killed(function(s)
    assert(fs.rename(s.wal, s.wal .. ".away"))
    lib.assert_code(s:run(SCRIPT), 1)
    assert_told((said(s, 0, "status")))
    assert(fs.rename(s.wal .. ".away", s.wal))
    lib.assert_code(s:run(SCRIPT), 0)
    lu.assertEquals(s:bill().created, 2)
  end)
end

function T.test_what_only_looks_says_so_and_works()
  killed(function(s)
    gone(s)
    assert_told((said(s, 0, "status", "night")))
    assert_told((said(s, 0, "reconcile", "night")))
    local plan = s:run(SCRIPT, { command = "plan" })
    lib.assert_code(plan, 0)
    assert_told(plan.stderr)
    for _, command in ipairs { "status", "reconcile" } do
      local _, r = said(s, 0, command, "night", "--json")
      local d = assert(json.decode(r.stdout))
      assert_told(d.lost)
      lu.assertEquals(d.next[1].command, "rushes reconcile night --accept-loss")
    end
    lib.assert_code(s:run(SCRIPT), 1) -- looking has changed nothing
  end)
end

function T.test_the_audit_says_so()
  killed(function(s)
    gone(s)
    local text = said(s, 0, "audit", "night")
    assert_told(text)
    lu.assertStrContains(text, "unattributed: 60 credits")
  end)
end

function T.test_a_journal_whose_main_file_is_gone_keeps_its_end()
  killed(function(s)
    local main = s.dir .. "/night/journal.db"
    local function cut() assert(proc.run { "truncate", "-s", "0", main }) end
    for _, lose in ipairs { cut, function() assert(fs.remove(main)) end } do
      assert(proc.run { "cp", main, main .. ".kept" })
      lose()
      for _, r in ipairs { s:run(SCRIPT), s:run(SCRIPT, { command = "plan" }) } do
        lib.assert_code(r, 1)
        lu.assertStrContains(r.stderr, "journal.db-wal\", which SQLite would delete")
      end
      lu.assertStrContains(said(s, 1, "status", "night"), "put the file back")
      assert(fs.rename(main .. ".kept", main))
    end
    lib.assert_code(s:run(SCRIPT), 0)
    lu.assertEquals(s:bill().created, 2)
  end)
end

function T.test_a_rehearsal_has_nothing_to_lose()
  lib.in_folder(function(dir)
    local function run(source)
      assert(fs.write(dir .. "/script.lua", source))
      return lib.rushes { "run", "--sim", "--sim-speed", "1000", "script.lua", cwd = dir,
        env = { TMPDIR = dir } } -- what it leaves when it is killed
    end
    lu.assertEquals(run(killing(SCRIPT)).signal, "SIGKILL")
    assert(fs.remove(dir .. "/night/sim/journal.db-wal"))
    lib.assert_code(run(SCRIPT), 0)
  end)
end

--- At each point where it may die while nothing is bought: opening and closing.
function T.test_no_moment_of_a_kill_looks_like_a_loss()
  studio.with({}, function(s)
    lib.assert_code(s:run(SCRIPT), 0)
    local crashing, n, names = os.getenv "PWD" .. "/build/crash/rushes", 0, {}
    repeat
      n = n + 1
      local env, log = studio.env(s.sim.url), s.dir .. "/points.log"
      env.RUSHES_CRASH_AT, env.RUSHES_CRASH_LOG = tostring(n), log
      local r = assert(proc.run { crashing, "run", "script.lua", cwd = s.dir, env = env })
      if r.signal ~= "SIGKILL" then lib.assert_code(r, 0) end
      names[fs.read(log):match "(%S+)%s*$"] = true
      assert(fs.remove(log))
      local _, status = said(s, 0, "status", "night", "--json")
      lu.assertNil(assert(json.decode(status.stdout)).lost, "point " .. n)
    until r.signal ~= "SIGKILL"
    for _, name in ipairs { "part", "checkpoint", "whole", "closed" } do
      lu.assertTrue(names["db.tail." .. name], name)
    end
    lib.assert_code(s:run(SCRIPT), 0)
    lu.assertEquals(s:bill().created, 2)
  end)
end

return T
