---@meta rt.c.db
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- close(connection) -> op -> true; nothing if it is closed
function M.close(connection) end

--- guard(connection) -> op -> true
function M.guard(connection) end

--- later(connection, statements) -> true | nil, err
function M.later(connection, statements) end

--- open(path, mode, busy) -> op -> connection, lost | nil, err
function M.open(path, mode, busy) end

--- rows(connection, sql, ...) -> op -> {{column = value}, …}
function M.rows(connection, sql, ...) end

--- stats(connection) -> {commits, writes, statements}
function M.stats(connection) end

--- sync(connection) -> op -> true
function M.sync(connection) end

--- write(connection, statements) -> op -> true
function M.write(connection, statements) end

return M
