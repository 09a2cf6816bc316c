--- `show:shoot()`: decisions, takes and their credits first, all in one durable step;
--- then everything at once.
local err = require "rt.err"
local json = require "rt.json"
local task = require "rt.task"
local config = require "rushes.config"
local event = require "rushes.event"
local graph = require "rushes.studio.graph"
local invoice = require "rushes.take.invoice"
local ledgers = require "rushes.money.ledger"
local policies = require "rushes.studio.policy"
local policy_mark = require "rushes.studio.policy_mark"
local shootings = require "rushes.take.shooting"
local stop = require "rushes.stop"
local accounts = require "rushes.take.account"
local takes = require "rushes.take.take"

local M = {}

-- ---- decisions ----

local function context(show)
  local ledger = show.ledger
  local left = ledger:left()
  return {
    stage = "final",
    budget = {
      limit = ledger.limit and ledgers.credits(ledger.limit),
      left = left and ledgers.credits(left) or math.huge,
      spent = ledgers.credits(ledger.spent),
      reserved = ledgers.credits(ledger.reserved),
    },
    catalogue = accounts.provider(show.provider).catalog,
  }
end

local STAGE = "final"

--- The policy's decision, with a mark of the policy.
local function ask(policy, shot, show)
  local answer, e = policies.ask(policy, shot, context(show))
  if not answer then return nil, e end
  return { model = answer.model, seconds = answer.seconds, still = answer.still,
    why = answer.why, policy = policy_mark.of(policy) }
end

--- The pinned decision, or the policy's. What it leaves out is asked again next time:
--- nothing was bought by it.
local function decide(shooting, take, ordinal)
  local options, shot, show = shooting.options, take.shot, shooting.show
  local policy = shot.policy or show.policy or policies.default
  local pinned, redo = shooting.journal:decision(shot.name, STAGE, ordinal)
  local decision, e = pinned, nil
  if not pinned or options.redecide then
    decision, e = ask(policy, shot, show)
  elseif pinned.policy and type(policy) == "function" then
    take.outdated = pinned.policy ~= policy_mark.of(policy)
  end
  if not decision then return nil, e end
  if options.force and pinned then redo = redo + 1 end
  return decision, redo, decision ~= pinned or options.force
end

local told = setmetatable({}, { __mode = "k" }) -- shows of which it was told
local NAMED = 3

--- Say once of a show that an edited policy decides nothing where the journal has its
--- answer.
local function tell_outdated(show, list)
  local names = {}
  for _, take in ipairs(list) do
    if take.outdated then names[#names + 1] = take.shot.name end
  end
  if #names == 0 or told[show] then return end
  told[show] = true
  local named = table.concat(names, ", ", 1, math.min(#names, NAMED))
  if #names > NAMED then named = ("%s and %d more"):format(named, #names - NAMED) end
  local s, stand = "", "answer stands"
  if #names > 1 then s, stand = "s", "answers stand" end
  event.emit("note", { text = ("the policy, or a value in it, has changed since it"
    .. " decided for shot%s %s; the journal's %s, and --redecide asks again"):format(s,
    named, stand) })
end

--- Does --only leave the shot out?
local function flagged_out(shooting, shot)
  if not shootings.leaves_out(shot.name) then return nil end
  return err.new("skipped", ("shot %q is left out: --only %s"):format(shot.name,
    table.concat(shooting.options.only, " --only ")), { flag = "only" })
end

local function stages_of(shooting, take, decision)
  local account, shot = shooting.account, take.shot
  take.model = account:model(decision.model)
  local base = { name = "shot " .. shot.name, prompt = shot.prompt or "",
    seconds = decision.seconds or shot.seconds, ratio = shot.ratio, seed = take.seed,
    fps = shooting.show.fps }
  return graph.stages(account.provider.catalog, shot, { model = take.model,
    still = decision.still and account:model(decision.still) }, base)
end

--- What a shot wants, as the journal keeps it.
local function spec_of(shot)
  local refs = json.array {}
  for i, ref in ipairs(shot.refs or {}) do
    refs[i] = ("%s@%d"):format(ref.name, ref.version)
  end
  return { prompt = shot.prompt, seconds = shot.seconds, ratio = shot.ratio,
    seed = shot.seed, refs = refs }
end

--- Decide and plan one take; what goes wrong is its `err`.
local function plan(shooting, shot, ordinal, take)
  shooting.journal:shot(shot.name, spec_of(shot))
  local e = flagged_out(shooting, shot)
  if e then return take:fail("skipped", e) end
  local decision, redo, new = decide(shooting, take, ordinal)
  if not decision then return take:fail("failed", redo) end
  take:decided(decision, redo)
  take.to_pin = new and decision or nil
  if not decision.model then
    return take:fail("skipped", err.new("skipped", ("the policy left shot %q out%s")
      :format(shot.name, decision.why and ": " .. decision.why or "")))
  end
  local stages
  stages, e = stages_of(shooting, take, decision)
  if not stages then return take:fail("failed", e) end
  if take:plan(shooting, stages) and take:to_buy() > 0 then shooting:count() end
  return take
end

--- Ask for the n-th time for each shot: the first time in this run for its first take.
local function plan_all(shooting, wanted, list)
  for i, shot in ipairs(wanted) do
    shot.asked = (shot.asked or 0) + 1
    local new = takes.new(shot, shot.asked)
    list[i] = new
    local ok, e = task.try(plan, shooting, shot, shot.asked, new)
    if not ok then new:call_off("failed", e) end
    if shooting.options.plan and new.status ~= "planned" and not new.ctx then
      invoice.refused(new, new.err)
    end
  end
end

-- ---- going ----

--- With --force a person has to agree to the price, or is told it where nobody sits.
local function agreed(shooting, list)
  local confirm, sum, n = shooting.options.confirm, 0, 0
  if not shooting.options.force then return true end
  for _, take in ipairs(list) do
    local price = take:to_buy()
    if price > 0 then sum, n = sum + price, n + 1 end
  end
  local credits = ledgers.credits(sum)
  if n > 0 and not confirm then
    event.emit("note", { text = ("--force: up to %s credits for %d take%s anew"):format(
      credits, n, n == 1 and "" or "s") })
  end
  if n == 0 or not confirm or confirm(n, credits) then return true end
  return nil, err.new("stopped", "not submitted: the price was not agreed to")
end

--- A decision counts from the moment when something is bought by it: one that was refused
--- may be wrong, and one that replaces another would make the next run buy what this one
--- was refused.
local function pin(shooting, list)
  for _, take in ipairs(list) do
    if take.to_pin and take.status == "planned" then
      shooting.journal:decide(take.shot.name, STAGE, take.ordinal, take.to_pin,
        take.redo)
    end
  end
end

--- Nothing is sent before every intent is on disk. What costs nothing goes on anyway.
local function commit(shooting, list)
  local ok, e = agreed(shooting, list)
  if ok then
    pin(shooting, list)
    ok, e = shooting.journal:sync()
  end
  if ok then return end
  for _, take in ipairs(list) do
    if take.status == "planned" and take:to_buy() > 0 then
      take:call_off(err.is(e, "stopped") and "stopped" or "failed", e)
    end
  end
end

local function run(take)
  take:shoot()
  if take.status == "failed" and config.options.fail_fast then
    stop.request(("--fail-fast: shot %s failed"):format(take.shot.name))
  end
end

--- The takes that are to be made, those of a higher priority first: the first one to ask
--- gets the slot.
local function in_order(list)
  local at, order = {}, {}
  for i, take in ipairs(list) do
    at[take] = i
    if take.status == "planned" then order[#order + 1] = take end
  end
  table.sort(order, function(a, b)
    local x, y = a.shot.priority, b.shot.priority
    return x == y and at[a] < at[b] or x > y
  end)
  return order
end

--- What a script finds in takes that were only planned: no file, and a reason.
local function not_sent(list)
  for _, take in ipairs(list) do
    if take.status == "planned" then
      take.err = err.new("stopped", "not submitted: this is a plan")
    end
  end
  return list
end

--- At a prompt nothing is run again from its beginning: who asks once more for a shoot
--- that was stopped means the same takes, not further ones.
local function ask_again(list)
  local stopped = false
  for _, take in ipairs(list) do stopped = stopped or take.status == "stopped" end
  if not stopped then return end
  for _, take in ipairs(list) do
    take.shot.asked = math.min(take.shot.asked, take.ordinal - 1)
  end
end

--- However a shoot ends early: what was not sent holds nothing, nobody waits for it.
local function abandon(list, e)
  for _, take in ipairs(list) do take:abandon(e) end
  if config.options.prompt then ask_again(list) end
end

--- Shoot these shots once each, all at the same time.
---@async
---@param show rushes.Show
---@param wanted rushes.Shot[]
---@return rushes.Take[]
function M.shoot(show, wanted)
  local shooting, e = shootings.begin(show)
  if not shooting then error(e, 0) end
  local list = {}
  local _ <close> = setmetatable({}, { __close = function(_, raised)
    if raised ~= nil then abandon(list, raised) end
  end })
  plan_all(shooting, wanted, list)
  tell_outdated(show, list)
  if shooting.options.plan then return not_sent(list) end
  commit(shooting, list)
  task.scope(function(s)
    for _, take in ipairs(in_order(list)) do s:spawn(run, take) end
  end)
  abandon(list) -- those that a cancellation has ended: it does not raise here
  event.emit("done", { show = show.name, takes = list })
  return list
end

return M
