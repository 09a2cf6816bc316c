--- rushes status: what it says is so, and what it tells to type can be typed.
local fs = require "rt.fs"
local json = require "rt.json"
local lu = require "luaunit"
local proc = require "rt.proc"

local journal_of = require "lua.journal_of"
local lib = require "e2e.lib"
local studio = require "e2e.studio"
local text = require "rushes.cli.text"

local T = {}

local function status(s, opts)
  table.insert(opts, 1, "status")
  opts.cwd = opts.cwd or s.dir
  local r = lib.rushes(opts)
  lib.assert_code(r, 0)
  return r.stdout
end

-- A show whose paths need quotes, and a script whose takes depend on its arguments.
local ODD = [[
local rushes = require "rushes"
local show = rushes.show { name = "night", output = "it's tonight",
  policy = rushes.policy.fixed { model = "gen4.5" } }
show:shot { name = "street", prompt = "a street in " .. arg[1] }
for _, take in ipairs(show:shoot()) do print(take.status, take.file or take.err.code) end
]]

function T.test_the_command_that_goes_on_can_be_typed_anywhere()
  studio.with({ faults = "fail:INVALID.X:x1" }, function(s)
    local dir = s.dir .. "/my show"
    assert(fs.mkdir(dir))
    assert(fs.write(dir .. "/night \"1\".lua", ODD))
    local env = studio.env(s.sim.url)
    local r = lib.rushes { "run", 'night "1".lua', "the $rain's end", "--", "--x", cwd = dir,
      env = env }
    lib.assert_code(r, 5)
    local d = assert(json.decode(status(s, { "--json", dir .. "/it's tonight" })))
    local command = d.next[1].command
    lu.assertStrMatches(command, "cd .* && rushes run .*", 1, #command)
    lu.assertStrContains(status(s, { cwd = dir, "it's tonight" }),
      [[  rushes run 'night "1".lua' -- 'the $rain'\''s end' --x  # ask anew]])
    env.PATH = fs.dirname(lib.RUSHES) .. ":" .. os.getenv "PATH"
    local again = assert(proc.run { "sh", "-c", command, cwd = "/", env = env })
    lib.assert_code(again, 0)
    lu.assertEquals(again.stdout, "landed\tit's tonight/street_t001.mp4\n")
    lu.assertEquals(s:bill().created, 2) -- the failed one and its repeat: no other show
  end)
end

function T.test_a_run_from_standard_input_cannot_be_named_again()
  studio.with({ faults = "fail:INVALID.X" }, function(s)
    lib.rushes { "run", "-", cwd = s.dir, env = studio.env(s.sim.url),
      stdin = studio.script { "x" } }
    lu.assertStrContains(status(s, {}), "  rushes run SCRIPT  # ask anew for 1 take")
  end)
end

function T.test_what_moderation_refused_is_not_asked_for_again()
  studio.with({}, function(s)
    s:run(studio.script { "[[fail:SAFETY.INPUT.TEXT]]", "y" })
    local out = status(s, {})
    lu.assertStrContains(out, "# once the prompts of 1 take that moderation refused are")
    lu.assertStrContains(out, "with status 1: some takes failed")
  end)
end

function T.test_shots_that_did_not_fit_the_budget_are_still_to_be_made()
  studio.with({}, function(s)
    lib.assert_code(s:run(studio.script({ "x", "y" }, "budget = 60")), 8)
    local out = status(s, {})
    lu.assertStrContains(out, "with status 8: the budget did not reach")
    lu.assertStrContains(out, "rushes run script.lua  # ask anew for 1 take without a clip")
    lib.assert_code(s:run(studio.script { "x", "y" }), 0)
    lu.assertNotStrContains(status(s, {}), "rushes run")
  end)
end

--- A journal in the middle of a run: what moves comes before what waits.
local function busy(dir)
  local attempts = { { shot = "lobby10", state = "landed", cost = 60000, sent = 1,
    accepted = 2, ended = 66 } }
  for i, state in ipairs { "intent", "running", "intent", "unknown", "throttled" } do
    attempts[i + 1] = { shot = "lobby" .. i, state = state, held = 60000, sent = 1,
      accepted = state ~= "intent" and 2 or nil }
  end
  journal_of.make(dir .. "/night", attempts, { run = {}, meta = { show = "night" } })
  -- another machine holds the lock, as far as anybody here can tell
  assert(fs.write(dir .. "/night/journal.lock",
    '{"pid":4711,"host":"a-machine-with-a-long-name","since":1700000000,"script":"night.lua"}'))
end

function T.test_what_moves_is_listed_before_what_waits()
  lib.in_folder(function(dir)
    busy(dir)
    local out = status({ dir = dir }, {})
    local at = {}
    for name in out:gmatch "\n  (lobby%d+) t001" do at[#at + 1] = name end
    lu.assertEquals(at, { "lobby4", "lobby2", "lobby5", "lobby1", "lobby3" })
    lu.assertStrContains(out, "1 landed, 1 running, 1 throttled, 2 waiting, 1 unknown")
  end)
end

function T.test_no_line_is_wider_than_a_narrow_terminal()
  lib.in_folder(function(dir)
    busy(dir)
    local r = lib.on_terminal { "status", cwd = dir, columns = 40 }
    lib.assert_code(r, 0)
    for line in r.stdout:gsub("\27%[[%d;]*m", ""):gmatch "[^\r\n]+" do
      if not line:find "^  rushes " then lu.assertTrue(text.width(line) <= 40, line) end
    end
  end)
end

function T.test_a_program_that_asks_for_json_gets_the_error_as_json()
  lib.in_folder(function(dir)
    for _, command in ipairs { "status", "reconcile", "audit" } do
      local r = lib.rushes { command, "--json", "nowhere", cwd = dir }
      lib.assert_code(r, 3)
      local d = assert(json.decode(r.stdout))
      lu.assertEquals({ d.schema, d.exit, d.err.code }, { 1, 3, "not_found" })
      lu.assertEquals(r.stderr, "rushes: " .. d.err.message .. "\n")
    end
  end)
end

function T.test_an_answer_that_could_not_be_written_is_no_success()
  lib.in_folder(function(dir)
    busy(dir)
    for _, flag in ipairs { "", " --json" } do
      local r = assert(proc.run { "sh", "-c", lib.RUSHES .. " status night" .. flag
        .. " >/dev/full", cwd = dir })
      lib.assert_code(r, 1)
      lu.assertStrContains(r.stderr, "the answer could not be written to standard output: No")
    end
    local r = assert(proc.run { "sh", "-c", "(" .. lib.RUSHES
      .. " status night; echo $? >&2) | :", cwd = dir })
    lu.assertEquals(r.stderr, "0\n")
  end)
end

return T
