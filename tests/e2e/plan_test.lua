--- rushes plan: what it says is what a run then does, and it sends nothing.
local fs = require "rt.fs"
local httpd = require "rt.httpd"
local json = require "rt.json"
local lu = require "luaunit"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local function plan(s, source, args)
  assert(fs.write(s.dir .. "/script.lua", source))
  args = args or {}
  table.insert(args, 1, "plan")
  args[#args + 1] = "script.lua"
  args.cwd, args.env = s.dir, args.env or studio.env(s.sim.url)
  return lib.rushes(args)
end

local function data(s, source, args)
  args = args or {}
  table.insert(args, 1, "--json")
  local r = plan(s, source, args)
  return assert(json.decode(r.stdout), r.stderr), r
end

local function kinds(d)
  local out = {}
  for _, call in ipairs(d.calls) do
    out[#out + 1] = ("%s %s %s %s"):format(call.shot, call.stage, call.call, call.credits)
  end
  return out
end

local TWO = studio.script { "x", "y" }

function T.test_a_plan_sends_nothing_and_writes_nothing()
  studio.with({}, function(s)
    local d, r = data(s, TWO)
    lib.assert_code(r, 0)
    lu.assertEquals(kinds(d), { "s1 motion new 60", "s2 motion new 60" })
    lu.assertEquals({ d.credits, s:bill().created }, { 120, 0 })
    lu.assertEquals(studio.files(s.dir), { "script.lua" })
    lu.assertTrue(d.finish.lanes_known)
    lu.assertStrContains(r.stderr, "s1\tplanned\t60") -- what the script prints
  end)
end

function T.test_the_run_costs_what_the_plan_said_and_is_then_cached()
  studio.with({}, function(s)
    local d = data(s, TWO)
    lib.assert_code(s:run(TWO), 0)
    lu.assertEquals(s:bill().charged, d.credits)
    d = data(s, TWO)
    lu.assertEquals(kinds(d), { "s1 motion cached 0", "s2 motion cached 0" })
    lu.assertEquals({ d.credits, d.finish }, { 0, nil })
    d = data(s, (TWO:gsub('"x"', '"another x"')))
    lu.assertEquals(kinds(d), { "s1 motion stale 60", "s2 motion cached 0" })
    lu.assertStrContains(d.calls[1].why, "promptText")
  end)
end

function T.test_what_does_not_fit_is_blocked_with_status_8()
  studio.with({}, function(s)
    local source = studio.script({ "x", "y" }, "budget = 100")
    local d, r = data(s, source)
    lib.assert_code(r, 8)
    lu.assertEquals(kinds(d), { "s1 motion new 60", "s2 motion blocked 60" })
    lu.assertEquals(d.budgets, { { name = "show night", limit = 100, spent = 0, held = 0,
      plan = 60, left = 40 } })
    d, r = data(s, TWO, { "--budget", "70" })
    lib.assert_code(r, 8)
    lu.assertEquals({ d.budgets[1].name, d.budgets[1].left }, { "this run", 10 })
    r = plan(s, source)
    lib.assert_code(r, 8)
    lu.assertStrContains(r.stdout, "shot s2 needs 60 credits, but show night has 40 left")
  end)
end

function T.test_no_key_is_needed()
  studio.with({}, function(s)
    local d, r = data(s, TWO, { env = { RUNWAYML_API_SECRET = "", RUNWAYML_BASE_URL = "" } })
    lib.assert_code(r, 0)
    lu.assertEquals(d.credits, 120)
    lu.assertEquals({ d.finish.lanes_known, d.accounts.runway.err.code }, { false, "auth" })
    -- nor afterwards, when the journal knows where the takes were made
    lib.assert_code(s:run(TWO), 0)
    d = data(s, TWO, { env = { RUNWAYML_API_SECRET = "", RUNWAYML_BASE_URL = "" } })
    lu.assertEquals(kinds(d), { "s1 motion cached 0", "s2 motion cached 0" })
  end)
end

function T.test_an_open_submission_is_unknown_and_holds_its_credits()
  studio.with({}, function(s)
    local source = studio.script { "x [[reset_after_create]]", "y" }
    lib.assert_code(s:run(source), 9)
    local d, r = data(s, source)
    lib.assert_code(r, 0)
    lu.assertEquals(kinds(d), { "s1 motion unknown 60", "s2 motion cached 0" })
    lu.assertEquals({ d.credits, d.budgets[1].held }, { 0, 60 })
    lu.assertStrContains(plan(s, source).stdout,
      "  rushes reconcile night  # 1 call whose outcome is not known, 60 credits held")
  end)
end

function T.test_flags_of_run_count()
  studio.with({}, function(s)
    local d = data(s, TWO, { "--only", "s2" })
    lu.assertEquals({ #d.calls, d.calls[1].call, d.calls[2].call }, { 2, "skipped", "new" })
    lu.assertStrContains(d.calls[1].why, "--only s2")
    lib.assert_code(s:run(TWO), 0)
    lu.assertEquals(data(s, TWO, { "--force" }).credits, 120)
  end)
end

function T.test_what_force_makes_anew_says_so()
  studio.with({}, function(s)
    lib.assert_code(s:run(TWO), 0)
    local d = data(s, TWO, { "--force", "--only", "s1" })
    lu.assertEquals(kinds(d)[1], "s1 motion stale 60")
    lu.assertEquals(d.calls[1].why, "made as t001; anew because of --force")
  end)
end

function T.test_nested_budgets_are_shown()
  studio.with({}, function(s)
    local source = ([[local budget = require("rushes").budget
      budget("seq010", 100, function() budget("armA", 70, function()
      %s end) end)]]):format(TWO)
    local d, r = data(s, source)
    lib.assert_code(r, 8)
    lu.assertEquals({ d.budgets[2].path, d.budgets[2].left, d.budgets[3].path,
      d.budgets[3].left }, { "seq010", 40, "seq010/armA", 10 })
    lu.assertEquals(d.calls[2].budget, "seq010/armA")
  end)
end

function T.test_times_come_from_the_journal_once_it_has_some()
  studio.with({}, function(s)
    local three = { "x", "y", "z" }
    lu.assertFalse(data(s, studio.script(three)).finish.measured)
    lib.assert_code(s:run(studio.script(three)), 0)
    local d = data(s, studio.script { "x", "y", "z", "one more" })
    lu.assertTrue(d.finish.measured)
    lu.assertTrue(d.finish.seconds < 30, d.finish.seconds) -- this simulator is fast
  end)
end

function T.test_calls_by_hand_are_planned_too()
  studio.with({}, function(s)
    local source = [[local rushes = require "rushes"
      local show = rushes.show { name = "night", budget = 100 }
      local runway = rushes.provider("runway", show)
      for _, prompt in ipairs { "x", "y" } do
        runway:generate { model = "gen4.5", prompt = prompt, seconds = 5, ratio = "1280:720" }
      end]]
    for _, env in ipairs { studio.env(s.sim.url), { RUNWAYML_API_SECRET = "" } } do
      local d, r = data(s, source, { env = env })
      lib.assert_code(r, 8)
      lu.assertEquals(kinds(d), { "by hand job new 60", "by hand job blocked 60" })
    end
    lu.assertEquals(s:bill().created, 0)
    s:run(source)
    local d = data(s, source)
    lu.assertEquals(kinds(d), { "by hand job cached 0", "by hand job blocked 60" })
  end)
end

function T.test_calls_by_hand_without_a_show_count_in_the_budgets_around_them()
  studio.with({}, function(s)
    local d, r = data(s, [[local rushes = require "rushes"
      rushes.budget("tests", 100, function()
        local runway = rushes.provider "runway"
        for _, prompt in ipairs { "x", "y" } do
          runway:generate { model = "gen4.5", prompt = prompt, seconds = 5, ratio = "1280:720" }
        end
      end)]])
    lib.assert_code(r, 8)
    lu.assertEquals(kinds(d), { "by hand job new 60", "by hand job blocked 60" })
    lu.assertEquals({ d.budgets[1].path, d.budgets[1].plan, d.budgets[1].left },
      { "tests", 60, 40 })
  end)
end

function T.test_a_script_with_an_error_shows_what_was_planned_so_far()
  studio.with({}, function(s)
    local d, r = data(s, TWO .. '\nerror "in the middle"')
    lib.assert_code(r, 7)
    lu.assertEquals({ #d.calls, d.err.code }, { 2, "script" })
    lu.assertStrContains(r.stderr, "in the middle")
    r = plan(s, TWO .. '\nerror "in the middle"')
    lu.assertStrContains(r.stdout, "there may be more calls than these")
    r = plan(s, TWO .. "\nos.exit(3)")
    lib.assert_code(r, 3)
    lu.assertStrContains(r.stdout, "s1 t001")
    lu.assertNotStrContains(r.stdout, "there may be more")
  end)
end

function T.test_a_script_that_came_to_nothing_is_not_said_to_ask_for_nothing()
  studio.with({}, function(s)
    local r = plan(s, 'error "at once"')
    lib.assert_code(r, 7)
    lu.assertEquals(r.stdout, "")
    local d = data(s, 'error "at once"')
    lu.assertEquals({ #d.calls, d.err.message }, { 0, "script.lua:1: at once" })
  end)
end

--- A plan against a server that answers as `answer(req, n)` says; n counts its requests.
local function with_server(answer, fn)
  local server, n = assert(httpd.listen {}), 0
  lib.in_folder(function(dir)
    task.scope(function(scope)
      scope:spawn(function()
        server:serve(function(req)
          n = n + 1
          answer(req, n)
        end)
      end)
      assert(fs.write(dir .. "/script.lua", TWO))
      fn(lib.rushes { "plan", "script.lua", cwd = dir,
        env = studio.env("http://127.0.0.1:" .. server.port) })
      server:close()
    end)
  end)
  return n
end

function T.test_an_account_that_cannot_tell_its_lanes_does_not_hold_up_a_plan()
  local asked = with_server(function(req) req:respond { status = 503, body = "" } end,
    function(r)
      lib.assert_code(r, 0)
      lu.assertStrContains(r.stdout, "lanes of runway not known: ")
      lu.assertStrContains(r.stdout, "with every call at once")
    end)
  lu.assertEquals(asked, 2)
end

function T.test_a_person_is_told_what_a_slow_plan_waits_for()
  with_server(function(req)
    task.sleep(5.5)
    req:respond { status = 404, body = "" }
  end, function(r)
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stderr, "waiting for runway to say what the account may do\n")
  end)
end

function T.test_a_rehearsal_can_be_planned()
  lib.in_folder(function(dir)
    assert(fs.write(dir .. "/script.lua", TWO))
    local r = lib.rushes { "plan", "--sim", "script.lua", cwd = dir }
    lib.assert_code(r, 0)
    lu.assertStrContains(r.stdout, "the account at runway has 100000 credits")
    lu.assertStrContains(r.stdout, "cannot finish before")
  end)
end

return T
