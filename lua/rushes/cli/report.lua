--- A script's error as a person wants it: the sentence, the source line with a mark
--- under the cause, the way through the person's own code, tasks included.
local config = require "rushes.config"
local log = require "rt.log"
local suggest = require "rt.suggest"
local text = require "rushes.cli.text"

local M = {}

local sources = {} -- chunk name as messages show it -> its text

--- Where the text of a chunk that lies in no file is to be found.
---@param name string  as Lua shows it: "(command line)"
---@param code string
function M.add_source(name, code) sources[name] = code end

-- ---- places ----

--- The file behind a name that Lua may have shortened to "...rest": the script itself
--- or one beside it.
local function full_path(name)
  local rest, script = name:match "^%.%.%.(.*)$", config.options.script
  if not rest or not script then return name end
  if script:sub(-#rest) == rest then return script end
  local dir = script:match "^(.*/)" or ""
  for i = #rest, 1, -1 do
    if dir:sub(-i) == rest:sub(1, i) then return dir .. rest:sub(i + 1) end
  end
  return name
end

local function nth_line(code, n)
  local i = 0
  for line in (code .. "\n"):gmatch "(.-)\r?\n" do
    i = i + 1
    if i == n then return line end
  end
end

local function source_line(name, n)
  if sources[name] then return nth_line(sources[name], n) end
  local file = io.open(name, "rb")
  if not file then return nil end
  local code = file:read "a"
  file:close()
  return code and nth_line(code, n)
end

local internal

--- Is this chunk part of rushes (embedded, or from --lua-path)?
local function is_internal(name)
  if not internal then
    internal = {}
    for _, module in ipairs(require("rt.c.embed").names()) do
      internal[module:gsub("%.", "/") .. ".lua"] = true
    end
  end
  if internal[name] then return true end
  local path = package.devpath -- luacheck: ignore 143
  local dev = path and path:match "^(.-)/%?"
  return dev ~= nil and name:sub(1, #dev + 1) == dev .. "/"
end

-- ---- the traceback ----

---@class rushes.cli.Frame
---@field place string  "file:line"
---@field name string   chunk
---@field line integer
---@field what string   "function 'scene'"

--- The frames of a debug.traceback text that are the person's own.
local function frames(traceback)
  local list = {}
  for row in (traceback or ""):gmatch "[^\n]+" do
    local name, line, what = row:match "^%s+(.-):(%d+): in (.*)$"
    name = name and full_path(name)
    if name and not is_internal(name) then
      what = what:gsub("^function <.*>$", "a function"):gsub("^%a+ '", {
        ["local '"] = "function '", ["upvalue '"] = "function '",
        ["global '"] = "function '", ["field '"] = "function '" })
      list[#list + 1] = { name = name, line = tonumber(line), what = what,
        place = name .. ":" .. line }
    end
  end
  return list
end

-- ---- the mark ----

local function find_word(line, word)
  local from = 1
  while true do
    local a, b = line:find(word, from, true)
    if not a then return nil end
    local before, after = line:sub(a - 1, a - 1), line:sub(b + 1, b + 1)
    if not (word:find "^[%w_]" and (before:find "[%w_]" or after:find "[%w_]")) then
      return a, b
    end
    from = b + 1
  end
end

--- What in the line is to be marked: the thing that the message names.
local function cause_in(line, message)
  for _, quotes in ipairs { "'([^']+)'", '"([^"]+)"' } do
    for word in message:gmatch(quotes) do
      local a, b = find_word(line, word)
      if not a then a, b = find_word(line, word:match "[^/]*$") end
      if a and b >= a then return a, b end
    end
  end
end

local function mark(line, message)
  local a, b = cause_in(line, message)
  local style = "^"
  if not a then
    a, b = line:find "%S.*%S"
    a, b = a or line:find "%S" or 1, b or #line
    style = "~"
  end
  local indent = line:sub(1, a - 1):gsub("[^\t]", " ")
  local before = text.clean(line:sub(1, a - 1))
  if not indent:find "\t" then indent = (" "):rep(text.width(before)) end
  return indent .. style:rep(math.max(1, text.width(text.clean(line:sub(a, b)))))
end

local function show_source(out, paint, name, line, message)
  local code = source_line(name, line)
  if not code or #code > 500 then return end
  local gutter = ("%5d | "):format(line)
  out[#out + 1] = paint("dim", gutter) .. code:gsub("[%c]", function(c)
    return c == "\t" and c or " "
  end)
  out[#out + 1] = paint("dim", (" "):rep(5) .. " | ") .. paint("red", mark(code, message))
end

-- ---- hints ----

local function add_functions(names, t)
  for k, v in pairs(t) do
    if type(k) == "string" and type(v) == "function" then names[#names + 1] = k end
  end
end

--- "attempt to call a nil value (method 'shoott')": the nearest name that there is in
--- the loaded parts of rushes and in Lua's own libraries.
local function hint(message)
  local word = message:match "attempt to call a nil value %(%a+ '([%w_]+)'%)"
  if not word then return "" end
  local names = {}
  for module, value in pairs(package.loaded) do
    if type(value) == "table" and (module:find "^rushes" or _G[module] == value) then
      add_functions(names, value)
    end
  end
  table.sort(names)
  return suggest.hint(word, names)
end

-- ---- the whole ----

local function split(message)
  local name, line, rest = message:match "^([^\n]-):(%d+): (.*)$"
  if name then return full_path(name), tonumber(line), rest end
  return nil, nil, message
end

local function add_way(out, paint, list, e)
  for i, frame in ipairs(list) do
    out[#out + 1] = ("  %s %s %s"):format(i == 1 and "in" or "called from", frame.what,
      paint("dim", "(" .. frame.place .. ")"))
  end
  for i, place in ipairs(e.spawned or {}) do
    local name = place:match "^(.*):%d+$" or place
    if not is_internal(name) then
      out[#out + 1] = ("  in a task started at %s%s"):format(place,
        i > 1 and " (above it)" or "")
    end
  end
end

local ALSO_MAX = 5

local function add_also(out, also)
  for i, other in ipairs(also or {}) do
    if i > ALSO_MAX then
      out[#out + 1] = ("  and %d more"):format(#also - ALSO_MAX)
      return
    end
    out[#out + 1] = "  also: " .. text.clean(log.scrub(tostring(other)))
  end
end

--- The error as lines of text.
---@param e rt.Err
---@param opts {verbose?: boolean, paint?: fun(style: string?, s: string): string}
---@return string[]
function M.lines(e, opts)
  local paint = opts.paint or text.painter(false)
  if e.code == "cancelled" and e.cause then e = e.cause end
  local list = frames(e.traceback)
  local name, line, message = split(log.scrub(tostring(e)))
  if name and is_internal(name) then -- a fault of ours: show where the script was
    message = ("%s:%d: %s (this is a fault in rushes, please report it)"):format(name,
      line, message)
    name = nil
  end
  if not name and list[1] then name, line = list[1].name, list[1].line end
  local place = name and ("%s:%d: "):format(name, line) or ""
  local out = { paint("bold", "rushes: " .. place)
    .. paint("red", (message:gsub("\n$", ""))) .. hint(message) }
  if name then show_source(out, paint, name, line, message) end
  add_way(out, paint, list, e)
  add_also(out, e.also)
  if opts.verbose and e.traceback then out[#out + 1] = e.traceback end
  return out
end

--- Write the error to stderr.
---@param program {verbose?: boolean}
---@param e rt.Err
function M.show(program, e)
  local lines = M.lines(e, { verbose = program.verbose,
    paint = text.painter(text.colour(2)) })
  io.stdout:flush()
  io.stderr:write(table.concat(lines, "\n"), "\n")
end

return M
