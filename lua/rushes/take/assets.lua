--- The pictures and clips that a request carries: found, registered, made into URIs.
local err = require "rt.err"
local fs = require "rt.fs"
local refs = require "rt.refs"

local M = {}

local registry

--- The registry of this run.
---@return table
function M.registry()
  registry = registry or refs.open()
  return registry
end

--- The folder of the script, from where its modules are looked for as well.
local function script_dir()
  return package.scriptpath and package.scriptpath:match "^(.*/)%?"
end

--- A path as a script wrote it: beside the script, else in the current folder.
--- Waits.
---@async
---@param path string
---@return string? path
---@return rt.Err?
function M.find(path)
  local dir = script_dir()
  if path:sub(1, 1) == "/" or not dir then return path end
  local beside = fs.join(dir, path)
  if fs.exists(beside) then return beside end
  if fs.exists(path) then return path end
  return nil, err.new("not_found", ("there is no picture or clip %q, neither beside the"
    .. " script (%s) nor in the current folder"):format(path, beside))
end

--- The stored image of exactly this file, wherever others of its name lie: one that an
--- earlier stage has made.
---@async
---@param path string
---@param kind? string
---@return table? image
---@return rt.Err?
function M.made(path, kind)
  local ref, e = M.registry():register { kind = kind or "asset", name = path,
    image = path }
  if not ref then return nil, e end
  return ref.images[1]
end

--- The stored image behind what a script gave: a path, an https URL or a reference.
---@async
---@param given string|table
---@param kind? string
---@return table? image  {path | url, hash, type, width, height, bytes}
---@return rt.Err?
function M.image(given, kind)
  if type(given) == "table" then
    if given.images then return given.images[1] end
    return given
  end
  if given:find "^https://" or given:find "^runway://" then return { url = given } end
  local path, e = M.find(given)
  if not path then return nil, e end
  return M.made(path, kind)
end

local function each(spec, fn)
  local n = 0
  for _, list in ipairs { spec.images or {}, spec.assets or {} } do
    for _, asset in ipairs(list) do
      n = n + 1
      if asset.image then
        local ok, e = fn(asset, n)
        if not ok then return nil, e end
      end
    end
  end
  return true
end

--- Find, read and register every file of a provider's job, so that it can be checked and
--- priced. Sends nothing. Waits (hashing).
---@async
---@param spec table
---@return true?
---@return rt.Err?
function M.load(spec)
  return each(spec, function(asset)
    local image, e = M.image(asset.image, asset.kind)
    asset.image = image
    return image, e
  end)
end

--- Give every loaded file of a provider's job its address, which may be another one than
--- an hour ago. Waits (uploads).
---@async
---@param account rushes.Account
---@param spec table
---@return table<string, table>? files  placeholder -> {path, type}, for net.body
---@return rt.Err?
function M.fill(account, spec)
  local files = {}
  local ok, e = each(spec, function(asset, n)
    if asset.image.url then
      asset.uri = asset.image.url
      return true
    end
    local uri, file = account:asset(M.registry(), asset.image, n)
    if not uri then return nil, file end
    asset.uri = uri
    if file then files[file.placeholder] = { path = file.path, type = file.type } end
    return true
  end)
  if not ok then return nil, e end
  return files
end

return M
