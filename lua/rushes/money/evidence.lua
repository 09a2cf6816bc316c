--- Two looks at an account compared: how far its count of generations and its balance
--- moved, and how much of that our own calls explain. Pure; used by `verdict`.
local M = {}

local DAY = 86400 -- the account counts generations over this long, rolling

--- A chance that may be neglected: that a generation made by others left the window.
local NEGLIGIBLE = 0.05

---@class rushes.Evidence
---@field id? integer       row of the journal; nil for the present
---@field at number
---@field balance? integer  thousandths
---@field models table<string, integer>  generations of each model in the last 24 hours

---@class rushes.Range
---@field low integer
---@field high integer

---@class rushes.Span
---@field from number
---@field to number
---@field now boolean  it ends at the present: nothing can have come later

---@class rushes.CountDelta
---@field usable boolean    else `why` says what is missing
---@field model string
---@field before integer
---@field after integer
---@field new integer       counted since, with what has left the 24 hours in between
---@field known rushes.Range  of them by our accepted calls
---@field taken rushes.Range  what is left for open calls
---@field why? string

---@class rushes.BalanceDelta
---@field usable boolean
---@field before integer
---@field after integer
---@field known rushes.Range  charged for our calls, less what was given back
---@field rest rushes.Range   what is left for open calls
---@field why? string

local OPEN = { unknown = true, resubmit = true, sent = true }

--- Was it taken for certain? A call settled as charged counts as such.
local function taken(a) return a.accepted ~= nil or a.state == "charged" end

--- When the provider took it, at the latest.
local function taken_by(a) return a.accepted or a.sent end

local function before(a, t) return taken_by(a) <= t end

--- Does its submission lie in the span: true, false, or nil when it is cut by an end?
local function within(a, span)
  if before(a, span.from) or a.sent >= span.to then return false end
  if a.sent >= span.from and before(a, span.to) then return true end
end

--- Open submissions of the span, that is those whose taking would show in it for certain.
---@param attempts table[]
---@param span rushes.Span
---@param grace number  seconds after sending in which it may still have been taken
---@return table[]
function M.open(attempts, span, grace)
  local list = {}
  for _, a in ipairs(attempts) do
    if OPEN[a.state] and a.sent and a.sent >= span.from
      and (a.sent + grace <= span.to or span.now) then
      list[#list + 1] = a
    end
  end
  return list
end

--- Open submissions that may have been taken on either side of an end of the span.
local function blurred(a, span, grace)
  if not OPEN[a.state] or not a.sent then return false end
  local till = a.sent + grace
  return a.sent < span.from and till > span.from
    or a.sent < span.to and till > span.to and not span.now
end

--- Our calls in the window of 24 hours that ended at `t`, and those that have left it
--- when `later` is reached.
local function window(attempts, model, t, later)
  local inside, gone = 0, 0
  for _, a in ipairs(attempts) do
    if a.model == model and taken(a) and before(a, t) and taken_by(a) > t - DAY then
      inside = inside + 1
      if taken_by(a) <= later - DAY then gone = gone + 1 end
    end
  end
  return inside, gone
end

--- Our accepted calls in the span, and how many more or less it may be.
local function known_counts(attempts, model, span, grace)
  local known = { low = 0, high = 0 }
  for _, a in ipairs(attempts) do
    local inside = a.model == model and taken(a) and a.sent and within(a, span)
    if inside then known.low, known.high = known.low + 1, known.high + 1 end
    if a.model == model and (inside == nil and taken(a) or blurred(a, span, grace)) then
      known.high = known.high + 1
    end
  end
  return known
end

--- What the account's count of one model's generations says.
---@param model string
---@param attempts table[]
---@param first rushes.Evidence
---@param last rushes.Evidence
---@param span rushes.Span
---@param grace number
---@return rushes.CountDelta
function M.counts(model, attempts, first, last, span, grace)
  local out = { usable = false, model = model, before = first.models[model],
    after = last.models[model] }
  if not out.before or not out.after then
    out.why = ("the account does not count generations of %s"):format(model)
    return out
  end
  local elapsed = span.to - span.from
  if elapsed >= DAY then
    out.why = "more than 24 hours lie between the two looks at the account, and it counts"
      .. " no further back"
    return out
  end
  local inside, gone = window(attempts, model, span.from, span.to)
  local foreign = math.max(0, out.before - inside)
  if foreign * elapsed / DAY < NEGLIGIBLE then foreign = 0 end
  out.usable, out.new = true, out.after - out.before + gone
  out.known = known_counts(attempts, model, span, grace)
  out.taken = { low = out.new - out.known.high, high = out.new + foreign - out.known.low }
  return out
end

--- What one of our calls moved the balance by within the span: low, high; nil when the
--- journal cannot tell, because credits of unknown number were given back.
local function moved(a, span)
  local amount = a.ended and a.cost or a.held
  local ended_within = a.ended and a.ended > span.from and a.ended <= span.to
  local inside = within(a, span)
  if before(a, span.from) then
    if ended_within and (a.cost or 0) == 0 then return nil end
    return 0, 0
  elseif inside == false then
    return 0, 0
  elseif a.ended and a.ended > span.to and (a.cost or 0) == 0 then
    return nil
  end
  return inside and amount or 0, amount
end

--- What the account's balance says.
---@param attempts table[]
---@param first rushes.Evidence
---@param last rushes.Evidence
---@param span rushes.Span
---@return rushes.BalanceDelta
function M.balance(attempts, first, last, span)
  local out = { usable = false, before = first.balance, after = last.balance,
    known = { low = 0, high = 0 } }
  if not out.before or not out.after then
    out.why = "the balance was not looked at"
    return out
  end
  for _, a in ipairs(attempts) do
    if a.sent and taken(a) then
      local low, high = moved(a, span)
      if not low then
        out.why = "credits of calls under way were given back in between, so the balance"
          .. " says nothing"
        return out
      end
      out.known.low, out.known.high = out.known.low + low, out.known.high + high
    end
  end
  local fell = out.before - out.after
  out.usable = true
  out.rest = { low = fell - out.known.high, high = fell - out.known.low }
  return out
end

return M
