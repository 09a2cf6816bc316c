---@meta rt.hash
-- Made by tools/meta.lua: do not edit.

-- SHA-256 and base64.
local M = {}

--- SHA-256 of a string, 64 lower-case hexadecimal digits. Does not wait.
---@type fun(s: string): string
M.sha256 = nil

--- SHA-256 of a file, however large; other tasks run meanwhile.
---@async
---@param path string
---@return string? hex
---@return integer|rt.Err bytes  how many were read, or the error
function M.sha256_file(path) end

--- Bytes as base64, in one line, padded.
---@type fun(s: string): string
M.base64 = nil

--- Base64 back to bytes. Strict: blanks, missing padding and stray bits are refused.
---@type fun(s: string): string?, rt.Err?
M.unbase64 = nil

return M
