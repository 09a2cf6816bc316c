--- Runway's developer API. Pure functions: they build requests and read answers, and do
--- no I/O; the host sends, waits and holds the key. docs/providers.md is the interface.
local answer = require "rushes.provider.runway.answer"
local catalog = require "rushes.catalog"
local data = require "rushes.catalog.runway"
local limits = require "rushes.provider.common.limits"
local price = require "rushes.money.price"
local request = require "rushes.provider.runway.request"
local spec = require "rushes.provider.runway.spec"
local upload = require "rushes.provider.runway.upload"
local wire = require "rushes.provider.common.wire"

local M = {
  api = 1, name = "runway", catalog = data,
  base = "https://api.dev.runwayml.com", base_env = "RUNWAYML_BASE_URL",
  key_env = "RUNWAYML_API_SECRET",
  auth = "Bearer", headers = { ["X-Runway-Version"] = "2024-11-06" },
  poll = { first = 5, every = 5, deadline = 900, queue = 86400 },
  caps = { cancel = true, progress = true, upload = true },
  aliases = request.aliases,
  normalize = spec.normalize,
  accept = answer.accept, update = answer.update, error = answer.error,
  organization = answer.organization, usage = answer.usage,
}

--- The endpoint and body of a job whose files have their addresses.
---@param job table
---@return string? endpoint
---@return table|rt.Err body  the body, or why there is none
---@return string[]? notes    sentences the host shows once each
function M.request(job) return request.build(job) end

---@class rushes.provider.Planned
---@field endpoint string
---@field body table      files stand in it by placeholders
---@field entry table     the model's, in the catalogue

local function plan(job)
  local endpoint, body = request.build(job, true)
  if not endpoint then return nil, body end
  return { endpoint = endpoint, body = body,
    entry = data.endpoints[endpoint].models[body.model] }
end

--- What is wrong with a job, found without asking anybody. Files need no address yet.
---@param job table
---@return rt.Err?
---@return rushes.provider.Planned? planned  spares `price` the work; nil with an error
function M.check(job)
  local planned, bad = plan(job)
  if not planned then return bad end
  local body = planned.body
  local issues = catalog.check(data, planned.endpoint, body)
  if issues[1] then return wire.issues(issues) end
  return limits.check(job, planned.entry, body), planned
end

--- The most a job may cost. Files need no address yet.
---@param job table
---@param planned? rushes.provider.Planned  what `check` returned
---@return integer? thousandths  of a credit
---@return "exact"|"estimate"|rt.Err
function M.price(job, planned)
  local bad
  if not planned then planned, bad = plan(job) end
  if not planned then return nil, bad end
  local entry, body = planned.entry, planned.body
  return price.price(entry, body, limits.facts(job, entry, body))
end

--- The request that buys the job. Sending it spends credits; it must not be repeated.
---@param job table
---@return table? req
---@return rt.Err?
function M.submit(job)
  local endpoint, body = request.build(job)
  if not endpoint then return nil, body end
  return { method = "POST", path = data.endpoints[endpoint].path, json = body,
    auth = true }
end

--- One step of an upload; docs/providers.md has the three.
---@param file table
---@param _ table  cfg
---@param step 1|2|3
---@param resp? table
function M.upload(file, _, step, resp)
  return upload.step(file, step, resp, answer.error)
end

---@param handle {id: string}
---@return table req
function M.poll_req(handle)
  return { method = "GET", path = "/v1/tasks/" .. handle.id, auth = true }
end

--- The request that cancels a task that has not ended. On a task that has, the same
--- request deletes the output for good: poll first, and send it only for a live state.
---@param handle {id: string}
---@return table req
function M.cancel(handle)
  return { method = "DELETE", path = "/v1/tasks/" .. handle.id, auth = true,
    headers = { ["Accept"] = "*/*" } }
end

--- Outputs are signed URLs elsewhere: no key goes there.
---@param output {url: string}
---@return table req
function M.fetch(output)
  return { method = "GET", url = output.url, auth = false }
end

--- Ask for the account: balance, limits, today's use. The cheapest test of a key.
---@return table req
function M.organization_req()
  return { method = "GET", path = "/v1/organization", auth = true }
end

--- Ask for the credits used per day. At most 90 days; the last 30 unless told.
---@param range? {from?: string, before?: string}  days as YYYY-MM-DD, UTC
---@return table req
function M.usage_req(range)
  range = range or {}
  return { method = "POST", path = "/v1/organization/usage", auth = true,
    json = { startDate = range.from, beforeDate = range.before } }
end

return M
