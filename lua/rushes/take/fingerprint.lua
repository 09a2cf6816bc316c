--- What makes a paid call the same call: a hash of what is asked for, in which files
--- stand by their content. Never by path, link, upload or time, so that a script that is
--- run again asks for what it has already got.
local hash = require "rt.hash"
local json = require "rt.json"

local M = {}

--- A link without its query, where what is signed changes with every signature, and
--- without a user's name and password.
local function plain_link(url)
  return (url:gsub("[?#].*$", ""):gsub("^(%a+://)[^/]*@", "%1"))
end

--- A value of a planned body as it is kept and compared.
local function canonical(v)
  if type(v) == "string" then
    local digest = v:match "^data:[^;]*;rushes=(.*)$"
    if digest then return "sha256:" .. digest end
    return v:find "^https?://%S+$" and plain_link(v) or v
  elseif type(v) == "table" then
    local copy = setmetatable({}, getmetatable(v))
    for k, inner in pairs(v) do copy[k] = canonical(inner) end
    return copy
  end
  return math.type(v) == "float" and math.tointeger(v) or v
end

-- Without one of these in the text there is nothing to change: no file, no link, no
-- integer as 1e+15. So it is for most requests, and cheaply seen.
local SIGNS = { '"data:', '"http', "e+" }

--- The request as the journal keeps it: JSON without secrets, files by their hash.
---@param body table  of rushes.provider.Planned
---@return string
function M.request(body)
  local text = json.encode(body)
  for i = 1, #SIGNS do
    if text:find(SIGNS[i], 1, true) then return json.encode(canonical(body)) end
  end
  return text
end

--- The fingerprint of a call.
---@param provider string
---@param endpoint string  followed by " by hand" for a call that a script makes itself
---@param request string   what M.request gave
---@param ordinal integer
---@param redo integer
---@param seed? integer
---@return string  64 hexadecimal digits
function M.of(provider, endpoint, request, ordinal, redo, seed)
  return hash.sha256(provider .. "\n" .. endpoint .. "\n" .. ordinal .. "\n" .. redo
    .. "\n" .. request .. (seed and ("\nseed %d"):format(seed) or ""))
end

--- What moderation judges: prompts, files and model, whatever the seed, length or shape.
---@param spec table  the provider's job, its files loaded
---@return string     64 hexadecimal digits
function M.content(spec)
  local parts = { spec.model, spec.prompt or "" }
  for _, list in ipairs { spec.images or {}, spec.assets or {} } do
    for _, file in ipairs(list) do
      local stored = type(file.image) == "table" and file.image or {}
      parts[#parts + 1] = file.made or stored.hash
        or plain_link(tostring(file.uri or file.image))
    end
  end
  return hash.sha256(table.concat(parts, "\n"))
end

return M
