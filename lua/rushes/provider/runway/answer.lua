--- Reading Runway's answers: tasks, failures, the account. Any bytes may come in; what
--- goes out is a state or an error, never an exception.
local wire = require "rushes.provider.common.wire"

local M = {}

local KEY_ENV = "RUNWAYML_API_SECRET"

-- failureCode by its leading components; the first row that fits counts. `charged` is
-- what the documentation says of the credits: nil where it does not say.
M.FAILURES = {
  { "SAFETY.INPUT", class = "safety", charged = true,
    says = "moderation refused the prompt or a picture; this is charged, and repeating "
      .. "it can suspend the account. Change the input" },
  { "SAFETY.OUTPUT", class = "safety",
    says = "moderation refused the result; change the prompt, the pictures or the seed" },
  { "SAFETY", class = "safety", says = "moderation refused it; change the input" },
  { "INPUT_PREPROCESSING.SAFETY", class = "safety",
    says = "moderation refused the input; change it" },
  { "INPUT_PREPROCESSING.INTERNAL", class = "internal", retryable = true,
    charged = false, says = "Runway failed while preparing the input" },
  { "INTERNAL.BAD_OUTPUT", class = "bad_output", retryable = true, charged = false,
    says = "the result did not pass Runway's quality gate; a change of the prompt helps "
      .. "(no logos, overlays or written text)" },
  { "ASSET.INVALID", class = "asset", charged = false,
    says = "a picture or video has the wrong size, shape or codec" },
  { "THIRD_PARTY.UNAVAILABLE", class = "unavailable", retryable = true, charged = false,
    says = "the model's own provider is not available" },
  { "THIRD_PARTY.INPUT_VALIDATION", class = "invalid",
    says = "the model's own provider refused the input" },
  { "INTERNAL", class = "internal", retryable = true, charged = false,
    says = "Runway failed" },
}

local UNKNOWN = { class = "unknown",
  says = "it failed for a reason this version does not know" }

--- The row of M.FAILURES for a failureCode; a missing code is Runway's own failure.
---@param code any
---@return table
function M.failure(code)
  if code == nil then code = "INTERNAL" end
  if type(code) ~= "string" then return UNKNOWN end
  local dotted = code:upper() .. "."
  for _, row in ipairs(M.FAILURES) do
    local prefix = row[1] .. "."
    if dotted:sub(1, #prefix) == prefix then return row end
  end
  return UNKNOWN
end

local function failed(task)
  local row = M.failure(task.failureCode)
  local code = wire.plain(task.failureCode, 60)
  local said = wire.plain(task.failure)
  return wire.fail(row.class, ("%s%s%s"):format(row.says,
    code ~= "" and (" [%s]"):format(code) or "",
    said ~= "" and (': "%s"'):format(said) or ""), {
    retryable = row.retryable or false, charged = row.charged,
    failure_code = code ~= "" and code or nil })
end

local function progress_of(task)
  local p = task.progress
  if type(p) ~= "number" or p ~= p then return nil end
  return math.max(0, math.min(1, p))
end

local LIVE = { PENDING = "queued", THROTTLED = "throttled", RUNNING = "running" }

local function ended(word, task)
  local cost = wire.thousandths(wire.dig(task.cost, "credits"))
  if word == "SUCCEEDED" then
    local outputs = wire.outputs(task.output)
    if outputs[1] then return { state = "succeeded", outputs = outputs, cost = cost } end
    return { state = "failed", cost = cost, err = wire.fail("bad_output",
      "Runway says that the task succeeded, but gives no file") }
  elseif word == "FAILED" then
    return { state = "failed", cost = cost, err = failed(task) }
  end
  return { state = "cancelled", cost = cost }
end

--- Runway deletes a task when it is cancelled, so its 404 is how a cancelled one looks.
--- Another 404 (of a wrong address, of a proxy) says nothing of the task.
local function gone()
  return { state = "cancelled", err = wire.fail("expired", "Runway no longer has the "
    .. "task: it was cancelled or deleted, and its output with it", { status = 404 }) }
end

local function junk(resp, what)
  local says = wire.says(resp)
  return wire.fail("unavailable", ("Runway's answer is no %s%s"):format(what,
    says and ": " .. says or ""), { status = wire.status(resp), retryable = true })
end

--- The state of a task from an answer to GET /v1/tasks/{id}.
---@param resp table
---@return table? update  {state, progress?, outputs?, cost?, estimate?, err?}
---@return rt.Err?        the answer tells nothing about the task
function M.update(_, resp)
  local status = wire.status(resp)
  local said = (wire.says(resp) or ""):lower()
  if status == 404 and said:find("could not find", 1, true) then return gone() end
  if not status or status < 200 or status >= 300 then
    return nil, wire.poll_error(resp, M.error(resp))
  end
  local task = wire.json(resp)
  local word = wire.dig(task, "status")
  if type(word) ~= "string" or word == "" then return nil, junk(resp, "task") end
  word = word:upper()
  if word == "SUCCEEDED" or word == "FAILED" or word:find "^CANCELL?ED$" then
    return ended(word, task)
  end
  return { state = LIVE[word] or "running", progress = progress_of(task),
    estimate = wire.thousandths(wire.dig(task.estimatedCost, "credits")) }
end

--- The task that an answer to a create call names.
---@param resp table
---@return table? accepted  {handle = {id}, state = "queued", estimate? = thousandths}
---@return rt.Err?
function M.accept(resp)
  local status = wire.status(resp)
  if not status or status < 200 or status >= 300 then return nil, M.error(resp) end
  local answer = wire.json(resp)
  local id = wire.dig(answer, "id")
  if not wire.usable_id(id) then
    local e = junk(resp, "task id")
    -- It was accepted: a task may exist that nobody can name.
    e.class, e.unknown, e.retryable = "unknown", true, false
    return nil, e
  end
  return { handle = { id = id }, state = "queued",
    estimate = wire.thousandths(wire.dig(answer, "estimatedCost", "credits")) }
end

local ASSET = { "^asset ", "asset aspect ratio", "fetch asset", "fetching asset",
  "content%-type response header", "asset duration" }

local function asset_trouble(said)
  local low = said:lower()
  for _, pattern in ipairs(ASSET) do
    if low:find(pattern) then return true end
  end
  return false
end

--- "field: what is wrong", from the issues of a 400.
local function issue_lines(issues)
  local out = {}
  for _, issue in ipairs(type(issues) == "table" and issues or {}) do
    local names, path = {}, wire.dig(issue, "path")
    for _, key in ipairs(type(path) == "table" and path or {}) do
      names[#names + 1] = wire.plain(tostring(math.tointeger(key) or key), 40)
    end
    local said = wire.plain(wire.dig(issue, "message"), 160)
    if said ~= "" and #out < 3 then
      out[#out + 1] = #names > 0 and table.concat(names, ".") .. ": " .. said or said
    end
  end
  return table.concat(out, "; ")
end

local function refused(resp)
  local answer, said = wire.json(resp), wire.says(resp) or ""
  local low = said:lower()
  local fields = { status = 400, retryable = false }
  if low:find("enough credits", 1, true) then
    return wire.fail("quota", "the account has not enough credits for this call; API "
      .. "credits are bought apart from those of the web application", fields)
  elseif low:find("x-runway-version", 1, true) then
    return wire.fail("invalid", "Runway no longer takes the API version that rushes "
      .. "speaks; a newer rushes is needed", fields)
  end
  local lines = issue_lines(wire.dig(answer, "issues"))
  local detail = lines ~= "" and lines or said
  if asset_trouble(detail) or detail:find "[Aa]sset " then
    local hint = detail:find "duration must be at least 1 second"
      and "; an upload that has expired gives this message too" or ""
    return wire.fail("asset", ("Runway cannot use a picture or video: %s%s"):format(
      detail, hint), fields)
  end
  return wire.fail("invalid", "Runway refused the request" .. (detail ~= ""
    and ": " .. detail or " (400)"), fields)
end

-- The daily cap is a rolling window of 24 hours, so room comes back bit by bit. Looking
-- again after an hour is our choice; the API names no time.
local DAILY_WAIT = 3600

--- What an answer that is no success means.
---@param resp table
---@return rt.Err
function M.error(resp)
  local status = wire.status(resp)
  if status == 400 then return refused(resp) end
  local said = (wire.says(resp) or ""):lower()
  if status == 429 and said:find "daily" then
    return wire.fail("quota", "the account's daily task limit is reached; it is counted "
      .. "over the last 24 hours, so wait or ask for a higher tier", { status = 429,
      daily = true, retryable = false,
      retry_after = wire.retry_after(resp) or DAILY_WAIT })
  elseif status == 404 and not said:find "could not find" then
    return wire.fail("invalid", "there is no such address (404); check "
      .. "RUNWAYML_BASE_URL", { status = 404 })
  end
  return wire.error(resp, "Runway", KEY_ENV)
end

local function integer(v)
  return type(v) == "number" and v == v and math.abs(v) < 2 ^ 53
    and math.tointeger(v // 1) or nil
end

--- The account, from GET /v1/organization. An absent number means unlimited.
---@param resp table
---@return table? organization  {balance = thousandths, spend = dollars a month?,
---  lanes = {model = {at_once?, daily?, used = integer}}}
---@return rt.Err?
function M.organization(resp)
  local status = wire.status(resp)
  if not status or status < 200 or status >= 300 then return nil, M.error(resp) end
  local answer = wire.json(resp)
  local balance = wire.thousandths(wire.dig(answer, "creditBalance"))
  local models = wire.dig(answer, "tier", "models")
  if not balance then return nil, junk(resp, "account") end
  local lanes = {}
  for model, limits in pairs(type(models) == "table" and models or {}) do
    if type(limits) == "table" then
      lanes[model] = { at_once = integer(limits.maxConcurrentGenerations),
        daily = integer(limits.maxDailyGenerations),
        used = integer(wire.dig(answer, "usage", "models", model, "dailyGenerations"))
          or 0 }
    end
  end
  return { balance = balance, lanes = lanes,
    spend = integer(wire.dig(answer, "tier", "maxMonthlyCreditSpend")) }
end

--- Credits used per day and model, from POST /v1/organization/usage. Refunds are
--- negative.
---@param resp table
---@return {date: string, model: string, credits: integer}[]? rows  thousandths
---@return rt.Err?
function M.usage(resp)
  local status = wire.status(resp)
  if not status or status < 200 or status >= 300 then return nil, M.error(resp) end
  local results = wire.dig(wire.json(resp), "results")
  if type(results) ~= "table" then return nil, junk(resp, "usage report") end
  local rows = {}
  for _, day in ipairs(results) do
    local used = wire.dig(day, "usedCredits")
    for _, use in ipairs(type(used) == "table" and used or {}) do
      local amount = integer(wire.dig(use, "amount"))
      if amount and type(day.date) == "string" and type(use.model) == "string" then
        rows[#rows + 1] = { date = day.date, model = use.model, credits = amount * 1000 }
      end
    end
  end
  return rows
end

return M
