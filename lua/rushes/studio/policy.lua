--- Ready-made policies. A policy is any function(shot, ctx) -> decision, where a
--- decision is {model, seconds?, still?, why?}; model nil means: leave the shot out.
local err = require "rt.err"
local suggest = require "rt.suggest"

local M = {}

---@class rushes.Decision
---@field model? string    nil leaves the shot out
---@field seconds? number  instead of the shot's own
---@field still? string    the model that makes the keyframe, where one is needed
---@field why? string      shown and recorded
---@field policy? string   in the journal: `policy_mark` of the policy that gave it

local FIELDS = { model = true, seconds = true, still = true, why = true }

local function decision(spec, what)
  if type(spec) ~= "table" then
    error(("%s wants a table such as { model = \"gen4_turbo\" }, not a %s"):format(
      what, type(spec)), 3)
  end
  return spec
end

--- Always the same answer.
---@param spec rushes.Decision
function M.fixed(spec)
  decision(spec, "policy.fixed")
  suggest.check_keys("policy.fixed", spec, FIELDS)
  local answer = { model = spec.model, seconds = spec.seconds, still = spec.still,
    why = spec.why or "fixed" }
  return function() return answer end
end

--- By the part of the budget that is left: the first row whose `above` (0 to 1) is
--- below it; a row without `above` always matches.
---@param rows table[]  {above?, model?, seconds?, still?, why?}
function M.by_budget(rows)
  local allowed = { above = true, model = true, seconds = true, still = true, why = true }
  for _, row in ipairs(decision(rows, "policy.by_budget")) do
    suggest.check_keys("a row of policy.by_budget", row, allowed)
  end
  return function(_, ctx)
    local limit = ctx.budget.limit
    local part = limit and limit > 0 and ctx.budget.left / limit or 1
    for _, row in ipairs(rows) do
      if not row.above or part > row.above then
        return { model = row.model, seconds = row.seconds, still = row.still,
          why = row.why or ("%.0f %% of the budget is left"):format(part * 100) }
      end
    end
    return { why = "no row of policy.by_budget fits" }
  end
end

--- The answer of the first policy that names a model.
---@param policies function[]
function M.first_of(policies)
  decision(policies, "policy.first_of")
  return function(shot, ctx)
    local last
    for _, policy in ipairs(policies) do
      last = policy(shot, ctx)
      if last and last.model then return last end
    end
    return last or { why = "no policy had an answer" }
  end
end

--- The policy of a show that has none.
M.default = M.fixed { model = "gen4_turbo", why = "no policy: the fast model" }

local TYPES = { model = "string", seconds = "number", still = "string", why = "string" }

local function checked(shot, answer)
  for k, wanted in pairs(TYPES) do
    local v = answer[k]
    if v ~= nil and (type(v) ~= wanted or v ~= v) then
      return nil, err.new("script", ("the policy's answer for shot %q: %s must be a %s,"
        .. " not %s"):format(shot.name, k, wanted, v ~= v and "NaN" or "a " .. type(v)))
    end
  end
  return answer
end

--- Ask a policy and check its answer.
---@param policy function
---@param shot table
---@param ctx table
---@return rushes.Decision?
---@return rt.Err?
function M.ask(policy, shot, ctx)
  if type(policy) ~= "function" then
    return nil, err.new("script", ("the policy is a %s; it must be a function, such as"
      .. " rushes.policy.fixed { model = \"gen4_turbo\" }"):format(type(policy)))
  end
  local answer = policy(shot, ctx)
  if type(answer) == "string" then answer = { model = answer } end
  if type(answer) ~= "table" then
    return nil, err.new("script", ("the policy answered a %s for shot %q; it must return"
      .. " a table such as { model = \"gen4_turbo\", why = \"fast\" }"):format(
      type(answer), shot.name))
  end
  for k in pairs(answer) do
    if not FIELDS[k] then
      return nil, err.new("script", ("the policy's answer for shot %q has no field %q%s")
        :format(shot.name, tostring(k), suggest.hint(k, suggest.keys(FIELDS))))
    end
  end
  return checked(shot, answer)
end

return M
