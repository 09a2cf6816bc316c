--- Write the LuaLS stubs of the runtime, lua/meta/rt/**, from the comments in lua/rt and
--- src: rushes run tools/meta.lua [DIR]. `make meta` calls it; lua/meta/rushes.lua, what
--- scripts use most, is written by hand.
local fs = require "rt.fs"

local out = arg[1] or "lua/meta"

-- Not for scripts: the start of the host, and parts of other modules.
local INTERNAL = { boot = true, require = true, sched = true, net_body = true,
  sync = true }

local function lines_of(path)
  local list = {}
  local text = assert(fs.read(path)) .. "\n"
  for line in text:gmatch "(.-)\n" do list[#list + 1] = line end
  return list
end

-- ---- Lua ----

--- Every documented thing of a file: {doc = {lines}, line = the line that follows}.
local function documented(path)
  local items, doc = {}, {}
  for i, line in ipairs(lines_of(path)) do
    if line:match "^%-%-%-" then
      doc[#doc + 1] = line
    else
      if line:match "^function " and not line:match "%)" then
        line = line .. " " .. lines_of(path)[i + 1]:match "^%s*(.*)"
      end
      items[#items + 1] = { doc = doc, line = line }
      doc = {}
    end
  end
  return items
end

--- The stub of one item, or nil.
local function stub(item, classes)
  local line, doc = item.line, table.concat(item.doc, "\n")
  local name = line:match "^local (%u%w*) = {" or line:match "^local (%u%w*) = setmeta"
  if name and name ~= "M" then
    if classes[name] then return nil end
    classes[name] = true
    return doc .. ("\nlocal %s = {}"):format(name)
  end
  local owner, rest = line:match "^function (%u%w*)([.:]%a[%w_]*%b())"
  if owner then
    local class = ""
    if owner ~= "M" and not classes[owner] then
      classes[owner] = true
      class = ("---@class rt.%s\nlocal %s = {}\n\n"):format(owner, owner)
    end
    return ("%s%s\nfunction %s%s end"):format(class, doc, owner, rest)
  end
  name = line:match "^(M%.[%a][%w_]*) ="
  if name and not line:match "^M%.%u" then return doc .. "\n" .. name .. " = nil" end
  if doc:find("---@class", 1, true) or doc:find("---@alias", 1, true) then return doc end
end

--- `await = sched.await,` in rt.task: the stub is that of rt.sched.
local function reexported(path, classes, add)
  local from = {}
  for _, item in ipairs(documented "lua/rt/sched.lua") do
    local name = item.line:match "^function M%.([%w_]+)"
    if name then from[name] = item end
    local doc = table.concat(item.doc, "\n")
    if doc:find "@class rt.Task" then add(stub(item, classes)) end
    if doc:find "@class rt.Scope" then
      add(doc .. "\nlocal Scope = {}")
      classes.Scope = true
    end
  end
  for _, line in ipairs(lines_of(path)) do
    local name, source = line:match "^  ([%w_]+) = sched%.([%w_]+),$"
    if name then add(stub(from[source], classes)) end
  end
end

local function write(path, name, parts)
  for i, part in ipairs(parts) do parts[i] = part:gsub("^\n+", "") end
  assert(fs.mkdir(fs.dirname(path)))
  local head = ("---@meta %s\n-- Made by tools/meta.lua: do not edit.\n\n"):format(name)
  assert(fs.write(path, head .. table.concat(parts, "\n\n") .. "\n\nreturn M\n"))
end

local function lua_module(base)
  local path, parts, classes = ("lua/rt/%s.lua"):format(base), {}, {}
  local function add(text) if text then parts[#parts + 1] = text end end
  local items = documented(path)
  parts[1] = table.concat(items[1].doc, "\n"):gsub("%-%-%-", "--") .. "\nlocal M = {}"
  if base == "task" then
    reexported(path, classes, add)
    for _, item in ipairs(documented "lua/rt/sync.lua") do add(stub(item, classes)) end
  end
  for i, item in ipairs(items) do
    if i > 1 then add(stub(item, classes)) end
  end
  write(("%s/rt/%s.lua"):format(out, base), "rt." .. base, parts)
end

-- ---- C ----

local sources = {}
for _, entry in ipairs(assert(fs.list "src")) do
  if entry.name:match "%.c$" then
    sources[entry.name] = assert(fs.read("src/" .. entry.name))
  end
end

--- The comment right above the definition of a C function, as lines.
local function c_doc(fn, file)
  local text = sources[file]
  if not text:find(fn .. "(lua_State *L)\n{", 1, true) then -- of another file, then
    for _, other in pairs(sources) do
      if other:find("\nint " .. fn .. "(lua_State *L)\n{", 1, true) then text = other end
    end
  end
  local at = text:find(fn .. "(lua_State *L)\n{", 1, true)
  local before = at and text:sub(1, at - 1):gsub("[%w_ ]+$", ""):match "^(.-)%s*$"
  if not before or before:sub(-2) ~= "*/" then return nil end
  return (before:match ".*/%*(.*)%*/$":gsub("%s*%[%-[^%]]*%]", "")
    :gsub("\n%s*%*", "\n"):gsub("^%s+", ""):gsub("%s+$", ""))
end

local RESERVED = { ["in"] = "stdin", out = "stdout", ["end"] = "last" }

--- Names for the parameters that a comment like "read(path, max) -> op" shows.
local function c_params(doc, name)
  local list = doc and doc:match("^" .. name .. "%s*(%b())")
  if not list then return doc and doc:find("^" .. name .. "{") and "opts" or "..." end
  local params = {}
  for word in list:sub(2, -2):gsub("[%[%]]", ""):gmatch "[^,]+" do
    local param = word:match "^%s*([%a_][%w_]*)" or word:match "%.%.%." or "n"
    params[#params + 1] = RESERVED[param] or param
  end
  return table.concat(params, ", ")
end

local function registered_as(key, module)
  local opener = module:match "[^.]+$"
  local best, where
  for file, text in pairs(sources) do
    local fn = text:match('{"' .. key .. '",%s*([%w_]+)}')
    local own = text:find("luaopen_rt_" .. opener .. "(", 1, true)
      or file:match("^l" .. opener .. "_") or opener == "core" and file == "coro.c"
    if fn and own then best, where = fn, file end
  end
  return best, where
end

local function c_function(module, key)
  local doc = c_doc(registered_as(key, module))
  local shown = doc and "--- " .. doc:gsub("\n%s*", "\n--- ") .. "\n" or ""
  return ("%sfunction M.%s(%s) end"):format(shown, key, c_params(doc, key))
end

local function c_module(name)
  local keys, parts, module = {}, {}, require(name)
  for key in pairs(module) do keys[#keys + 1] = key end
  table.sort(keys)
  parts[1] = "-- A module of the host in C; scripts should use lua/rt.\nlocal M = {}"
  for _, key in ipairs(keys) do
    parts[#parts + 1] = type(module[key]) == "function" and c_function(name, key)
      or ("M.%s = nil"):format(key)
  end
  write(("%s/%s.lua"):format(out, (name:gsub("%.", "/"))), name, parts)
end
for _, entry in ipairs(assert(fs.list "lua/rt")) do
  local base = entry.name:match "^(.*)%.lua$"
  if base and not INTERNAL[base] then lua_module(base) end
end
for name in sources["linit.c"]:gmatch '"(rt%.c%.[%w_]+)"' do c_module(name) end
