---@meta rt.c.httpd
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- listen(host, port, max_body, max_memory, spool, idle, connections)
--- -> server | nil, err
function M.listen(host, port, max_body, max_memory, spool, idle, connections) end

return M
