--- What may go wrong between the reservation of credits and the landing of a clip, and
--- must not cost anything: cancellation, consent, two at once, a journal that is gone.
local fs = require "rt.fs"
local lu = require "luaunit"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local PICTURE = lib.SCRIPTS:gsub("tests/e2e/scripts$", "scripts/refs/protagonist.png")

local START = [[
local rushes, task = require "rushes", require "rt.task"
local show = rushes.show { name = "night", %s
  policy = rushes.policy.fixed { model = "gen4.5" } }
]]

--- A script that begins with the show.
local function script(body, more) return START:format(more or "") .. body end

--- The states of all attempts, sorted, as one word.
local function states(s)
  local list = {}
  for i, row in ipairs(s:journal("SELECT state FROM attempts")) do list[i] = row.state end
  table.sort(list)
  return table.concat(list, " ")
end

--- Credits that the journal holds or has booked, in thousandths.
local function booked(s)
  local sum = s:journal("SELECT SUM(held) AS held, SUM(COALESCE(cost, 0)) AS cost FROM attempts")
  return sum[1].held, sum[1].cost
end

-- ---- cancelled ----

function T.test_a_cancelled_shoot_holds_only_what_was_sent()
  studio.with({ speed = 0, tier = 1 }, function(s)
    local slots = s.sim:limits("gen4.5").at_once
    local r = s:run(script [[
      for i = 1, 6 do show:shot { name = "s" .. i, prompt = "A street" } end
      print(task.timeout(1.5, show.shoot, show):count "stopped")
      print(show.ledger.reserved // 60000, next(show.journal.active))]])
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, ("6\n%d\tnil\n"):format(slots))
    lu.assertEquals(s:bill().created, slots)
    lu.assertEquals((booked(s)), slots * 60000)
    lu.assertEquals(states(s), ("accepted "):rep(slots) .. ("dropped "):rep(6 - slots)
      :sub(1, -2))
    lu.assertStrContains(r.stderr, "goes on at the provider")
  end)
end

function T.test_os_exit_and_a_second_ctrl_c_hold_only_what_was_sent()
  for _, leave in ipairs { "os.exit(3)", "os.execute('kill -TERM ' .. require('rt.c.sys').process())" } do
    studio.with({ speed = 0, tier = 1 }, function(s)
      local slots = s.sim:limits("gen4.5").at_once
      local r = s:run(script(([[
        for i = 1, 4 do show:shot { name = "s" .. i, prompt = "A street" } end
        local n = 0
        require("rushes.event").subscribe(function(kind)
          if kind == "submitted" then n = n + 1 end
        end)
        task.scope(function(scope)
          scope:spawn(function() show:shoot() end)
          while n < %d do task.sleep(0.02) end
          %s
          task.sleep(100)
        end)]]):format(slots, leave)))
      lib.assert_code(r, leave:find "exit" and 3 or 143)
      lu.assertEquals(s:bill().created, slots)
      lu.assertEquals((booked(s)), slots * 60000)
      -- and the next run follows them
      s.sim.clock:set_speed(1000)
      r = s:run(script [[
        for i = 1, 4 do show:shot { name = "s" .. i, prompt = "A street" } end
        print(show:shoot():count "landed", show.ledger.reserved)]])
      lib.assert_code(r, 0)
      lu.assertEquals(r.stdout, "4\t0\n")
      lu.assertEquals(s:bill().created, 4)
    end)
  end
end

function T.test_who_shares_a_call_that_is_called_off_has_no_clip()
  studio.with({ speed = 0 }, function(s)
    local r = s:run(script [[
      local a = show:shot { name = "a", prompt = "A street", seed = 7 }
      local b = show:shot { name = "b", prompt = "A street", seed = 7 }
      task.scope(function(scope)
        scope:spawn(function() task.timeout(1, a.shoot, a) end)
        task.sleep(0.3)
        local take = b:shoot()
        print(take.status, take.err.code, take.file)
      end)]])
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "stopped\tstopped\tnil\n")
    lu.assertEquals(s:bill().created, 1)
  end)
end

-- ---- consent ----

function T.test_force_that_buys_nothing_pins_nothing()
  studio.with({}, function(s)
    local source = studio.script({ "A street" }, "budget = 100")
    lib.assert_code(s:run(source), 0)
    lib.assert_code(s:run(source, { "--force" }), 8) -- 60 of 100 are spent
    lib.assert_code(s:run(source, { "--force", "--limit", "0" }), 0)
    local r = s:run(source)
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "s1_t001.mp4")
    r = s:run((studio.script { "A street" }))
    lu.assertStrContains(r.stdout, "s1_t001.mp4")
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_a_price_that_was_not_agreed_to_is_not_paid_by_the_next_run()
  studio.with({}, function(s)
    local source = studio.script { "A street" }
    lib.assert_code(s:run(source), 0)
    local no = [[require("rushes.config").options.confirm = function() return false end
]]
    local r = s:run(no .. source, { "--force" })
    lu.assertStrContains(r.stdout, "stopped")
    lu.assertStrContains(s:run(source).stdout, "s1_t001.mp4")
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_force_and_a_crash_buy_once()
  studio.with({}, function(s)
    local source = studio.script { "A street" }
    lib.assert_code(s:run(source), 0)
    s:run("require('rushes.event').subscribe(function(kind)"
      .. " if kind == 'submitted' then"
      .. " os.execute('kill -9 ' .. require('rt.c.sys').process()) end end)\n"
      .. source, { "--force" })
    lu.assertEquals(s:bill().created, 2)
    local r = s:run(source)
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "s1_t002.mp4")
    lu.assertEquals(s:bill().created, 2)
  end)
end

function T.test_a_decision_that_was_refused_is_not_pinned()
  studio.with({}, function(s)
    local function source(answer)
      return (studio.script { "A street" }:gsub("rushes.policy.fixed { model = \"gen4.5\" }",
        "function() return " .. answer .. " end"))
    end
    for _, wrong in ipairs { '{ model = "gen9" }', '{ model = "gen4.5", seconds = 77 }',
      '{ model = 42 }', '{ model = "gen4.5", seconds = 0/0 }',
      '{ model = "gen4.5", why = {} }', 'error "boom"' } do
      lib.assert_code(s:run(source(wrong)), 1)
    end
    lib.assert_code(s:run(source '{ model = "gen4.5" }'), 0)
    lib.assert_code(s:run(source '{ model = "gen4_turbo" }'), 0) -- this one was
    lu.assertEquals(s:bill().created, 1)
  end)
end

function T.test_limit_counts_the_whole_run()
  studio.with({}, function(s)
    local r = s:run(script [[
      for i = 1, 4 do
        print(show:shot { name = "s" .. i, prompt = "A street" }:shoot().status)
      end]], { "--limit", "2" })
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "landed\nlanded\nskipped\nskipped\n")
    lu.assertEquals(s:bill().created, 2)
  end)
end

function T.test_limit_is_looked_at_before_the_budget()
  studio.with({}, function(s)
    local r = s:run(studio.script({ "A", "B" }, "budget = 60"), { "--limit", "1" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "skipped")
  end)
end

function T.test_clips_without_their_journal_are_not_bought_again()
  studio.with({}, function(s)
    local source = studio.script { "A street", "A roof" }
    lib.assert_code(s:run(source), 0)
    for _, name in ipairs { "journal.db", "journal.db-wal", "journal.db-shm" } do
      fs.remove(s.dir .. "/night/" .. name)
    end
    for _ = 1, 2 do -- the first refusal leaves an empty journal behind
      local r = s:run(source)
      lib.assert_code(r, 1)
      lu.assertStrContains(r.stderr, "holds takes of shot s1 (up to t001), but not the journal")
    end
    lu.assertEquals(s:bill().created, 2)
    local r = s:run(source, { "--force" })
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "night/s1_t002.mp4")
    lu.assertEquals(s:bill().created, 4)
    lib.assert_code(s:run(source), 0)
    lu.assertEquals(s:bill().created, 4)
  end)
end

function T.test_a_damaged_journal_sends_nothing_and_is_left_alone()
  studio.with({}, function(s)
    local source, path = studio.script { "A street" }, s.dir .. "/night/journal.db"
    lib.assert_code(s:run(source), 0)
    local whole = assert(fs.read(path))
    local damaged = whole:sub(1, 4096) .. ("\xA5"):rep(#whole - 4096)
    assert(fs.write(path, damaged))
    local r = s:run(source)
    lib.assert_code(r, 1)
    lu.assertStrContains(r.stderr, "the journal of the show in night cannot be used")
    lu.assertEquals(s:bill().created, 1)
    assert(fs.write(path, whole))
    lib.assert_code(s:run(source), 0)
    lu.assertEquals(s:bill().created, 1)
  end)
end

-- ---- followed ----

local HERO = [[
local hero = show:character("hero", { image = %q })
show:shot { name = "street", prompt = %q, refs = { hero } }
local take = show:shoot()[1]
print(take.status, show.ledger.reserved, show.ledger.spent)
]]

function T.test_a_still_that_fails_while_followed_reserves_its_motion_once()
  studio.with({}, function(s)
    local body = HERO:format(PICTURE, "She walks [[fail:INTERNAL]]")
    s:run(script(body))
    local before = s:bill().created
    -- as if the last run had been killed while its last still was under way
    s:tamper([[UPDATE attempts SET state = 'running', held = 5000, cost = NULL WHERE id =
      (SELECT MAX(id) FROM attempts WHERE task IS NOT NULL)]])
    s:tamper("UPDATE attempts SET state = 'dropped' WHERE id <> (SELECT MAX(id) FROM attempts"
      .. " WHERE task IS NOT NULL)")
    local r = s:run(script(body))
    lib.assert_code(r, 5)
    lu.assertEquals(r.stdout, "failed\t0\t0\n")
    lu.assertEquals((booked(s)), 0)
    lu.assertTrue(s:bill().created > before) -- it was bought again
  end)
end

function T.test_a_key_that_is_refused_in_between_does_not_end_a_task()
  studio.with({ speed = 20 }, function(s)
    local source, key, at = studio.script { "A street" }, s.sim.key, s.sim.faults.at
    function s.sim.faults.at(faults, what, ...)
      if what == "poll" then s.sim.key = "key_" .. ("0"):rep(128) end
      return at(faults, what, ...)
    end
    local r = s:run(source)
    lib.assert_code(r, 4)
    lu.assertStrContains(r.stderr, "running the script again follows it")
    lu.assertEquals((booked(s)), 60000)
    s.sim.faults.at, s.sim.key = at, key
    lib.assert_code(s:run(source), 0)
    lu.assertEquals(s:bill().created, 1)
    lu.assertEquals({ booked(s) }, { 0, 60000 })
  end)
end

function T.test_a_clip_that_is_gone_on_both_sides_names_the_way_out()
  studio.with({}, function(s)
    local source = studio.script { "A street" }
    lib.assert_code(s:run(source), 0)
    assert(fs.remove(s.dir .. "/night/s1_t001.mp4"))
    s.sim:reset()
    local r = s:run(source)
    lib.assert_code(r, 5)
    lu.assertStrContains(r.stderr, "it is gone there; --force --only s1 buys it anew")
    lu.assertEquals(s:bill().created, 0)
    lib.assert_code(s:run(source, { "--force", "--only", "s1" }), 0)
    lu.assertEquals(s:bill().created, 1)
  end)
end

-- ---- two at once ----

function T.test_a_show_declared_twice_has_one_budget()
  studio.with({}, function(s)
    local source = [[
      local rushes, task = require "rushes", require "rt.task"
      local function shoot(name, budget)
        local show = rushes.show { name = "night", budget = budget,
          policy = rushes.policy.fixed { model = "gen4.5" } }
        return show:shot { name = name, prompt = "A street" }:shoot()
      end
      local done = rushes.all { function() return shoot("a", 100) end,
        function() return shoot("b", 100) end }
      table.sort(done, function(x, y) return x.status > y.status end)
      print(done[1].status, done[2].err.code)
      print(select(2, task.try(shoot, "c", 200)))]]
    local r = s:run(source)
    lu.assertEquals(s:bill().created, 1)
    lu.assertStrContains(r.stdout, "landed\tbudget\n")
    lu.assertStrContains(r.stdout, "one show has one budget")
  end)
end

function T.test_each_show_of_a_program_has_evidence_for_its_calls()
  studio.with({}, function(s)
    lib.assert_code(s:run [[
      local rushes = require "rushes"
      for _, name in ipairs { "day", "night" } do
        local show = rushes.show { name = name, policy = rushes.policy.fixed { model = "gen4.5" } }
        show:shot { name = "a", prompt = "A " .. name }:shoot()
      end]], 0)
    lu.assertEquals(#s:journal("SELECT 1 FROM attempts a JOIN evidence e ON e.id = a.evidence"), 1)
  end)
end

function T.test_shots_of_other_names_are_other_calls_without_a_seed_too()
  studio.with({}, function(s)
    local r = s:run(([[
      local rushes = require "rushes"
      local show = rushes.show { name = "night", provider = "gen4",
        policy = rushes.policy.fixed { model = "gen4" } }
      local refs = { show:character("hero", { image = %q }) }
      show:shot { name = "a", prompt = "A street", refs = refs }
      show:shot { name = "b", prompt = "A street", refs = refs }
      show:shot { name = "c", prompt = "A street", refs = refs, seed = 1 }
      show:shot { name = "d", prompt = "A street", refs = refs, seed = 1 }
      print(show:shoot():count "landed")]]):format(PICTURE))
    lib.assert_code(r, 0)
    lu.assertEquals(r.stdout, "4\n")
    lu.assertEquals(s:bill().created, 3)
  end)
end

function T.test_a_folder_with_a_slash_at_its_end_is_the_same_folder()
  studio.with({}, function(s)
    local source = studio.script({ "A street" }, 'output = "night/"')
    lib.assert_code(s:run(source), 0)
    lib.assert_code(s:run(source), 0)
    lib.assert_code(s:run(studio.script { "A street" }), 0)
    lu.assertEquals(s:bill().created, 1)
    lu.assertEquals(studio.files(s.dir .. "/night"), { "s1_t001.mp4" })
  end)
end

-- ---- secrets ----

function T.test_the_journal_holds_no_key_and_no_signed_query()
  studio.with({}, function(s)
    s:run(script [==[
      show:shot { name = "a", prompt = "A street [[expired_url]]",
        first_frame = "https://cdn.example/a.png?X-Amz-Signature=f00dfeedbead51" }
      show:shot { name = "b", prompt = "A street [[fail:ASSET.INVALID]]",
        first_frame = "https://cdn.example/b.png?sig=f00dfeedbead52" }
      show:shot { name = "c", prompt = "A street [[reset_after_create]]" }
      show:shot { name = "d", prompt = "A street [[http:400]]",
        first_frame = "https://cdn.example/d.png?sig=f00dfeedbead53" }
      show:shoot()
      require("rt.task").sleep(0.3) -- what was given to `later` is in the file
      os.execute("kill -9 " .. require("rt.c.sys").process()) -- and the -wal stays]==])
    local seen = 0
    for _, name in ipairs { "journal.db", "journal.db-wal" } do
      local bytes = assert(fs.read(s.dir .. "/night/" .. name, { max = 1 << 30 }))
      seen = seen + select(2, bytes:gsub("cdn.example", ""))
      for _, secret in ipairs { "f00dfeedbead", "_jwt", "sig=", "X%-Amz" } do
        lu.assertNil(bytes:find(secret), name .. " holds " .. secret)
      end
    end
    lu.assertTrue(seen > 0)
  end)
end

return T
