---@meta rt.stdin
-- Made by tools/meta.lua: do not edit.

-- Standard input that does not hold up the other tasks while it waits.
local M = {}

---@class rt.Stdin
---@field private source userdata
---@field private rest string   read but not yet handed out
local Stdin = {}

--- Open it. Close it before the program ends (`local input <close> = …`).
---@return rt.Stdin?
---@return rt.Err?
function M.open() end

--- The next bytes, as soon as there are some; nil at the end.
---@async
---@return string?
---@return rt.Err?
function Stdin:read() end

--- The next line without its end; nil at the end of the input.
---@async
---@return string?
---@return rt.Err?
function Stdin:line() end

--- Everything up to the end.
---@async
---@return string?
---@return rt.Err?
function Stdin:all() end

function Stdin:close() end

return M
