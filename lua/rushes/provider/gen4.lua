--- The gen4 dialect of the tutorials: one call with visual references, a task, a file.
--- It has no address of its own; gateways and the simulator speak it.
local catalog = require "rushes.catalog"
local data = require "rushes.catalog.gen4"
local failure = require "rushes.provider.runway.answer".failure
local price = require "rushes.money.price"
local text = require "rushes.catalog.text"
local wire = require "rushes.provider.common.wire"

local WHO, KEY_ENV = "the gen4 server", "GEN4_API_KEY"

local NO_BASE = "the gen4 dialect has no address of its own; set GEN4_BASE_URL to that "
  .. "of your gateway, or run with --sim"

local M = {
  api = 1, name = "gen4", catalog = data,
  base_env = "GEN4_BASE_URL", key_env = KEY_ENV,
  auth = "Bearer", headers = {},
  poll = { first = 5, every = 5, deadline = 900, queue = 86400 },
  caps = { cancel = false, progress = true, upload = false },
  aliases = { gen4_turbo = "gen4-turbo", ["gen4-standard"] = "gen4" },
}

local KEYS = { "model", "prompt", "seconds", "fps", "references", "options" }
local REFERENCE_KEYS = { "kind", "image", "strength", "tag" }

local function references_of(spec)
  local images = {}
  for i, item in ipairs(spec.references or {}) do
    local what = ("references item %d"):format(i)
    if type(item) ~= "table" then
      return nil, wire.fail("invalid", what .. " must be a table {kind, image, strength}")
    end
    local bad = wire.unknown_key(item, REFERENCE_KEYS, what)
    if not bad and item.image == nil then
      bad = wire.fail("invalid", what .. " has no image")
    end
    if bad then return nil, bad end
    images[i] = { image = item.image, role = "ref", kind = item.kind, tag = item.tag,
      strength = item.strength }
  end
  return images
end

--- Turn a script's table into a job.
---@param spec table
---@return table? job
---@return rt.Err?
function M.normalize(spec)
  if type(spec) ~= "table" then
    return nil, wire.fail("invalid", "generate takes a table, not " .. text.show(spec))
  end
  local bad = wire.unknown_key(spec, KEYS, "generate")
  for _, key in ipairs { "references", "options" } do
    if not bad and spec[key] ~= nil and type(spec[key]) ~= "table" then
      bad = wire.fail("invalid", ("%s must be a table, not %s"):format(key,
        text.show(spec[key])))
    end
  end
  if not bad and spec.model == nil then bad = wire.fail("invalid", "model is missing") end
  local images
  if not bad then images, bad = references_of(spec) end
  if bad then return nil, bad end
  return { mode = "gen4", model = spec.model, prompt = spec.prompt,
    seconds = spec.seconds, fps = spec.fps, images = images, extra = spec.options or {} }
end

local function references(job, planning)
  local out = {}
  for i, image in ipairs(job.images or {}) do
    if image.role and image.role ~= "ref" then
      return nil, wire.fail("invalid", ("the gen4 dialect takes references, no %s frame")
        :format(image.role))
    end
    local uri = wire.uri(image, planning)
    if not uri then
      return nil, wire.fail("invalid",
        ("reference %d has no address yet; the host resolves it first"):format(i))
    end
    out[i] = { image_url = uri, type = image.kind, strength = image.strength }
  end
  return #out > 0 and out or nil
end

local NOT_SENT = { "ratio", "seed" }

local function build(job, planning)
  local notes, model = {}, M.aliases[job.model] or job.model
  if model ~= job.model then
    notes[1] = ("model %s means %s here"):format(job.model, model)
  end
  for _, name in ipairs { "video", "performance", "character" } do
    if job[name] then
      return nil, wire.fail("invalid", ("the gen4 dialect takes no %s"):format(name))
    end
  end
  local list, bad = references(job, planning)
  if bad then return nil, bad end
  for _, name in ipairs(NOT_SENT) do
    if job[name] ~= nil then
      notes[#notes + 1] = ("the gen4 dialect has no %s; %s is not sent"):format(name,
        text.show(job[name]))
    end
  end
  return "gen4", { model = model, prompt = job.prompt, duration = job.seconds,
    fps = job.fps, visual_references = list,
    generation_options = next(job.extra or {}) and job.extra or nil }, notes
end

--- The endpoint and body of a job whose files have their addresses.
---@param job table
---@return string? endpoint
---@return table|rt.Err body
---@return string[]? notes  sentences the host shows once each
function M.request(job) return build(job) end

--- What is wrong with a job, found without asking anybody. Files need no address yet.
---@param job table
---@return rt.Err?
---@return rushes.provider.Planned? planned  spares `price` the work; nil with an error
function M.check(job)
  local endpoint, body = build(job, true)
  if not endpoint then return body end
  local issues = catalog.check(data, endpoint, body)
  if issues[1] then return wire.issues(issues) end
  return nil, { endpoint = endpoint, body = body,
    entry = data.endpoints[endpoint].models[body.model] }
end

--- The most a job may cost, by this house's own prices. Files need no address yet.
---@param job table
---@param planned? rushes.provider.Planned  what `check` returned
---@return integer? thousandths
---@return "exact"|"estimate"|rt.Err
function M.price(job, planned)
  if not planned then
    local bad
    bad, planned = M.check(job)
    if bad then return nil, bad end
  end
  return price.price(planned.entry, planned.body)
end

--- The request that buys the job.
---@return table? req
---@return rt.Err?
function M.submit(job, cfg)
  if not cfg.base then return nil, wire.fail("invalid", NO_BASE) end
  local endpoint, body = build(job)
  if not endpoint then return nil, body end
  return { method = "POST", path = data.endpoints[endpoint].path, json = body,
    auth = true }
end

function M.poll_req(handle)
  return { method = "GET", path = "/v1/gen4/tasks/" .. handle.id, auth = true }
end

--- The dialect has no way to cancel.
function M.cancel() return nil end

function M.fetch(output) return { method = "GET", url = output.url, auth = false } end

function M.error(resp) return wire.error(resp, WHO, KEY_ENV) end

--- The task that an answer to a create call names.
---@param resp table
function M.accept(resp)
  local status = wire.status(resp)
  if not status or status < 200 or status >= 300 then return nil, M.error(resp) end
  local answer = wire.json(resp)
  local id = wire.dig(answer, "id")
  if wire.usable_id(id) then return { handle = { id = id }, state = "queued" } end
  local says = wire.says(resp)
  return nil, wire.fail("unknown", "the gen4 server's answer names no task"
    .. (says and ": " .. says or ""), { status = status, unknown = true })
end

local WORDS = { SUCCEEDED = "succeeded", COMPLETED = "succeeded", FAILED = "failed",
  CANCELLED = "cancelled", CANCELED = "cancelled", PENDING = "queued",
  QUEUED = "queued", THROTTLED = "throttled", RUNNING = "running" }

-- The dialect gives a reason in words and no code, so these words decide that a take is
-- not bought again; any other reason is left to a person as well.
local MODERATION = { "moderation", "safety", "content policy" }

local function failed(task)
  local reason = task.failure_reason
  local row = failure(reason)
  local class, says = row.class, wire.plain(reason)
  if class == "unknown" and type(reason) == "string" then
    for _, word in ipairs(MODERATION) do
      if reason:lower():find(word, 1, true) then class = "safety" end
    end
  end
  return wire.fail(class, "the gen4 server could not make the clip"
    .. (says ~= "" and ": " .. says or ""), { retryable = row.retryable or false })
end

--- The state of a task; progress comes in percent.
---@param resp table
---@return table? update
---@return rt.Err?
function M.update(_, resp)
  local status = wire.status(resp)
  if status == 404 then
    return { state = "cancelled", err = wire.fail("expired",
      "the gen4 server no longer knows the task", { status = 404 }) }
  elseif not status or status < 200 or status >= 300 then
    return nil, wire.poll_error(resp, M.error(resp))
  end
  local task = wire.json(resp)
  local word = wire.dig(task, "status")
  if type(word) ~= "string" or word == "" then
    local says = wire.says(resp)
    return nil, wire.fail("unavailable", "the gen4 server's answer is no task"
      .. (says and ": " .. says or ""), { status = status, retryable = true })
  end
  local state = WORDS[word:upper()] or "running"
  local update = { state = state, cost = wire.thousandths(task.credits_used) }
  if state == "succeeded" then
    update.outputs = wire.outputs(task.output)
    if not update.outputs[1] then
      return { state = "failed", cost = update.cost, err = wire.fail("bad_output",
        "the gen4 server says that the task succeeded, but gives no file") }
    end
  elseif state == "failed" then
    update.err = failed(task)
  elseif type(task.progress) == "number" and task.progress == task.progress then
    update.progress = math.max(0, math.min(1, task.progress / 100))
  end
  return update
end

return M
