--- Where a clip lands although something lies there already: what a killed run has left,
--- or what somebody has put in its place.
local fs = require "rt.fs"
local hash = require "rt.hash"
local log = require "rt.log"
local stop = require "rushes.stop"

local M = {}

--- A file that is not the one that landed is kept beside it, under another name.
local function set_aside(path)
  local n = 1
  while fs.exists(("%s.changed-%d"):format(path, n)) do n = n + 1 end
  local aside = ("%s.changed-%d"):format(path, n)
  local ok, e = fs.rename(path, aside)
  if not ok then return nil, e end
  log.warn("%s is not the file that landed there; it is kept as %s", path, aside)
  return true
end

-- What keeps this clip from being saved keeps the next one, too.
local OF_THE_FOLDER = { no_space = true, denied = true, io = true }

--- A clip could not be saved: if it is the folder's fault, buy nothing more that could
--- not be saved either.
---@param folder string
---@param e rt.Err
function M.failed(folder, e)
  if not OF_THE_FOLDER[e.code] or stop.requested() then return end
  stop.request "a folder that takes no more clips"
  log.error("a clip could not be saved in %s: %s. Nothing more is submitted; what is paid"
    .. " for is known, and the next run downloads it", folder, e.message)
end

--- Download an output to `path`. What lies there is compared with it and kept if it is
--- another file; if it is the same, a run was killed before it could note the landing.
--- At each moment one of the two is at `path` or beside it.
---@async
---@param account rushes.Account
---@param output table
---@param path string
---@param opts? table  as for rt.net's `download`
---@return table? file
---@return rt.Err?
function M.download(account, output, path, opts)
  if not fs.exists(path) then return account:download(output, path, opts) end
  local fresh = path .. ".again"
  local file, e = account:download(output, fresh, opts)
  if not file then return nil, e end
  local ok = true
  if hash.sha256_file(path) ~= file.sha256 then ok, e = set_aside(path) end
  if ok then ok, e = fs.rename(fresh, path) end
  if not ok then return nil, e end
  file.path = path
  return file
end

return M
