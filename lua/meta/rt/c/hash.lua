---@meta rt.c.hash
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- base64(string) -> string
function M.base64(string) end

--- sha256(string) -> hex
function M.sha256(string) end

--- sha256_file(path) -> op -> hex, bytes
function M.sha256_file(path) end

--- unbase64(string) -> string | nil, err
function M.unbase64(string) end

return M
