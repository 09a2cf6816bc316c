---@meta rt.c.fs
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- change(path, seconds) -> op: until something may have changed in the folder,
--- or so long; what it was is for the caller to find.
function M.change(path, seconds) end

--- copy(from, to) -> op
function M.copy(from, to) end

--- list(path, details) -> op -> {{name, type, ...}, ...}
function M.list(path, details) end

--- lock(path, text) -> op -> lock | nil, err
function M.lock(path, text) end

--- mkdir(path) -> op
function M.mkdir(path) end

--- read(path, max) -> op -> string
function M.read(path, max) end

--- remove(path, recursive) -> op
function M.remove(path, recursive) end

--- rename(from, to) -> op
function M.rename(from, to) end

--- stat(path) -> op -> {type, size, id, mtime, mode}
function M.stat(path) end

--- tempdir(under) -> op -> path
function M.tempdir(under) end

--- write(path, string) -> op
function M.write(path, string) end

return M
