--- What scripts require. Parts are loaded at first use, so an empty script starts fast.
local suggest = require "rt.suggest"

local M = {}

local function lazily(module, field)
  return function()
    local value = require(module)
    return field and value[field] or value
  end
end

local parts = {
  show = lazily("rushes.studio.show", "new"),
  template = lazily("rushes.studio.template", "new"),
  policy = lazily "rushes.studio.policy",
  budget = lazily("rushes.money.budget", "run"),
  provider = lazily("rushes.take.provider", "open"),
  fs = lazily "rt.fs",
  proc = lazily "rt.proc",
  log = lazily "rt.log",
  json = lazily "rt.json",
  task = lazily "rt.task",
  sleep = lazily("rt.task", "sleep"),
}

--- Run functions at once and wait for all of them; results in the same order. A failure
--- (raised, or returned as nil, err) does not stop the others, because what they follow
--- is paid for: the first is raised when all have ended, the rest are in its `also`.
---@async
---@param fns (async fun(): any)[]
---@return any[]
function M.all(fns)
  local task = require "rt.task"
  local results, first = { n = #fns }, nil
  task.scope(function(s)
    for i, fn in ipairs(fns) do
      s:spawn(function()
        local e
        results[i], e = task.try(fn)
        if results[i] ~= nil or e == nil then return end
        if first then
          first.also = first.also or {}
          table.insert(first.also, e)
        end
        first = first or e
      end)
    end
  end)
  if first then error(first, 0) end
  return results
end

--- `pairs` in the order of the keys, so that every run asks for the same things.
---@param t table
---@return fun(): any, any
function M.sorted(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
      return a < b
    end
    return tostring(a) < tostring(b)
  end)
  local i = 0
  return function()
    i = i + 1
    if keys[i] ~= nil then return keys[i], t[keys[i]] end
  end
end

return setmetatable(M, {
  __index = function(_, name)
    local part = parts[name]
    if not part then
      local names = suggest.keys(parts)
      names[#names + 1], names[#names + 2] = "all", "sorted"
      error(("rushes has no %q%s"):format(tostring(name), suggest.hint(name, names)), 2)
    end
    local value = part()
    rawset(M, name, value)
    return value
  end,
})
