--- Was a submission taken whose answer got lost? Two looks at the account, one before it
--- was sent and one after, minus what is known of our own calls in between. Pure; times
--- are seconds since 1970, amounts thousandths of a credit.
local evidence = require "rushes.money.evidence"

local M = {}

---@class rushes.Verdict
---@field id integer        of the attempt
---@field verdict "taken"|"not_taken"|"unclear"
---@field why string        a sentence without a full stop
---@field before? rushes.Evidence
---@field after? rushes.Evidence
---@field counts? rushes.CountDelta    what the count of generations says
---@field balance? rushes.BalanceDelta what the balance says
---@field open integer  open submissions of this model in between, this one too

local GRACE = 60 -- seconds in which a lost request may still have been worked on
local TRIES = 3  -- later looks at the account that are tried beside the present one
local COMBINATIONS = 100000

-- ---- which of the open calls make up the difference ----

--- Open calls that cannot be told apart: same model, same price.
local function classes_of(open)
  local by_key, list = {}, {}
  for _, a in ipairs(open) do
    local key = a.model .. "\0" .. a.held
    local class = by_key[key]
    if not class then
      class = { model = a.model, held = a.held, size = 0, key = key }
      by_key[key] = class
      list[#list + 1] = class
    end
    class.size = class.size + 1
  end
  return list
end

local function too_many(classes)
  local n = 1
  for _, class in ipairs(classes) do
    n = n * (class.size + 1)
    if n > COMBINATIONS then return true end
  end
  return false
end

--- Is this choice of how many of each class were taken what the account says?
local function fits(classes, chosen, per_model, rest)
  local sum, by_model = 0, {}
  for i, class in ipairs(classes) do
    sum = sum + chosen[i] * class.held
    by_model[class.model] = (by_model[class.model] or 0) + chosen[i]
  end
  for model, n in pairs(by_model) do
    local range = per_model[model]
    if range and (n < range.low or n > range.high) then return false end
  end
  return sum >= rest.low and sum <= rest.high
end

--- For each class the least and the most that can have been taken; nil when no choice
--- fits, false when there are too many choices.
local function choices(classes, per_model, rest)
  if too_many(classes) then return false end
  local chosen, found = {}, nil
  local function choose(i)
    if i > #classes then
      if not fits(classes, chosen, per_model, rest) then return end
      found = found or {}
      for j, class in ipairs(classes) do
        local range = found[class.key] or { low = chosen[j], high = chosen[j] }
        range.low, range.high = math.min(range.low, chosen[j]),
          math.max(range.high, chosen[j])
        found[class.key] = range
      end
      return
    end
    for n = 0, classes[i].size do
      chosen[i] = n
      choose(i + 1)
    end
  end
  choose(1)
  return found
end

local function size_of(classes, key)
  for _, class in ipairs(classes) do
    if class.key == key then return class.size end
  end
end

--- What the balance says of one class: "taken", "not_taken", "some", "other", or nil when
--- it says nothing.
local function by_balance(attempt, open, per_model, balance)
  if not balance.usable then return nil end
  local all = 0
  for _, a in ipairs(open) do all = all + a.held end
  if balance.rest.high < 0 or balance.rest.low > all then return "other" end
  local classes = classes_of(open)
  local found = choices(classes, per_model, balance.rest)
  if found == false then return nil end
  if not found then return "other" end
  local key = attempt.model .. "\0" .. attempt.held
  if found[key].low == size_of(classes, key) then return "taken" end
  return found[key].high == 0 and "not_taken" or "some"
end

-- ---- what the counts say ----

--- "taken", "not_taken", "some", "other" (they cannot be right), or nil.
local function by_counts(counts, n)
  if not counts.usable then return nil end
  local taken = counts.taken
  if taken.high < 0 or taken.low > n then return "other" end
  if taken.low >= n then return "taken" end
  return taken.high <= 0 and "not_taken" or "some"
end

-- ---- words ----

local function plural(n, one, many) return n == 1 and one or many:format(n) end

local SO = {
  taken = function(n)
    return plural(n, "so it was taken", "so all %d open ones were taken")
  end,
  not_taken = function(n)
    return plural(n, "so it was not taken", "so none of the %d open ones was taken")
  end,
  some = function(n)
    return plural(n, "so this one may have been taken or not",
      "so some of the %d open ones were taken, but not which")
  end,
  other = function(n)
    return ("which does not fit %s: somebody else uses the account, or it does not count"
      .. " every call"):format(plural(n, "one open call", "%d open calls"))
  end,
}

local function count_words(counts, said, n)
  if not counts.usable then return counts.why end
  return ("%s: %d generations before, %d after, %d of them new and %d known here, %s")
    :format(counts.model, counts.before, counts.after, counts.new, counts.known.high,
      SO[said](n))
end

local REST = {
  taken = "which is what it costs", not_taken = "the rest is another open call's",
  some = "which can be it or another open call",
  other = "which no open call explains: credits were bought or given back, or somebody"
    .. " else uses the account",
}

local function credits(n) return (("%.3f"):format(n / 1000):gsub("%.?0+$", "")) end

local function balance_words(balance, said)
  if not balance.usable then return balance.why end
  if not said then return "too many open calls to compare with the balance" end
  local fell = balance.before - balance.after
  local nothing = said == "not_taken" and balance.rest.high <= 0
  return ("the balance %s by %s credits, calls known here account for %s, %s"):format(
    fell < 0 and "rose" or "fell", credits(math.abs(fell)), credits(balance.known.high),
    nothing and "which leaves nothing for it" or REST[said])
end

-- ---- one comparison ----

--- The counts go first, because credits can be given back; the balance decides where
--- they cannot, and can make a clear "no" doubtful.
local function combine(counts, balance)
  if counts == "other" then return "unclear" end
  if counts == "taken" then return "taken" end
  if counts == "not_taken" then
    return balance == "taken" and "unclear" or "not_taken"
  end
  if balance == "taken" or balance == "not_taken" then return balance end
  return "unclear"
end

--- What the counts say of the attempt's model, how many of its calls are open, and the
--- ranges in which the balance has to stay. A model whose count decides is none of them
--- for its own calls: there the balance is to be a second witness.
local function all_counts(attempt, case, before, after, span, open)
  local numbers, ranges, own = {}, {}, nil
  for _, a in ipairs(open) do numbers[a.model] = (numbers[a.model] or 0) + 1 end
  for model, n in pairs(numbers) do
    local delta = evidence.counts(model, case.attempts, before, after, span, GRACE)
    local said = by_counts(delta, n)
    if model == attempt.model then own = delta end
    if said == "some" or said and said ~= "other" and model ~= attempt.model then
      ranges[model] = delta.taken
    end
  end
  return own, numbers[attempt.model], ranges
end

local function compare(attempt, case, before, after)
  local span = { from = before.at, to = after.at, now = after == case.now }
  local open = evidence.open(case.attempts, span, GRACE)
  local counts, n, ranges = all_counts(attempt, case, before, after, span, open)
  local balance = evidence.balance(case.attempts, before, after, span)
  local said = { counts = by_counts(counts, n) }
  said.balance = by_balance(attempt, open, ranges, balance)
  return { id = attempt.id, verdict = combine(said.counts, said.balance), open = n,
    before = before, after = after, counts = counts, balance = balance,
    why = count_words(counts, said.counts, n) .. "; "
      .. balance_words(balance, said.balance) }
end

-- ---- the whole ----

---@class rushes.Case
---@field attempts table[]  every attempt of the journal at this provider: {id, model,
---  state, held, cost, sent, accepted, ended, evidence}
---@field evidence rushes.Evidence[]  in order of time
---@field now? rushes.Evidence

local function unclear(attempt, why)
  return { id = attempt.id, verdict = "unclear", why = why, open = 1 }
end

local function find(list, id)
  for _, e in ipairs(list) do
    if e.id == id then return e end
  end
end

local function looks_after(attempt, case)
  local list = {}
  for _, e in ipairs(case.evidence) do
    if e.at >= attempt.sent + GRACE and #list < TRIES then list[#list + 1] = e end
  end
  if case.now then list[#list + 1] = case.now end
  return list
end

--- Judge one submission whose outcome is not known.
---@param attempt table
---@param case rushes.Case
---@return rushes.Verdict
function M.judge(attempt, case)
  if not attempt.sent then
    return { id = attempt.id, verdict = "not_taken", why = "it was never sent", open = 1 }
  end
  local before = attempt.evidence and find(case.evidence, attempt.evidence)
  if not before then
    return unclear(attempt, "the account was not looked at before it was sent")
  end
  if attempt.sent < before.at then
    return unclear(attempt, "the clock was set back after the look at the account")
  end
  local result
  for _, after in ipairs(looks_after(attempt, case)) do
    result = compare(attempt, case, before, after)
    if result.verdict ~= "unclear" then break end
  end
  return result or unclear(attempt, "the account has not been looked at since")
end

return M
