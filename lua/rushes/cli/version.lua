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

--- In the order in which they are shown; `lua` is the language.
M.LIBRARIES = { "lua", "libuv", "libcurl", "libmicrohttpd", "libcrypto", "sqlite" }

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
  io.stdout:write("rushes ", v.rushes, "\n")
  for _, name in ipairs(M.LIBRARIES) do
    io.stdout:write(("  %-14s %s\n"):format(name, v[name]:match "%S+"))
  end
  return 0
end

return M
