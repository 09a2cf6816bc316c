--- `rushes plan`: what each call of a take would cost and why, as events. Nothing here
--- sends or writes.
local event = require "rushes.event"
local json = require "rt.json"
local ledgers = require "rushes.money.ledger"

local M = {}

local CACHED = { landed = true, follow = true, fetch = true, share = true,
  nothing = true }

--- Which fields of two requests differ, in words.
local function differences(old, new)
  local a, b, names = json.decode(old) or {}, json.decode(new) or {}, {}
  for k, v in pairs(b) do
    local before = a[k] ~= nil and json.encode(a[k]) or nil
    if json.encode(v) ~= before then names[#names + 1] = k end
  end
  for k in pairs(a) do
    if b[k] == nil then names[#names + 1] = k end
  end
  table.sort(names)
  return #names > 0 and table.concat(names, ", ") or "the model's endpoint"
end

--- Was the same question answered before, with another request?
local function stale(take, call)
  if call.stage ~= "motion" or call.known then return nil end
  local old = call.ctx.journal:earlier(take.shot.name, take.ordinal, call.fingerprint)
  if not old then return nil end
  if take.ctx.options.force then
    return ("made as t%03d; anew because of --force"):format(old.number)
  end
  return ("changed since t%03d: %s"):format(old.number,
    differences(old.request, call.request))
end

local function judge(take, call, e)
  if call.todo == "unknown" then return "unknown", call.why, call.known.held end
  if CACHED[call.todo] then return "cached", call.why, 0 end
  if e then return "blocked", e.message, call.price end
  local changed = stale(take, call)
  if changed then return "stale", changed, call.price end
  return "new", call.why, call.price
end

--- Is a last frame given as well? Such calls take longer.
local function ends_in_frame(spec)
  for _, image in ipairs(spec.images or {}) do
    if image.role == "last" then return true end
  end
  return false
end

--- What is told of a call, but for whose it is.
---@param take? rushes.Take  none for a call by hand
---@param call rushes.Call
---@param e? rt.Err          why it would not be made
---@return table fields      of the event
function M.judged(take, call, e)
  local kind, why, held = judge(take, call, e)
  return { call = kind, why = why, credits = ledgers.credits(held), stage = call.stage,
    model = call.spec.model, provider = call.ctx.account.name, budget = call.ctx.budget,
    to_last_frame = ends_in_frame(call.spec) or nil,
    err = kind == "blocked" and e or nil }
end

local function line(take, fields)
  fields.show, fields.shot, fields.take = take.shot.show.name, take.shot.name, take.number
  fields.budget = take.ctx and take.ctx.budget or ""
  event.emit("call", fields)
end

--- A take that comes to no call at all: refused, or left out.
---@param take rushes.Take
---@param e rt.Err
function M.refused(take, e)
  line(take, { call = "blocked", why = e.message, err = e, model = take.model,
    stage = "motion" })
end

--- Tell each call of a planned take.
---@async
---@param take rushes.Take
---@param e? rt.Err  why it would not be made
function M.take(take, e)
  if not take.ctx.options.plan then return end
  if e and not take.calls[#take.calls] or e and not take.calls[#take.calls].todo then
    return M.refused(take, e)
  end
  for i, call in ipairs(take.calls) do
    local fields, before = M.judged(take, call, e), take.calls[i - 1]
    fields.after = before and before.todo == "buy" and before.stage or nil
    line(take, fields)
  end
end

--- Tell a call that a script makes itself.
---@param account rushes.Account
---@param spec table    the provider's job
---@param fields table  call, why, credits, budget, err, show
function M.by_hand(account, spec, fields)
  fields.show, fields.shot = fields.show or "", spec.name or "by hand"
  fields.take, fields.stage = "", fields.stage or "job"
  fields.model, fields.provider = spec.model, account.name
  event.emit("call", fields)
end

return M
