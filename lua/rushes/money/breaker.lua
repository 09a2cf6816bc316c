--- The moderation breaker: when moderation has refused several calls of one shot or one
--- budget, the rest of it is held back, because each further one may be charged and too
--- many can cost the account.
local err = require "rt.err"

local M = {}

local LIMIT = 3 -- refusals under one key

---@class rushes.Breaker
---@field limit integer|false       refusals that trip it; false: never
---@field private counts table<string, integer>
local Breaker = {}
Breaker.__index = Breaker

--- Keys are what is counted together: "shot:street", "budget:exp/arm1".
---@param limit? integer|false  refusals under one key, 3; false for --allow-moderated
---@return rushes.Breaker
function M.new(limit)
  if limit == nil then limit = LIMIT end
  if limit and not (math.type(limit) == "integer" and limit >= 1) then
    error(("a breaker's limit is a whole number from 1 on, or false, not %s"):format(
      tostring(limit)), 2)
  end
  return setmetatable({ limit = limit, counts = {} }, Breaker)
end

--- May a call that counts under these keys be sent?
---@param keys string[]
---@return rt.Err? err  code "moderation": it must not
function Breaker:check(keys)
  if not self.limit then return nil end
  for _, key in ipairs(keys) do
    local n = self.counts[key] or 0
    if n >= self.limit then
      local calls = n == 1 and "1 call" or n .. " calls"
      return err.new("moderation", ("not sent: moderation has refused %s of %s, so the"
        .. " rest of it is held back; change the prompt or the pictures, or go on with"
        .. " --allow-moderated (refused calls may be charged, and many of them can get"
        .. " the account suspended)"):format(calls, (key:gsub(":", " ", 1))),
        { key = key, count = n })
    end
  end
end

--- Count a failure under each of the keys, if it is one of moderation.
---@param keys string[]
---@param class? string  the failure class
function Breaker:failed(keys, class)
  if class ~= "safety" then return end
  for _, key in ipairs(keys) do self:seed(key, 1) end
end

--- Add refusals that a journal knows of.
---@param key string
---@param n integer
function Breaker:seed(key, n) self.counts[key] = (self.counts[key] or 0) + n end

return M
