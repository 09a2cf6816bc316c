--- Times of day in sentences, all of one form.
local M = {}

--- A time for a person here: 14:20, and the date where it is another day.
---@param t number    seconds since 1970
---@param now number
---@return string
function M.of(t, now)
  t, now = math.floor(t), math.floor(now)
  local same = os.date("%Y-%m-%d", t) == os.date("%Y-%m-%d", now)
  return os.date(same and "%H:%M" or "%Y-%m-%d %H:%M", t) --[[@as string]]
end

return M
