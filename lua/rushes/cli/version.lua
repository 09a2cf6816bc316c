--- rushes version: what this binary is made of.
local M = {
  name = "version",
  summary = "versions of rushes and of the libraries in it",
  usage = "rushes version [--json]",
  examples = {
    { "rushes version", "for a report" },
    { "rushes version --json", "for a program" },
  },
}

function M.parser(p)
  p:flag "--json" :description "one JSON object"
end

---@param opts {json?: boolean}
---@return integer status
function M.main(opts)
  local v = require("rt.c.sys").versions()
  if opts.json then
    v.schema = 1
    io.stdout:write(require("rt.json").encode(v), "\n")
    return 0
  end
  io.stdout:write(("rushes %s (Lua %s, libuv %s, libcrypto %s)\n"):format(v.rushes, v.lua,
    v.libuv, v.libcrypto))
  return 0
end

return M
