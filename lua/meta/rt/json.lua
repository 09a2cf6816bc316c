---@meta rt.json
-- Made by tools/meta.lua: do not edit.

-- JSON that never changes a number silently. lua-cjson parses; it reads every
-- number as a double, so rt.c.json looks first for those that a double may not
-- hold. Writing is in rt.c.json.
--
-- Reading: integers come back as integers, to the full 64 bits; a number that
-- neither an integer nor a double can hold comes back as its text; null is absent;
-- of two equal keys the last wins; bytes that are no UTF-8 are passed on.
-- Writing: strings must be UTF-8; an empty table is `{}` unless it is `array {}`.
local M = {}

--- Writes `null`.
M.null = nil

--- Mark a table as an array, so that it is written `[]` even when empty.
---@generic T: table
---@param t T
---@return T t  the same table
function M.array(t) end

--- Mark a table as an object: `{}` when empty; number-like keys are refused.
---@generic T: table
---@param t T
---@return T t  the same table
function M.object(t) end

--- Write a value, the names in each object sorted: equal values give equal bytes.
--- What JSON cannot say is the caller's bug: raised, with the path to it.
---@param v any
---@return string
function M.encode(v) end

--- Read a JSON text. The text `null` gives nil without an error.
---@param s string
---@return any value
---@return rt.Err? err  code "json"; says where, shows no content
function M.decode(s) end

return M
