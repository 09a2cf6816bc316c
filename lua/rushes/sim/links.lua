--- Addresses of outputs: signed, good for a day and a half of simulated time, new with
--- each answer. A task's files are found through it as long as the task exists.
local hash = require "rt.hash"

local M = {}

local LIFE = 36 * 3600 -- seconds; the API says 24 to 48 hours

---@class rushes.sim.Links
---@field private clock rushes.sim.Clock
---@field private secret string
---@field private made integer  addresses so far: each is a new one
---@field private find fun(id: string): rushes.sim.Task?
local Links = {}
Links.__index = Links

---@param clock rushes.sim.Clock
---@param secret string
---@param find fun(id: string): rushes.sim.Task?
---@return rushes.sim.Links
function M.new(clock, secret, find)
  return setmetatable({ clock = clock, secret = secret, find = find, made = 0 },
    Links)
end

local function signature(self, id, n, expires, serial)
  local text = ("%s %s %d %d %d"):format(self.secret, id, n, expires, serial)
  return assert(hash.sha256(text)):sub(1, 32)
end

--- The address of a task's n-th file.
---@param base string  our own address
---@param id string
---@param n integer
---@param path string
---@param expired? boolean  hand out one that is no longer good
---@return string
function Links:make(base, id, n, path, expired)
  local expires = math.floor(self.clock:now()) + (expired and -1 or LIFE)
  self.made = self.made + 1
  return ("%s/_out/%s/%d.%s?_jwt=%x.%x.%s"):format(base, id, n, path:match "%w+$",
    expires, self.made, signature(self, id, n, expires, self.made))
end

--- The file behind an address.
---@param path string   such as /_out/<id>/1.mp4
---@param token? string
---@return string? file
---@return "unknown"|"expired"|"forged"|nil why
---@return rushes.sim.Task?
function Links:open(path, token)
  local id, n = path:match "^/_out/([%x-]+)/(%d+)%.%w+$"
  local task = id and self.find(id)
  n = math.tointeger(tonumber(n))
  local file = task and task.files and task.files[n]
  if not file then return nil, "unknown" end
  local expires, serial, sign = (token or ""):match "^(%x+)%.(%x+)%.(%x+)$"
  expires, serial = tonumber(expires or "", 16), tonumber(serial or "", 16)
  if not expires or signature(self, id, n, expires, serial) ~= sign then
    return nil, "forged"
  end
  if expires < self.clock:now() then return nil, "expired" end
  return file, nil, task
end

return M
