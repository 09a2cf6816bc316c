--- A folder for a test, and the program that it may run there.
local fs = require "rt.fs"

local M = {}

--- The program that is tested; valgrind cannot run itself under the other name.
M.PROGRAM = os.getenv "RUSHES" or "/proc/self/exe"

--- A test that runs `fn(dir)` with a folder of its own, which is gone afterwards.
---@param fn async fun(dir: string)
---@return async fun()
function M.in_dir(fn)
  return function()
    local dir = assert(fs.tempdir())
    local _ <close> = setmetatable({}, { __close = function()
      assert(fs.remove(dir, { recursive = true }))
    end })
    fn(dir)
  end
end

return M
