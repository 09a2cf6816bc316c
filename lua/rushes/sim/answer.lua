--- Answers in the form the API gives them.
local json = require "rt.json"

local M = {}

local JSON = "application/json; charset=utf-8"
M.docs = "https://docs.dev.runwayml.com/api"

--- What every answer of the API says: how fast our clock runs. rushes looks as often in
--- simulated time as it would in real time.
---@param req rt.httpd.Request  `pace` is the clock's speed
---@param headers? table
---@return table
function M.headers(req, headers)
  headers = headers or {}
  headers["X-Sim-Speed"] = req.pace and ("%.14g"):format(req.pace)
  return headers
end

--- Answer with a value as JSON.
---@async
---@param req rt.httpd.Request
---@param status integer
---@param value table
---@param headers? table
---@param truncate? integer  end the connection after so many bytes of it
function M.json(req, status, value, headers, truncate)
  headers = M.headers(req, headers)
  headers["Content-Type"] = JSON
  return req:respond { status = status, headers = headers, body = json.encode(value),
    truncate = truncate }
end

--- Answer with an error in the API's shape.
---@async
---@param req rt.httpd.Request
---@param status integer
---@param message string
---@param more? {issues?: table, docUrl?: string}
---@param headers? table
function M.error(req, status, message, more, headers)
  local body = { error = message }
  if more then body.issues, body.docUrl = more.issues, more.docUrl end
  return M.json(req, status, body, headers)
end

--- Answer 400 with a list of issues.
---@async
---@param issues table[]  as `rushes.catalog.check` gives them
---@param what? string  "body" (default), "params"
function M.invalid(req, issues, what)
  local list = json.array {}
  for i, issue in ipairs(issues) do
    local copy = {}
    for k, v in pairs(issue) do copy[k] = v end
    copy.sentence = nil
    list[i] = copy
  end
  return M.error(req, 400, ("Validation of %s failed"):format(what or "body"),
    { issues = list, docUrl = M.docs })
end

local PAGE = [[<html><head><title>%d %s</title></head>
<body><center><h1>%d %s</h1></center><hr><center>simulated gateway</center></body></html>
]]

local REASON = { [500] = "Internal Server Error", [502] = "Bad Gateway",
  [200] = "OK", [503] = "Service Unavailable", [504] = "Gateway Time-out" }

--- Answer as a gateway in front of the API does when that fails.
---@async
function M.html(req, status)
  local reason = REASON[status] or "Error"
  local headers = M.headers(req, { ["Content-Type"] = "text/html" })
  return req:respond { status = status, headers = headers,
    body = PAGE:format(status, reason, status, reason) }
end

return M
