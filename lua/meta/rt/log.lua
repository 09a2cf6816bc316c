---@meta rt.log
-- Made by tools/meta.lua: do not edit.

-- Lines for the person at the terminal, on stderr. Whoever draws there (the live view)
-- puts its own sink in place, so that lines and drawing do not tear each other.
-- Queries of URLs are cut out of every line: a signed one is a key.
local M = {}

local LEVELS = {}

local PREFIX = {}

local COLOR = {}

--- Send lines elsewhere; nil: to stderr again.
---@param fn? fun(line: string, level: string)  a line without its newline; must not wait
---@return fun(line: string, level: string) before
function M.set_sink(fn) end

--- Leave out what is below this level: "debug", "info" (the default, or what the
--- variable RUSHES_LOG says), "warn", "error".
---@param level string
function M.set_level(level) end

--- A text with the queries and passwords of its URLs replaced by "…".
---@param text string
---@return string
function M.scrub(text) end

---@type fun(fmt: any, ...: any)  as string.format, or one value of any kind
M.debug = nil

---@type fun(fmt: any, ...: any)
M.info = nil

---@type fun(fmt: any, ...: any)
M.warn = nil

---@type fun(fmt: any, ...: any)
M.error = nil

return M
