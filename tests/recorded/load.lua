--- Recorded answers: files that hold a status line, headers, an empty line and a body.
--- They are written by hand after the documented and captured shapes; every id, host and
--- token in them is invented.
local here = ...

--- A recorded answer as the host would hand it to a provider.
---@param name string  "runway/created"
---@return table resp
return function(name)
  local file <close> = assert(io.open(("%s/%s.http"):format(here, name), "rb"))
  local head, body = file:read "a":match "^(.-\n)\n(.*)$"
  local resp = { status = math.tointeger(tonumber(head:match "^HTTP/%S+ (%d+)")),
    headers = {}, body = body, url = "https://api.example.com/", sent = true }
  for key, value in head:gmatch "\n([%w-]+): ([^\n]*)" do
    resp.headers[key:lower()] = value
  end
  return resp
end
