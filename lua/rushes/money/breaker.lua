--- The moderation breaker: when moderation has refused several calls of one shot or one
--- budget, the rest of it is held back, because each further one may be charged and too
--- many can cost the account.
local err = require "rt.err"

local M = {}

local LIMIT = 3 -- refusals under one key

---@class rushes.Breaker
---@field limit integer|false       refusals that trip it; false: never
---@field private counts table<string, integer>
---@field private seen table<string, table<any, true>>  key -> what is counted in it
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
  return setmetatable({ limit = limit, counts = {}, seen = {} }, Breaker)
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
        .. " rest of it is held back; change what was refused or take it out, or raise"
        .. " the show's moderation_limit, or say --allow-moderated (refused calls may be"
        .. " charged, and many of them can get the account suspended)"):format(calls,
        (key:gsub(":", " ", 1))),
        { key = key, count = n })
    end
  end
end

local function count(breaker, key, content)
  breaker.counts[key] = (breaker.counts[key] or 0) + 1
  local seen = breaker.seen[key] or {}
  breaker.seen[key] = seen
  if content then seen[content] = true end
end

--- Count a failure under each of the keys, if it is one of moderation.
---@param keys string[]
---@param class? string    the failure class
---@param content? string  what moderation has judged, as a hash
function Breaker:failed(keys, class, content)
  if class ~= "safety" then return end
  for _, key in ipairs(keys) do count(self, key, content) end
end

--- Count what an earlier run was refused and this one asks for again, each of them once:
--- running a script again must not send three more of the same shot or budget.
---@param keys string[]
---@param content string
function Breaker:remembered(keys, content)
  for _, key in ipairs(keys) do
    local seen = self.seen[key]
    if not (seen and seen[content]) then count(self, key, content) end
  end
end

return M
