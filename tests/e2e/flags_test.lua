--- Flags that decide what is paid for: what they leave out, and slips of the hand that
--- must not cost credits or pass for success.
local lu = require "luaunit"
local proc = require "rt.proc"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

local THREE = studio.script [[
show:shot { name = "street1", prompt = "x" }
show:shot { name = "street2", prompt = "y" }
show:shot { name = "lobby", prompt = "z" }
]]

local function left_out_by_all(s, more)
  local args = { "--only", "stret*", "--only", "roof", table.unpack(more) }
  local r = s:run(THREE, args)
  lib.assert_code(r, 2)
  lu.assertStrContains(r.stderr,
    "rushes: --only stret* --only roof: none of the 3 shots has such a name")
  return r
end

function T.test_several_globs_are_any_of_them()
  studio.with({}, function(s)
    local r = s:run(THREE, { "--only", "lobby", "--only", "*2" })
    lib.assert_code(r, 0)
    lu.assertEquals(s:bill().created, 2)
    lu.assertStrContains(r.stderr, "2 of 3 takes landed · 1 skipped")
    lu.assertNotStrContains(r.stderr, "street1") -- counted, not told one by one
  end)
end

function T.test_a_glob_that_means_no_shot_does_not_pass_for_success()
  studio.with({}, function(s)
    left_out_by_all(s, {})
    local r = left_out_by_all(s, { "--json" })
    lu.assertStrContains(r.stdout, '"exit":2')
    lu.assertStrContains(r.stdout, '"flag":"only"')
    r = s:run(THREE, { "--only", "stret1" })
    lib.assert_code(r, 2)
    lu.assertStrContains(r.stderr, '(did you mean "street1"?)')
    lib.assert_code(s:run(THREE, { command = "plan", "--only", "roof" }), 2)
    lu.assertEquals(s:bill().created, 0)
  end)
end

function T.test_faults_without_a_simulator_are_refused_before_anything_is_paid()
  studio.with({}, function(s)
    for _, flag in ipairs { { "--sim-faults", "429" }, { "--sim-speed", "100" } } do
      local r = s:run(THREE, flag)
      lib.assert_code(r, 2)
      lu.assertStrContains(r.stderr, flag[1] .. " is for the simulator: say --sim as well")
    end
    lu.assertEquals(s:bill().created, 0)
  end)
end

function T.test_numbers_that_make_no_sense_are_named()
  for args, said in pairs {
    [{ "--budget", "-5" }] = "no number may be below 0 here, but there is '-5'",
    [{ "--limit", "1.5" }] = "--limit wants a whole number from 0 on, not '1.5'",
    [{ "--only", "" }] = "--only wants a shot's name or a glob such as 'street*'",
  } do
    local r = lib.rushes { "run", args[1], args[2], "x.lua" }
    lib.assert_code(r, 2)
    lu.assertStrContains(r.stderr, said)
  end
end

--- Run --force on a terminal and type `answer` when it asks.
local function forced(s, answer, only)
  local env = studio.env(s.sim.url)
  env.TERM, env.LANG = "xterm", "C.UTF-8"
  local p = assert(proc.spawn { "script", "-qefc", lib.RUSHES
    .. " run --force " .. (only or "--only lobby") .. " script.lua", "/dev/null", cwd = s.dir, stdin = true,
    env = env })
  local out, typed = "", false
  for chunk in function() return p:read() end do
    out = out .. chunk
    if not typed and out:find("[y/N] ", 1, true) then
      typed = true
      p:write(answer)
    end
  end
  return p:wait(), out
end

function T.test_force_says_the_price_and_only_a_yes_agrees()
  studio.with({}, function(s)
    lib.assert_code(s:run(THREE), 0)
    for answer, code in pairs { ["\n"] = 0, ["no\n"] = 0, ["yess\n"] = 0, ["\3"] = 130 } do
      local r, out = forced(s, answer)
      lib.assert_code(r, code)
      lu.assertStrContains(out, "make 1 take anew for up to 60 credits? [y/N] ")
      lu.assertStrContains(out, "lobby t002 stopped: not submitted: the price was not agreed")
      lu.assertEquals(s:bill().created, 3)
    end
    lib.assert_code(forced(s, " YES\n"), 0)
    lu.assertEquals(s:bill().created, 4)
    local r = s:run(THREE, { "--force" })
    lu.assertStrContains(r.stderr, "--force: up to 180 credits for 3 takes anew\n")
    lu.assertEquals(s:bill().created, 7)
  end)
end

function T.test_shots_of_several_tasks_are_asked_for_one_after_the_other()
  studio.with({}, function(s)
    local source = THREE:gsub("for _, take.*", [[
local fns = {}
for i, shot in ipairs(show.shots) do fns[i] = function() return shot:shoot() end end
for _, take in ipairs(rushes.all(fns)) do print(take.shot.name, take.status) end]])
    lib.assert_code(s:run(source), 0)
    local _, out = forced(s, "y\ny\nn\n", "")
    lu.assertEquals(select(2, out:gsub("%[y/N%]", "")), 3)
    lu.assertEquals(s:bill().created, 5, out)
  end)
end

return T
