---@meta rt.suggest
-- Made by tools/meta.lua: do not edit.

-- "Did you mean": the nearest of the allowed words.
local M = {}

--- Edits (insert, delete, replace, swap neighbours) from `a` to `b`.
---@param a string
---@param b string
---@return integer
function M.distance(a, b) end

--- The nearest word, if any is near enough to be a slip of the hand.
---@param word any
---@param allowed string[]
---@return string?
function M.nearest(word, allowed) end

--- ` (did you mean "x"?)`, or the empty string.
---@param word any
---@param allowed string[]
---@return string
function M.hint(word, allowed) end

--- Sorted keys of a table, for lists in sentences.
---@param t table
---@return string[]
function M.keys(t) end

--- Refuse keys of `t` that are not keys of `allowed`; raises with the caller's
--- position. `what` names the table in the sentence: "shot", "show".
---@param what string
---@param t table
---@param allowed table<string, any>
---@param level? integer  as for `error`, counted from the caller
function M.check_keys(what, t, allowed, level) end

return M
