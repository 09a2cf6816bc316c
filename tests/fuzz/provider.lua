--- Whatever a server answers: reading it does not raise, gives a state of the list or an
--- error that is a sentence. The first byte chooses provider, function and status.
local json = require "rt.json"

local PROVIDERS = { require "rushes.provider.runway", require "rushes.provider.gen4" }
local STATUS = { 200, 200, 200, 201, 204, 302, 400, 401, 404, 429, 500, 503 }
local STATES = { queued = true, throttled = true, running = true, succeeded = true,
  failed = true, cancelled = true }

local function check_error(e)
  assert(type(e) == "table" and type(e.message) == "string", "no sentence")
  assert(utf8.len(e.message) and not e.message:find "%c", "the sentence is not text")
  assert(not e.message:find "PRIVATE", "the sentence shows the signature")
end

local CALLS = {
  function(p, resp)
    local update, e = p.update({ id = "x" }, resp, { base = "https://h" })
    if not update then return check_error(e) end
    assert(STATES[update.state], tostring(update.state))
    assert(update.state ~= "succeeded" or #update.outputs > 0, "succeeded without output")
    if update.err then check_error(update.err) end
  end,
  function(p, resp)
    local got, e = p.accept(resp, { model = "gen4_turbo", mode = "image_to_video" },
      { base = "https://h" })
    if not got then return check_error(e) end
    assert(type(got.handle.id) == "string" and got.handle.id ~= "", "no id")
  end,
  function(p, resp)
    local e = p.error(resp)
    if e then check_error(e) end
  end,
}

return function(bytes)
  if bytes:find "PRIVATE" then return end -- the fuzzer has made one up
  local choice = bytes:byte() or 0
  local body = bytes:sub(2):gsub("(https?://[%w./]-)SIG", "%1?_jwt=PRIVATE")
  local resp = { status = STATUS[choice % #STATUS + 1], body = body, sent = true,
    headers = { ["content-type"] = "application/json" }, url = "https://h/v1/tasks/x" }
  if choice >= 128 then resp.json = json.decode(body) end
  for _, provider in ipairs(PROVIDERS) do
    for _, call in ipairs(CALLS) do call(provider, resp) end
  end
end
