--- Where the prints of a script go when stdout is for data.
local M = {}

--- Let `print` of the script write through the methods of a file, which may have been
--- replaced; Lua's own goes around them.
---@param file file*
function M.through(file)
  local function print(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    file:write(table.concat(parts, "\t"), "\n")
  end
  rawset(_G, "print", print)
  rawset(require("rt.strict").env(), "print", print)
end

--- Let `print` and `io.write` of the script write to stderr.
function M.to_stderr()
  M.through(io.stderr)
  io.write = function(...) -- luacheck: ignore 122
    io.stderr:write(...)
    return io.stdout
  end
end

return M
