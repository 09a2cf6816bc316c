--- Who runs a show now, found out without touching its lock: a command that looks must
--- not get in the way of a run that begins.
local fs = require "rt.fs"
local json = require "rt.json"
local sys = require "rt.c.sys"

local M = {}

---@class rushes.Holder  what the lock file says
---@field pid? integer
---@field host? string
---@field since? number   seconds since 1970
---@field script? string

--- The path of a folder's lock.
---@param folder string
---@return string
function M.path(folder) return fs.join(folder, "journal.lock") end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local content = file:read "a"
  file:close()
  return content
end

--- Does the kernel know a lock on the file? nil: it does not say.
local function is_locked(path)
  local locks, stat = read "/proc/locks", fs.stat(path)
  if not locks or not stat then return nil end
  for inode in locks:gmatch "%x+:%x+:(%d+)" do
    if tonumber(inode) == stat.id then return true end
  end
  return false
end

--- Waits (looks at the file).
---@async
---@param folder string
---@return rushes.Holder?  nil: nobody
function M.of(folder)
  local path = M.path(folder)
  local said = read(path)
  if not said or said == "" then return nil end -- whoever lets go empties it
  local holder = json.decode(said)
  holder = type(holder) == "table" and holder or {}
  local _, host = sys.process()
  if holder.host and holder.host ~= host then return holder end -- only that host knows
  if is_locked(path) == false then return nil end
  return holder
end

return M
