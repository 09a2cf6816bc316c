--- Prints what the catalogue says of requests as JSON, for drift.mjs. Uses nothing but
--- the catalogue's file, so that a plain lua5.4 can run it: dump.lua CATALOGUE.lua
local data = dofile((arg and arg[1]) or (...))

local function quote(s)
  local function escape(c) return ("\\u%04x"):format(c:byte()) end
  return '"' .. s:gsub('[%c"\\]', escape) .. '"'
end

local function encode(v)
  if type(v) == "string" then return quote(v) end
  if type(v) ~= "table" then return tostring(v) end
  local out = {}
  if #v > 0 then
    for i, item in ipairs(v) do out[i] = encode(item) end
    return "[" .. table.concat(out, ",") .. "]"
  end
  for key, item in pairs(v) do
    out[#out + 1] = quote(tostring(key)) .. ":" .. encode(item)
  end
  table.sort(out)
  return "{" .. table.concat(out, ",") .. "}"
end

local endpoints = {}
for name, group in pairs(data.endpoints) do
  endpoints[name] = {}
  for model, entry in pairs(group.models) do endpoints[name][model] = entry.fields end
end

print(encode { as_of = data.as_of, endpoints = endpoints, retired = data.retired,
  left_out = data.left_out, partly_left_out = data.partly_left_out,
  endpoints_left_out = data.endpoints_left_out })
