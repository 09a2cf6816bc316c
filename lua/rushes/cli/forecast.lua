--- When a plan can be done: its calls in the lanes of their accounts, with the times that
--- calls took in the show's journal where there are some.
local fs = require "rt.fs"
local records = require "rushes.take.records"
local schedule = require "rushes.cli.schedule"
local text = require "rushes.cli.text"
local when = require "rushes.when"

local M = {}

---@class rushes.cli.Forecast
---@field finish rushes.cli.Finish
---@field known boolean     the lanes are those of the account
---@field measured boolean  every call's time comes from a journal
---@field at_once {model: string, n?: integer}[]  slots of the models that are used

--- What the shows' journals know of times, all shows together. Waits.
local function memories(plan)
  local durations, accepted = {}, {}
  for _, show in ipairs(plan.shows) do
    local journal = show.output and fs.exists(records.path(show.output))
      and records.open(show.output)
    if journal then
      for model, stages in pairs(journal:durations()) do durations[model] = stages end
      for model, times in pairs(journal:accepted_today()) do accepted[model] = times end
      journal:close()
    end
  end
  return durations, accepted
end

local function typical(call)
  if call.stage == "still" then return schedule.TYPICAL.still end
  return call.to_last_frame and schedule.TYPICAL.frames or schedule.TYPICAL.motion
end

local function limits_of(plan, accepted, now)
  local limits = {}
  for _, account in pairs(plan.accounts) do
    for model, lane in pairs(account.lanes or {}) do
      local times = {}
      for i, t in ipairs(accepted[model] or {}) do times[i] = math.min(0, t - now) end
      limits[model] = { at_once = lane.at_once, daily = lane.daily, used = lane.used,
        accepted = times }
    end
  end
  return limits
end

local function known(plan, calls)
  for _, call in ipairs(calls) do
    local account = plan.accounts[call.provider]
    if not account or not account.lanes then return false end
  end
  return true
end

--- Work it out. Waits (reads journals).
---@async
---@param calls table[]  events "call" that are to be sent
---@param plan rushes.cli.Plan
---@return rushes.cli.Forecast
function M.of(calls, plan)
  local durations, accepted = memories(plan)
  local limits = limits_of(plan, accepted, require("rt.c.core").time())
  local list, at_once, seen, measured = {}, {}, {}, true
  for i, call in ipairs(calls) do
    local median = (durations[call.model] or {})[call.stage]
    measured = measured and median ~= nil
    list[i] = { key = ("%s/%s/%s"):format(call.show, call.shot, call.take),
      stage = call.stage, model = call.model, after = call.after,
      seconds = median or typical(call) }
    if not seen[call.model] then
      seen[call.model] = true
      at_once[#at_once + 1] = { model = call.model,
        n = (limits[call.model] or {}).at_once }
    end
  end
  return { finish = schedule.finish(list, limits), known = known(plan, calls),
    measured = measured, at_once = at_once }
end

local function lanes_words(forecast)
  if not forecast.known then
    return ", with every call at once because the lanes are not known"
  end
  local parts = {}
  for i, lane in ipairs(forecast.at_once) do
    parts[i] = lane.n and ("%s %d at once"):format(text.clean(lane.model), lane.n)
      or text.clean(lane.model) .. " without limit"
  end
  return (" on %s: %s"):format(text.count(#parts, "lane"), table.concat(parts, ", "))
end

local function cap_words(finish)
  local parts = {}
  for model, n in require("rushes").sorted(finish.capped) do
    parts[#parts + 1] = ("%d of %s wait for the daily limit"):format(n, text.clean(model))
  end
  if #parts == 0 then return "" end
  return "; " .. table.concat(parts, ", ") .. (finish.assumed
    and ", as if what others have made of it today had been made just now" or "")
end

--- "cannot finish before 14:20 (in 38 min) on 3 lanes: …".
---@param forecast rushes.cli.Forecast
---@param now number
---@return string
function M.sentence(forecast, now)
  local finish = forecast.finish
  if finish.seconds == math.huge then
    return "cannot finish: the account may make none of " .. finish.last
  end
  return ("cannot finish before %s (in %s)%s%s%s"):format(
    when.of(now + finish.seconds, now), text.span(finish.seconds),
    lanes_words(forecast), cap_words(finish),
    forecast.measured and "" or " (typical times, not measured here)")
end

--- The same as data.
---@param forecast rushes.cli.Forecast
---@param now number
---@return table
function M.data(forecast, now)
  local json, finish = require "rt.json", forecast.finish
  local possible = finish.seconds < math.huge
  return { possible = possible, at = possible and now + finish.seconds or nil,
    seconds = possible and finish.seconds or nil, slots = finish.slots,
    last = finish.last, capped = json.object(finish.capped),
    lanes_known = forecast.known, measured = forecast.measured }
end

return M
