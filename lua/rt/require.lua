--- A `require` that is plain Lua, so that a module may wait at its top level.
--- Order: loaded, C modules, --lua-path folders (package.devpath), embedded files,
--- the script's folder (package.scriptpath, strict globals), LUA_PATH, LUA_CPATH.
local embed = ...

local loaded, preload = package.loaded, package.preload
local cpath_searcher = package.searchers[3]
local loading = {} -- name -> {task, waiters} while its chunk runs

local function current_task()
  local task = loaded["rt.task"]
  return task and task.current(), task
end

--- Would `me` wait for itself if it waited for `task`? That one may wait, through other
--- loads, for one that `me` is doing, or own a scope that cannot end before `me` does.
local function waits_for(task, me)
  local scope = me.scope
  while scope do
    if scope.owner == task then return true end
    scope = scope.parent
  end
  while task do
    if task == me then return true end
    local entry = task.requiring and loading[task.requiring]
    task = entry and entry.task
  end
  return false
end

local function wait_for(name, entry)
  local me, task = current_task()
  if not me or entry.task == nil or waits_for(entry.task, me) then
    error(("module '%s' requires itself, directly or through another"):format(name), 3)
  end
  me.requiring = name
  entry.waiters = entry.waiters or {}
  local ok, e = pcall(task.wait_on, entry.waiters)
  me.requiring = nil
  if not ok then error(e, 0) end
end

local function from_path(name, path, env)
  local file = package.searchpath(name, path)
  if not file then return nil end
  local chunk, why = loadfile(file, "bt", env)
  if not chunk then error(why, 0) end
  return chunk, file
end

local function find(name)
  if preload[name] then return preload[name], ":preload:" end
  local chunk, where = from_path(name, package.devpath or "", _G)
  if chunk then return chunk, where end
  chunk = embed.load(name)
  if chunk then return chunk, ":embedded:" end
  if package.scriptpath then
    chunk, where = from_path(name, package.scriptpath, loaded["rt.strict"].env())
    if chunk then return chunk, where end
  end
  chunk, where = from_path(name, package.path, _G)
  if chunk then return chunk, where end
  chunk, where = cpath_searcher(name)
  if type(chunk) == "function" then return chunk, where end
  error(("module '%s' not found: not in rushes, nor in %s nor %s"):format(
    name, package.path:gsub(";", ", "), package.cpath:gsub(";", ", ")), 3)
end

local function finish(name, entry, ok, value)
  loading[name] = nil
  if ok then
    if value ~= nil then
      loaded[name] = value
    elseif loaded[name] == nil then
      loaded[name] = true
    end
  end
  if entry.waiters then loaded["rt.task"].wake_all(entry.waiters) end
  if not ok then error(value, 0) end
  return loaded[name]
end

local function keep(e) return e end

local function require(name)
  if type(name) ~= "string" then
    error(("require wants a module's name, not a %s"):format(type(name)), 2)
  end
  local value = loaded[name]
  if value ~= nil then return value end
  local entry = loading[name]
  if entry then
    wait_for(name, entry)
    return require(name)
  end
  local chunk, where = find(name)
  entry = { task = current_task() }
  loading[name] = entry
  local sched = entry.task and loaded["rt.sched"]
  return finish(name, entry, xpcall(chunk, sched and sched.traced or keep, name, where))
end

return require
