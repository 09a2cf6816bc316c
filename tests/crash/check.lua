--- What must be true of a show at its end, however often it was killed: the folder, the
--- journal and the simulator's bill say the same. A list of sentences; none is good.
local db = require "rt.db"
local fs = require "rt.fs"
local hash = require "rt.hash"
local control = require "rushes.sim.control"

local crash_show = require "crash.show"

local M = {}

local ATTEMPTS = [[SELECT a.id, a.state, a.held, a.cost, a.task, c.endpoint, t.shot,
  t.number, a.path, a.sha256
  FROM attempts a JOIN calls c ON c.id = a.call LEFT JOIN takes t ON t.id = c.take
  ORDER BY a.id]]

--- The attempts of a journal, each with its call, take and file.
---@async
---@param folder string
---@return table[]
function M.attempts(folder)
  local conn <close> = assert(db.open(folder .. "/journal.db", { readonly = true }))
  local rows = assert(conn:rows(ATTEMPTS))
  for _, a in ipairs(rows) do
    a.by_hand, a.shot = not a.shot, a.shot or crash_show.BY_HAND
  end
  return rows
end

--- The simulator's tasks, by id.
---@async
---@param sim rushes.Sim
---@return table<string, table>
---@return integer n
function M.tasks(sim)
  local by_id, list = {}, control.tasks(sim)
  for _, row in ipairs(list) do
    row.shot = row.shot or crash_show.BY_HAND
    by_id[row.id] = row
  end
  return by_id, #list
end

local function add(problems, text, ...) problems[#problems + 1] = text:format(...) end

--- Each landed file is what its task made. The names of those in the show's folder.
local function check_files(problems, dir, attempts, tasks)
  local expected = {}
  for _, a in ipairs(attempts) do
    if a.state == "landed" then
      local made = tasks[a.task] or { sha256 = {} }
      local name = ("%s of %s"):format(a.endpoint, a.shot)
      local place = a.by_hand and dir or dir .. "/" .. crash_show.NAME
      if not a.by_hand then expected[a.path or "?"] = name end
      local digest = a.path and hash.sha256_file(place .. "/" .. a.path)
      if not digest then
        add(problems, "lost clip: %s has landed as %s, which is not there", name, a.path)
      elseif digest ~= made.sha256[1] or digest ~= a.sha256 then
        add(problems, "lost clip: %s (%s) is %s, the journal says %s, the simulator made %s",
          a.path, name, digest, a.sha256, made.sha256[1])
      end
      if made.shot ~= a.shot or made.endpoint ~= a.endpoint then
        add(problems, "%s landed from the task of %s of %s", name, made.endpoint, made.shot)
      end
    end
  end
  return expected
end

local OWN = { ["journal.db"] = true, ["journal.db-wal"] = true, ["journal.db-shm"] = true,
  ["journal.lock"] = true, ["journal.reserve"] = true }

--- Nothing else lies in the folder: no half of a clip, no clip twice.
local function check_folder(problems, folder, also, expected)
  local seen = {}
  for _, entry in ipairs(assert(fs.list(folder))) do
    seen[entry.name] = true
    if not also[entry.name] and not expected[entry.name] then
      add(problems, "%s lies in the folder and belongs to nothing", entry.name)
    end
  end
  for name, call in pairs(expected) do
    if not seen[name] then add(problems, "lost clip: %s (%s)", name, call) end
  end
end

--- Every shot has all its calls, in one take.
local function check_calls(problems, attempts)
  local landed, takes = {}, {}
  for _, a in ipairs(attempts) do
    local key = ("%s %s"):format(a.shot, a.endpoint)
    if a.state == "landed" then landed[key] = (landed[key] or 0) + 1 end
    takes[("%s t%03d"):format(a.shot, a.number or 0)] = true
  end
  local shots = 0
  for shot, endpoints in pairs(crash_show.SHOTS) do
    shots = shots + 1
    for _, endpoint in ipairs(endpoints) do
      local n = landed[shot .. " " .. endpoint] or 0
      if n ~= 1 then add(problems, "%s of %s landed %d times", endpoint, shot, n) end
    end
  end
  local n = 0
  for _ in pairs(takes) do n = n + 1 end
  if n ~= shots then add(problems, "%d shots became %d takes", shots, n) end
end

--- Each of the simulator's tasks was ordered once: it is in the journal, or settled as
--- charged. More is a double bill.
local function check_bill(problems, sim, attempts, tasks)
  local known, charged, cost, held = {}, 0, 0, 0
  for _, a in ipairs(attempts) do
    cost, held = cost + (a.cost or 0), held + a.held
    if a.task then
      if known[a.task] then add(problems, "task %s is in the journal twice", a.task) end
      if not tasks[a.task] then add(problems, "task %s was never made", a.task) end
      known[a.task] = true
    elseif a.state == "charged" then
      charged = charged + 1
    elseif a.held > 0 or (a.cost or 0) > 0 then
      add(problems, "attempt %d is %s, has no task, and holds or cost credits", a.id, a.state)
    end
  end
  local extra = 0
  for id in pairs(tasks) do extra = extra + (known[id] and 0 or 1) end
  if extra > charged then
    add(problems, "double bill: %d tasks were made that the journal does not know, and %d"
      .. " submissions were settled as charged", extra, charged)
  elseif extra < charged then
    add(problems, "%d submissions were settled as charged, and only %d were taken", charged,
      extra)
  end
  if held ~= 0 then add(problems, "%d thousandths are still held", held) end
  if cost ~= sim.bill.used then
    add(problems, "the ledger has %d thousandths, the simulator's bill %d", cost,
      sim.bill.used)
  end
  if sim.bill.overruns > 0 then add(problems, "the bill exceeded the budget") end
end

--- Everything that is wrong with the show whose script lies in `dir`.
---@async
---@param sim rushes.Sim
---@param dir string
---@return string[] problems
function M.check(sim, dir)
  local problems, tasks = {}, M.tasks(sim)
  local folder = dir .. "/" .. crash_show.NAME
  local attempts = M.attempts(folder)
  check_calls(problems, attempts)
  check_folder(problems, folder, OWN, check_files(problems, dir, attempts, tasks))
  check_folder(problems, dir, crash_show.BESIDE, {})
  check_bill(problems, sim, attempts, tasks)
  return problems
end

return M
