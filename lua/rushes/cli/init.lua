--- The command line. Returns the exit status.
local strict = require "rt.strict"
local task = require "rt.task"

return function(argv)
  local script = argv[2]
  local ok, e = task.run(function()
    package.scriptpath = (script:match "^(.*/)" or "./") .. "?.lua"
    local chunk = assert(loadfile(script, "bt", strict.env()))
    strict.env().arg = table.move(argv, 3, #argv, 1, { [0] = script })
    return chunk(table.unpack(argv, 3))
  end)
  if ok then return 0 end
  io.stderr:write(tostring(e), "\n", e.traceback or "", "\n")
  return 7
end
