--- "Did you mean": the nearest of the allowed words.
local M = {}

--- Edits (insert, delete, replace, swap neighbours) from `a` to `b`.
---@param a string
---@param b string
---@return integer
function M.distance(a, b)
  local before, row = nil, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local new = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local d = math.min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (same and 0 or 1))
      if before and j > 1 and a:byte(i) == b:byte(j - 1)
        and a:byte(i - 1) == b:byte(j) then
        d = math.min(d, before[j - 2] + 1)
      end
      new[j] = d
    end
    before, row = row, new
  end
  return row[#b]
end

--- The nearest word, if any is near enough to be a slip of the hand.
---@param word any
---@param allowed string[]
---@return string?
function M.nearest(word, allowed)
  word = tostring(word)
  local best, best_d
  for _, candidate in ipairs(allowed) do
    local d = M.distance(word:lower(), candidate:lower())
    if not best_d or d < best_d then best, best_d = candidate, d end
  end
  local far = #word <= 3 and 1 or math.max(2, #word // 3)
  if best_d and best_d <= far then return best end
  return nil
end

--- ` (did you mean "x"?)`, or the empty string.
---@param word any
---@param allowed string[]
---@return string
function M.hint(word, allowed)
  local near = M.nearest(word, allowed)
  return near and (' (did you mean "%s"?)'):format(near) or ""
end

--- Sorted keys of a table, for lists in sentences.
---@param t table
---@return string[]
function M.keys(t)
  local list = {}
  for k in pairs(t) do list[#list + 1] = tostring(k) end
  table.sort(list)
  return list
end

--- Refuse keys of `t` that are not keys of `allowed`; raises with the caller's
--- position. `what` names the table in the sentence: "shot", "show".
---@param what string
---@param t table
---@param allowed table<string, any>
---@param level? integer  as for `error`, counted from the caller
function M.check_keys(what, t, allowed, level)
  for k in pairs(t) do
    if allowed[k] == nil then
      local names = M.keys(allowed)
      error(("%s has no field %q%s; it takes %s"):format(what, tostring(k),
        M.hint(k, names), table.concat(names, ", ")), (level or 1) + 2)
    end
  end
end

return M
