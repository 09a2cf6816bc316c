--- The key: what is said when it is missing or wrong, and that it is never shown.
local fs = require "rt.fs"
local lu = require "luaunit"
local proc = require "rt.proc"
local task = require "rt.task"

local lib = require "e2e.lib"

local T = {}

local KEY = "key_" .. ("c0ffee11deadbeef"):rep(8)
local SECRET = "c0ffee11deadbeef" -- any part of it

local SHOW = [[
local rushes = require "rushes"
local show = rushes.show { name = "night", ratio = "1280:720", budget = 100 }
show:shot { name = "street", prompt = "A street", seconds = 5 }
show.policy = rushes.policy.fixed { model = "gen4.5" }
show:shoot()
]]

function T.test_no_key_is_4_and_names_the_variable()
  local r = lib.run_source(SHOW)
  lib.assert_code(r, 4)
  lu.assertStrContains(r.stderr, "RUNWAYML_API_SECRET")
  lu.assertStrContains(r.stderr, "rushes run --sim")
end

function T.test_a_look_alike_is_named_and_its_value_is_not()
  for _, name in ipairs { "RUNWAYML_API_KEY", "RUNWAY_API_SECRET", "RUNWAY_API_KEY",
    "RUNWAY_TOKEN", "RUNWAYML_KEY" } do
    local r = lib.run_source(SHOW, { env = { [name] = KEY } })
    lib.assert_code(r, 4)
    lu.assertStrContains(r.stderr, name .. " is")
    lu.assertNotStrContains(r.stderr, SECRET)
  end
end

--- Call `fn(url)` with a simulator that is there for it.
local function with_sim(flags, fn)
  task.scope(function()
    local args = { lib.RUSHES, "sim", "--child", "--no-media", "--speed", "100", stdin = true }
    for _, flag in ipairs(flags) do args[#args + 1] = flag end
    local p = assert(proc.spawn(args))
    local url = p:lines()():match "^listening (%S+)$"
    local ok, e = pcall(fn, url)
    p:end_input()
    local bill = p:wait().stderr
    if not ok then error(e, 0) end
    lu.assertNotStrContains(bill, SECRET)
  end)
end

function T.test_a_wrong_key_is_4()
  with_sim({}, function(url)
    local r = lib.run_source(SHOW, { env = { RUNWAYML_API_SECRET = "not-a-key",
      RUNWAYML_BASE_URL = url } })
    lib.assert_code(r, 4)
    lu.assertStrContains(r.stderr, "does not accept the key (401)")
    lu.assertNotStrContains(r.stderr, "not-a-key")
  end)
end

-- What a script might do by mistake: print all it can reach, fail with it.
local NOSY = [[
local rushes = require "rushes"
local runway = rushes.provider "runway"
local job = assert(runway:generate { mode = "text_to_video", model = "gen4.5",
  prompt = "A street", seconds = 5, ratio = "1280:720" })
assert(job:poll { every = 0.2 })
assert(job:download "clip.mp4")
local seen = {}
local function show(t, depth)
  if seen[t] or depth > 6 then return end
  seen[t] = true
  for k, v in pairs(t) do
    print(k, v)
    if type(v) == "table" then show(v, depth + 1) end
  end
end
show(package.loaded, 1)
show(job, 1)
print(rushes.proc.run { "env" }.stdout)
]]

--- Every byte that the run left in its folder.
local function written(dir)
  local parts = {}
  for _, entry in ipairs(assert(fs.list(dir))) do
    local path = dir .. "/" .. entry.name
    if fs.stat(path).type == "directory" then
      parts[#parts + 1] = written(path)
    else
      parts[#parts + 1] = assert(fs.read(path))
    end
  end
  return table.concat(parts, "\n")
end

local function look_for_key(source, flags, url)
  local r
  lib.in_folder(function(dir)
    assert(fs.write(dir .. "/script.lua", source))
    local args = { "run", "-v", cwd = dir, env = { RUNWAYML_API_SECRET = KEY,
      RUNWAYML_BASE_URL = url, RUNWAYML_LOG = "debug", RUSHES_LOG = "debug" } }
    for _, flag in ipairs(flags) do args[#args + 1] = flag end
    args[#args + 1] = "script.lua"
    r = lib.rushes(args)
    lu.assertNotStrContains(r.stdout, SECRET)
    lu.assertNotStrContains(r.stderr, SECRET)
    lu.assertNotStrContains(written(dir), SECRET)
  end)
  return r
end

function T.test_the_key_is_in_no_output_and_no_file()
  with_sim({}, function(url)
    for _, flags in ipairs { {}, { "--json" } } do
      lib.assert_code(look_for_key(NOSY, flags, url), 0)
      lib.assert_code(look_for_key(NOSY .. "error('at the end')", flags, url), 7)
    end
  end)
end

function T.test_nor_when_the_provider_fails()
  for _, fault in ipairs { "html_error", "reset_after_create", "http:400", "fail:INTERNAL" } do
    with_sim({ "--faults", fault }, function(url) look_for_key(NOSY, {}, url) end)
  end
end

function T.test_nor_when_nobody_listens_or_the_address_is_bad()
  for _, url in ipairs { "http://127.0.0.1:1", "ftp://127.0.0.1", "http://192.0.2.1" } do
    look_for_key("require('rushes').provider 'runway'", {}, url)
  end
end

function T.test_nor_in_doctor_models_and_version()
  for _, args in ipairs { { "doctor", "--offline" }, { "doctor", "--offline", "--json" },
    { "models" }, { "version" }, { "run", "--help" }, { "-e", "print(rushes)" } } do
    args.env = { RUNWAYML_API_SECRET = KEY, RUNWAY_API_KEY = KEY }
    local r = lib.rushes(args)
    lu.assertNotStrContains(r.stdout .. r.stderr, SECRET)
  end
end

function T.test_with_the_simulator_the_real_key_is_not_used()
  local r = lib.run_source([[
    local config = require "rushes.config"
    local made_up = config.get "RUNWAYML_API_SECRET"
    print(made_up:find "^key_%x+$" ~= nil, #made_up, made_up == os.getenv "RUNWAYML_API_SECRET")]],
    { "--sim", env = { RUNWAYML_API_SECRET = KEY, RUNWAYML_BASE_URL = "http://192.0.2.1" } })
  lib.assert_code(r, 0)
  lu.assertEquals(r.stdout, "true\t132\tfalse\n")
end

return T
