--- Where the prints of a script go when stdout is for data.
local M = {}

--- Let `print` and `io.write` of the script write to stderr.
function M.to_stderr()
  local function write(...)
    io.stderr:write(...)
    return io.stdout
  end
  local function print(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    io.stderr:write(table.concat(parts, "\t"), "\n")
  end
  local strict = require("rt.strict").env()
  rawset(_G, "print", print)
  rawset(strict, "print", print)
  io.write = write -- luacheck: ignore 122
end

return M
