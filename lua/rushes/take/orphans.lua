--- What an earlier run has paid for and this one did not ask for: the take of a shot that
--- was edited, renamed or taken out while it was under way. Once the script has ended it
--- is followed and fetched; nothing is bought.
local event = require "rushes.event"
local log = require "rt.log"
local task = require "rt.task"
local accounts = require "rushes.take.account"
local calls = require "rushes.take.call"
local shootings = require "rushes.take.shooting"

local M = {}

---@class rushes.Orphan
---@field show rushes.Show
---@field name string         in sentences: "street t001", "street t001 (still)"
---@field shot? string        none: a call that a script made by hand
---@field take? string        "t001"
---@field state string        accepted to succeeded
---@field task string
---@field stage string
---@field model string
---@field provider string
---@field fingerprint string
---@field attempt integer
---@field path? string        once it is on disk

-- What has ended with an output that the provider has no more is looked for once only.
local OPEN = [[SELECT a.id AS attempt, a.task, a.state, c.fingerprint, c.stage, c.model,
  c.provider, t.shot, t.number FROM attempts a JOIN calls c ON c.id = a.call
  LEFT JOIN takes t ON t.id = c.take
  WHERE a.state IN ('accepted', 'queued', 'throttled', 'running', 'succeeded')
  AND a.run <> ? AND NOT (a.state = 'succeeded' AND a.class IS 'expired') ORDER BY a.id]]

local function name_of(row)
  if not row.shot then return "call by hand " .. row.task end
  return ("%s %s%s"):format(row.shot, row.take,
    row.stage == "still" and " (still)" or "")
end

--- Those of one show; none of a shot that --only has left out.
local function of_show(show)
  local journal, found = show.journal, {}
  if not journal.conn then return found end
  local rows, e = journal.conn:rows(OPEN, journal.run)
  if not rows then
    log.warn("what earlier runs of %s have paid for cannot be looked up: %s", show.name,
      e.message)
    return found
  end
  for _, row in ipairs(rows) do
    local left_out = row.shot and shootings.leaves_out(row.shot)
    if not journal.claimed[row.attempt] and not left_out then
      row.show, row.take = show, row.number and ("t%03d"):format(row.number)
      row.name = name_of(row)
      found[#found + 1] = row
    end
  end
  return found
end

local function fields_of(orphan, more)
  local fields = { earlier = true, show = orphan.show.name, shot = orphan.shot,
    take = orphan.take, model = orphan.model, stage = orphan.stage, id = orphan.task }
  for k, v in pairs(more) do fields[k] = v end
  return fields
end

-- ---- words ----

local NAMED = 10 -- in one sentence

--- "a, b and 3 more"
local function listed(orphans, text)
  local parts = {}
  for i, orphan in ipairs(orphans) do
    if i > NAMED then
      return ("%s and %d more"):format(table.concat(parts, ", "), #orphans - NAMED)
    end
    parts[i] = text(orphan)
  end
  return table.concat(parts, ", ")
end

local function counted(orphans)
  return ("%d take%s that an earlier run paid for and this script left alone")
    :format(#orphans, #orphans == 1 and "" or "s")
end

local function note(fmt, ...) event.emit("note", { text = fmt:format(...) }) end

local function with_task(orphan)
  return orphan.shot and ("%s (task %s)"):format(orphan.name, orphan.task) or orphan.name
end

local function with_path(orphan) return ("%s is %s"):format(orphan.name, orphan.path) end

-- ---- fetching ----

local function recalled(orphan, ctx)
  local own = setmetatable({ keys = {}, about = { show = orphan.show.name,
    shot = orphan.shot, take = orphan.take } }, { __index = ctx })
  local call, e = calls.recalled(own, orphan.name, orphan)
  if not call then return nil, e end
  function own.on_progress(progress, job)
    local running = job.state == "running"
    event.emit(running and "progress" or "state", fields_of(orphan,
      { state = job.state, progress = progress, credits = job.credits }))
  end
  return call
end

local function nothing() end

local function fetch(orphan, ctx)
  local call, e = recalled(orphan, ctx)
  if not call then return note("%s cannot be followed: %s", orphan.name, e.message) end
  local job = call.job
  event.emit("submitted", fields_of(orphan, { state = job.state, credits = job.credits }))
  orphan.path, e = task.try(call.run, call, nil, nothing)
  call:close(e)
  if e and e.final then job.record:gone(e) end
  event.emit(orphan.path and "landed" or "failed", fields_of(orphan,
    { file = orphan.path, err = e, credits = job.credits, state = job.state }))
end

local function fetch_all(orphans, ctx)
  task.scope(function(s)
    for _, orphan in ipairs(orphans) do s:spawn(fetch, orphan, ctx) end
  end)
end

--- What calls of a show through one provider need.
local function begin(show, provider)
  local account, e = accounts.open(provider)
  if not account then return nil, e end
  return shootings.begin(show, account)
end

local function by_provider(orphans)
  local groups = {}
  for _, orphan in ipairs(orphans) do
    groups[orphan.provider] = groups[orphan.provider] or {}
    table.insert(groups[orphan.provider], orphan)
  end
  return groups
end

local function say_following(orphans)
  local live = {}
  for _, orphan in ipairs(orphans) do
    if orphan.state ~= "succeeded" then live[#live + 1] = orphan end
  end
  if #live == 0 then return end
  note("the script has ended; following %s: %s", counted(live), listed(live, with_task))
end

local function say_fetched(orphans)
  local there = {}
  for _, orphan in ipairs(orphans) do
    if orphan.path then there[#there + 1] = orphan end
  end
  if #there == 0 then return end
  note("fetched %s: %s", counted(there), listed(there, with_path))
end

local function bring_home(orphans)
  say_following(orphans)
  for provider, group in pairs(by_provider(orphans)) do
    local ctx, e = begin(group[1].show, provider)
    if ctx then
      fetch_all(group, ctx)
    else
      note("%s cannot be followed: %s", counted(group), e.message)
    end
  end
  say_fetched(orphans)
end

--- Follow and fetch them, all at the same time; a sentence says where they are. A failure
--- is told and ends nothing else. Waits; spends nothing.
---@async
function M.bring_home()
  task.scope(function(s)
    for _, show in ipairs(shootings.shows()) do
      local orphans = of_show(show)
      if #orphans > 0 then s:spawn(bring_home, orphans) end
    end
  end)
end

--- `rushes plan`: say of each that it will be fetched. Waits; sends nothing.
---@async
function M.tell()
  for _, show in ipairs(shootings.shows()) do
    for _, orphan in ipairs(of_show(show)) do
      event.emit("call", fields_of(orphan, { call = "cached", credits = 0, budget = "",
        provider = orphan.provider, shot = orphan.shot or "by hand",
        take = orphan.take or "", why = ("%s task %s; the script does not ask for it, and"
        .. " the run fetches it"):format(orphan.state == "succeeded" and "made as"
        or "under way at the provider as", orphan.task) }))
    end
  end
end

return M
