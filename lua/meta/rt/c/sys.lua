---@meta rt.c.sys
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- cwd() -> the current folder; nil where it is gone
function M.cwd() end

--- disk(path) -> free bytes, all bytes | nil, err
function M.disk(path) end

--- exe() -> path of this program
function M.exe() end

--- isatty(fd) -> boolean
function M.isatty(fd) end

--- open_files() -> soft limit, hard limit; math.huge for none
function M.open_files() end

--- process() -> pid, host name: who holds a show's lock
function M.process() end

--- versions() -> what the binary is and what it uses
--- Loads the libraries that are otherwise loaded at first use: milliseconds.
function M.versions() end

--- window(fd) -> columns, rows | nothing if it is no terminal
function M.window(fd) end

return M
