--- The line of those who wait for a slot of one lane. Next is the highest priority, then
--- the shot that was given the fewest slots so far, then who came first. Knows nothing of
--- tasks; adding, taking and leaving cost O(log shots).
local M = {}

---@class rushes.Waiter
---@field shot string
---@field priority number        higher goes first
---@field number? integer        in order of coming
---@field before? rushes.Waiter  neighbours in the queue of the same shot and priority
---@field after? rushes.Waiter

---@class rushes.Line
---@field n integer                  how many wait
---@field given table<string, integer>  slots by shot
---@field private came integer
---@field private queues table<number, table<string, table>>  priority -> shot -> queue
---@field private heap table[]       the queues; keys may be out of date, see `top`
local Line = {}
Line.__index = Line

---@return rushes.Line
function M.new()
  return setmetatable({ n = 0, given = {}, came = 0, queues = {}, heap = {} }, Line)
end

-- ---- a heap of queues, by priority, slots given to the shot, number of the first ----

local function precedes(a, b)
  if a.priority ~= b.priority then return a.priority > b.priority end
  if a.had ~= b.had then return a.had < b.had end
  return a.number < b.number
end

local function rise(heap, i)
  local q = heap[i]
  while i > 1 and precedes(q, heap[i // 2]) do
    heap[i] = heap[i // 2]
    i = i // 2
  end
  heap[i] = q
end

local function sink(heap)
  local i, q, n = 1, heap[1], #heap
  while 2 * i <= n do
    local child = 2 * i
    if child < n and precedes(heap[child + 1], heap[child]) then child = child + 1 end
    if not precedes(heap[child], q) then break end
    heap[i] = heap[child]
    i = child
  end
  heap[i] = q
end

local function drop_first(line)
  local heap = line.heap
  local q, last = heap[1], #heap
  line.queues[q.priority][q.shot] = nil
  heap[1] = heap[last]
  heap[last] = nil
  if last > 1 then sink(heap) end
end

--- The queue whose turn it is. What has happened since a key was taken (slots given, the
--- first one left) only ever moves a queue back, so it is enough to look at the first.
local function top(line)
  local heap = line.heap
  while heap[1] do
    local q = heap[1]
    local had = line.given[q.shot] or 0
    if not q.first then
      drop_first(line)
    elseif q.had == had and q.number == q.first.number then
      return q
    else
      q.had, q.number = had, q.first.number
      sink(heap)
    end
  end
end

local function queue_of(line, waiter)
  local shots = line.queues[waiter.priority]
  if not shots then
    shots = {}
    line.queues[waiter.priority] = shots
  end
  local q = shots[waiter.shot]
  if not q then
    q = { shot = waiter.shot, priority = waiter.priority, number = waiter.number,
      had = line.given[waiter.shot] or 0 }
    shots[waiter.shot] = q
    line.heap[#line.heap + 1] = q
    rise(line.heap, #line.heap)
  end
  return q
end

-- ---- the line ----

--- Stand at the end.
---@param waiter rushes.Waiter
function Line:add(waiter)
  self.came, self.n = self.came + 1, self.n + 1
  waiter.number = self.came
  local q = queue_of(self, waiter)
  local last = q.last
  if last then last.after, waiter.before = waiter, last else q.first = waiter end
  q.last = waiter
end

--- Leave it. The waiter must stand in it.
---@param waiter rushes.Waiter
function Line:remove(waiter)
  local q = self.queues[waiter.priority][waiter.shot]
  local before, after = waiter.before, waiter.after
  if before then before.after = after else q.first = after end
  if after then after.before = before else q.last = before end
  waiter.before, waiter.after = nil, nil
  self.n = self.n - 1
end

--- Whose turn it is; stays in the line.
---@return rushes.Waiter?
function Line:first()
  local q = top(self)
  return q and q.first
end

--- Take out whose turn it is.
---@return rushes.Waiter?
function Line:next()
  local waiter = self:first()
  if waiter then self:remove(waiter) end
  return waiter
end

--- Count a slot for a shot.
---@param shot string
function Line:count(shot) self.given[shot] = (self.given[shot] or 0) + 1 end

--- All who wait, in no order.
---@return rushes.Waiter[]
function Line:all()
  local list = {}
  for _, q in ipairs(self.heap) do
    local waiter = q.first
    while waiter do
      list[#list + 1] = waiter
      waiter = waiter.after
    end
  end
  return list
end

return M
