--- Run Lua tests inside our own binary: rushes run tests/run.lua FILE ...
--- Each file returns a table of functions `test_…`; a test may wait. A test fails
--- when it leaves an operation in flight or takes longer than its deadline.
local lu = require "luaunit"
local core = require "rt.c.core"
local task = require "rt.task"

local DEADLINE = tonumber(os.getenv "RUSHES_TEST_DEADLINE") or 60 -- seconds, per test

local function checked(name, fn)
  return function()
    local before = core.pending()
    local ended, e = task.timeout(DEADLINE, function()
      fn()
      return true
    end)
    if not ended then error(e, 0) end
    for _ = 1, 1000 do -- what was cancelled comes back within a few turns
      if core.pending() <= before then break end
      task.yield()
    end
    local left = core.pending() - before
    lu.assertTrue(left <= 0, ("%s left %d operations in flight"):format(name, left))
  end
end

local function suite(file)
  local name = file:match "([^/]+)_test%.lua$" or file
  local tests = {}
  for key, fn in pairs(assert(loadfile(file))(file)) do
    tests[key] = key:match "^test" and checked(key, fn) or fn -- setUp, tearDown
  end
  return { name, tests }
end

local files = { table.unpack(arg, 1) }
local instances = {}
for _, file in ipairs(files) do instances[#instances + 1] = suite(file) end
local runner = lu.LuaUnit.new()
runner:setOutputType(os.getenv "RUSHES_TEST_OUTPUT" or "text")
runner:runSuiteByInstances(instances)
local r = runner.result
print(("%d passed, %d failed%s"):format(r.successCount, r.notSuccessCount,
  r.skippedCount > 0 and (", %d skipped"):format(r.skippedCount) or ""))
os.exit(r.notSuccessCount == 0 and 0 or 1)
