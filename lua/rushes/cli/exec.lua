--- rushes -e: a piece of code from the command line.
local run = require "rushes.cli.run"

local M = {
  name = "-e",
  summary = "run a piece of code",
  usage = "rushes -e CODE [flags] [ARGS] [-- ARGS]",
  examples = {
    { "rushes -e 'print(_VERSION)'", "any Lua" },
    { "rushes -e 'print(rushes.fs.exists \"refs\")'", "rushes is there at once" },
  },
}

function M.parser(p)
  p:argument "code" :description "Lua"
  p:argument "args" :args "*" :description "what the code gets as arg and ..."
  run.flags(p)
end

M.check = run.check

---@param opts table
---@return integer status
function M.main(opts)
  local env = require("rt.strict").env()
  rawset(env, "rushes", require("rushes.cli.lazy").module "rushes")
  return run.main(opts)
end

return M
