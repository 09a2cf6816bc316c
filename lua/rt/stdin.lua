--- Standard input that does not hold up the other tasks while it waits.
local source = require "rt.c.stdin"
local task = require "rt.task"

local M = {}

---@class rt.Stdin
---@field private source userdata
---@field private rest string   read but not yet handed out
local Stdin = {}
Stdin.__index = Stdin
Stdin.__name = "rt.Stdin"

--- Open it. Close it before the program ends (`local input <close> = …`).
---@return rt.Stdin?
---@return rt.Err?
function M.open()
  local reader, e = source.open()
  if not reader then return nil, e end
  return setmetatable({ source = reader, rest = "" }, Stdin)
end

--- The next bytes, as soon as there are some; nil at the end.
---@async
---@return string?
---@return rt.Err?
function Stdin:read()
  if self.rest ~= "" then
    local bytes = self.rest
    self.rest = ""
    return bytes
  end
  return task.await(self.source:read())
end

--- The next line without its end; nil at the end of the input.
---@async
---@return string?
---@return rt.Err?
function Stdin:line()
  while true do
    local line, rest = self.rest:match "^([^\n]*)\n(.*)$"
    if line then
      self.rest = rest
      return line
    end
    local bytes, e = task.await(self.source:read())
    if not bytes then
      line, self.rest = self.rest, ""
      return not e and line ~= "" and line or nil, e
    end
    self.rest = self.rest .. bytes
  end
end

--- Everything up to the end.
---@async
---@return string?
---@return rt.Err?
function Stdin:all()
  local parts = {}
  while true do
    local bytes, e = self:read()
    if e then return nil, e end
    if not bytes then return table.concat(parts) end
    parts[#parts + 1] = bytes
  end
end

function Stdin:close() self.source:close() end

Stdin.__close = Stdin.close

return M
