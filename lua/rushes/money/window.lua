--- How many generations were accepted in the last 24 hours, by the wall clock. A clock
--- that is set back must not keep an acceptance in the window for longer than a day, nor
--- lose one: a time that lies ahead of now is taken to be now.
local M = {}

M.SPAN = 86400 -- seconds

---@class rushes.Window
---@field private times number[]  seconds since 1970, ascending, from `from` to `to`
---@field private from integer
---@field private to integer
local Window = {}
Window.__index = Window

---@return rushes.Window
function M.new() return setmetatable({ times = {}, from = 1, to = 0 }, Window) end

--- Bring those ahead of now back to it, and forget those of more than a day ago.
local function refresh(window, now)
  local times, i = window.times, window.to
  while i >= window.from and times[i] > now do
    times[i] = now
    i = i - 1
  end
  while window.from <= window.to and times[window.from] <= now - M.SPAN do
    times[window.from] = nil
    window.from = window.from + 1
  end
end

--- One was accepted now.
---@param now number
function Window:add(now)
  local last = self.times[self.to]
  if last and last > now then refresh(self, now) end
  self.to = self.to + 1
  self.times[self.to] = now
end

--- Add earlier ones, in any order.
---@param times number[]
---@param now number
---@return integer n  how many of them are within the window
function Window:seed(times, now)
  local before = self:count(now)
  local all = table.move(self.times, self.from, self.to, 1, {})
  for _, t in ipairs(times) do all[#all + 1] = math.min(t, now) end
  table.sort(all)
  self.times, self.from, self.to = all, 1, #all
  return self:count(now) - before
end

---@param now number
---@return integer
function Window:count(now)
  refresh(self, now)
  return self.to - self.from + 1
end

--- When the oldest one falls out; nil when there is none.
---@return number?
function Window:falls()
  local oldest = self.times[self.from]
  return oldest and oldest + M.SPAN
end

return M
