--- A mark of a policy, by which an edited one is told from the one that has decided: of
--- its text, without comments, and of the values and functions that it has captured. What
--- it reads elsewhere (a file, a module of its own) is not in it.
local hash = require "rt.hash"
local sorted = require("rushes").sorted

local M = {}

local MOST = 500 -- values that are looked at

local marks = setmetatable({}, { __mode = "k" }) -- function -> its mark
local files = {} -- path -> its lines; false: no file

local function lines_of(path)
  if files[path] ~= nil then return files[path] end
  local file, lines = io.open(path, "rb"), nil
  if file then
    lines = {}
    for line in file:lines() do lines[#lines + 1] = line end
    file:close()
  end
  files[path] = lines or false
  return files[path]
end

--- The lines in which a function stands. Of one that is in no file only where it is from.
local function text_of(info)
  local path = info.source:match "^@(.*)"
  local lines = path and lines_of(path)
  if not lines then return info.source end
  local parts = {}
  for n = info.linedefined, info.lastlinedefined do
    local line = (lines[n] or ""):match "^%s*(.-)%s*$"
    if line ~= "" and not line:find "^%-%-" then parts[#parts + 1] = line end
  end
  return table.concat(parts, "\n")
end

local OWN = "rushes/studio/policy%.lua$" -- ready-made policies are what they were given

local visit

local function visit_function(walk, fn)
  local info = debug.getinfo(fn, "S")
  local own = info.source:find(OWN)
  walk:add(own and "policy" or text_of(info))
  -- what else rushes is made of may change with it, and while it runs
  if not own and info.source:find "^@r[tu][s/]" and not lines_of(info.source:sub(2)) then
    return
  end
  local i = 1
  while true do
    local name, value = debug.getupvalue(fn, i)
    if not name then return end
    if name ~= "_ENV" then
      walk:add(name)
      visit(walk, value)
    end
    i = i + 1
  end
end

--- Shows, shots and modules of rushes change while a script runs: they are not the
--- policy's own values.
local function visit_table(walk, t)
  if getmetatable(t) or walk.modules[t] then return walk:add "object" end
  for k, v in sorted(t) do
    if type(k) == "string" or type(k) == "number" then
      walk:add(tostring(k))
      visit(walk, v)
    end
  end
end

local VISIT = { ["function"] = visit_function, table = visit_table }

local PLAIN = { ["nil"] = true, boolean = true, number = true, string = true }

function visit(walk, value)
  local kind = type(value)
  walk.n = walk.n + 1
  walk:add(PLAIN[kind] and kind .. " " .. tostring(value) or kind)
  if not VISIT[kind] or walk.seen[value] or walk.n > MOST then return end
  walk.seen[value] = true
  VISIT[kind](walk, value)
end

local Walk = {}
Walk.__index = Walk

function Walk:add(s) self.parts[#self.parts + 1] = s end

local function modules_of_rushes()
  local set = {}
  for name, module in pairs(package.loaded) do
    if name:find "^rushes" or name:find "^rt%." then set[module] = true end
  end
  return set
end

--- The mark, as the policy was when it was first seen in this run.
---@param policy function
---@return string  16 hexadecimal digits
function M.of(policy)
  local mark = marks[policy]
  if not mark then
    local walk = setmetatable({ parts = {}, seen = {}, n = 0,
      modules = modules_of_rushes() }, Walk)
    visit(walk, policy)
    mark = hash.sha256(table.concat(walk.parts, "\0")):sub(1, 16)
    marks[policy] = mark
  end
  return mark
end

return M
