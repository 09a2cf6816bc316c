--- rushes status --watch beside a run that writes.
local db = require "rt.db"
local json = require "rt.json"
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local journal_of = require "lua.journal_of"
local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local function update(folder, sql)
  local conn <close> = assert(db.open(folder .. "/journal.db"))
  assert(conn:write { { sql } })
end

local ATTEMPTS = { { shot = "street", state = "landed", cost = 60000, sent = 1, accepted = 2,
  ended = 66 }, { shot = "lobby", state = "running", held = 60000, sent = 1, accepted = 2,
  task = "task-of-lobby" } }

function T.test_each_change_is_a_line_and_ctrl_c_is_the_end()
  lib.in_folder(function(dir)
    journal_of.make(dir .. "/night", ATTEMPTS, { run = {} })
    local result, second
    task.scope(function()
      local p = assert(proc.spawn { lib.RUSHES, "status", "--watch", "--json", "night",
        cwd = dir })
      local lines = p:lines()
      lu.assertEquals(assert(json.decode(lines())).states, { landed = 1, running = 1 })
      update(dir .. "/night", "UPDATE attempts SET state = 'landed', held = 0, cost = 60000"
        .. " WHERE id = 2")
      second = assert(json.decode(lines()))
      p:kill "SIGINT"
      result = p:wait()
    end)
    lib.assert_code(result, 0)
    lu.assertEquals({ second.states, second.credits.spent }, { { landed = 2 }, 120 })
  end)
end

--- Everything that a terminal of this size gets until `fn(output)` wants Ctrl-C pressed.
local function on_terminal(columns, rows, command, dir, fn)
  local out, result = "", nil
  task.scope(function()
    local p = assert(proc.spawn { "script", "-qefc", ("stty cols %d rows %d; exec %s"):format(
      columns, rows, command), "/dev/null", cwd = dir, stdin = true,
      env = { TERM = "xterm", LANG = "C.UTF-8" } })
    local pressed = false
    for chunk in function() return p:read() end do
      out = out .. chunk
      if not pressed and fn(out) then
        pressed = true
        p:write "\3"
      end
    end
    result = p:wait()
  end)
  return result, lib.screen(out, columns, rows)
end

function T.test_on_a_terminal_it_is_drawn_in_place()
  lib.in_folder(function(dir)
    local many = { ATTEMPTS[1] }
    for i = 1, 40 do
      many[i + 1] = { shot = "shot" .. i, state = "running", held = 60000, sent = 1,
        accepted = 2, task = "task-" .. i }
    end
    journal_of.make(dir .. "/night", many, { run = {}, meta = { show = "night" } })
    local drawn = 0
    local result, lines = on_terminal(72, 16, lib.RUSHES .. " status --watch", dir,
      function(out)
        drawn = select(2, out:gsub("\27%[%?2026h", ""))
        return drawn >= 2
      end)
    lib.assert_code(result, 0)
    local text = table.concat(lines, "\n")
    -- drawn over and over, and left on the screen once, whole, in the end
    lu.assertEquals(select(2, text:gsub("41 takes: 1 landed, 40 running", "")), 1)
    for _, line in ipairs(lines) do lu.assertTrue(utf8.len(line) <= 72) end
  end)
end

function T.test_a_run_is_seen_while_it_goes_on()
  studio.with({ speed = 1 }, function(s)
    assert(require("rt.fs").write(s.dir .. "/script.lua", studio.script { "x", "y" }))
    task.scope(function()
      local run = assert(proc.spawn { lib.RUSHES, "run", "script.lua", cwd = s.dir,
        env = studio.env(s.sim.url), stderr = "null" })
      local p, d
      repeat -- the journal is made when the script begins to shoot
        local r = lib.rushes { "status", "--json", cwd = s.dir }
        d = r.code == 0 and assert(json.decode(r.stdout))
      until d and d.running and #d.takes == 2
      lu.assertEquals({ d.running.pid, d.running.script }, { run.pid, "script.lua" })
      lu.assertEquals(d.credits.held, 120)
      p = lib.rushes { "status", cwd = s.dir }
      lu.assertStrContains(p.stdout, "run by process " .. run.pid)
      lu.assertStrContains(p.stdout, "rushes status night --watch")
      p = lib.rushes { "reconcile", "--assume", "lost", "--id", "1", cwd = s.dir }
      lib.assert_code(p, 1)
      lu.assertStrContains(p.stderr, "is being run by process " .. run.pid)
      run:kill "SIGTERM"
      run:wait()
    end)
    local r = lib.rushes { "status", "--json", cwd = s.dir }
    lu.assertNil(assert(json.decode(r.stdout)).running)
  end)
end

--- Wait until a run has sent its call and the simulator works on the answer.
local function until_sent(s)
  repeat
    local r = lib.rushes { "status", "--json", cwd = s.dir }
    local d = r.code == 0 and assert(json.decode(r.stdout))
  until d and d.states.sent
end

function T.test_after_kill_9_the_lost_answer_is_found_and_judged()
  studio.with({}, function(s)
    assert(require("rt.fs").write(s.dir .. "/script.lua",
      studio.script { "x [[slow_answer:60]]" }))
    task.scope(function()
      local run = assert(proc.spawn { lib.RUSHES, "run", "script.lua", cwd = s.dir,
        env = studio.env(s.sim.url), stderr = "null" })
      until_sent(s)
      run:kill "SIGKILL"
      run:wait()
    end)
    local r = lib.rushes { "status", cwd = s.dir }
    lu.assertStrContains(r.stdout, "1 take: 1 unknown")
    lu.assertStrContains(r.stdout, "did not end in an orderly way")
    r = lib.rushes { "reconcile", "--json", cwd = s.dir, env = studio.env(s.sim.url) }
    lib.assert_code(r, 9)
    local row = assert(json.decode(r.stdout)).submissions[1]
    lu.assertEquals(row.verdict, s:bill().created == 1 and "taken" or "not_taken", row.why)
    lu.assertStrContains(row.failure, "the program ended before the answer came")
    r = lib.rushes { "reconcile", "--assume", "charged", cwd = s.dir,
      env = studio.env(s.sim.url) }
    lib.assert_code(r, 0)
  end)
end

return T
