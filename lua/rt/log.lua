--- Lines for the person at the terminal, on stderr. Whoever draws there (the live view)
--- puts its own sink in place, so that lines and drawing do not tear each other.
--- Queries of URLs are cut out of every line: a signed one is a key.
local M = {}

local LEVELS = { debug = 1, info = 2, warn = 3, error = 4 }
local PREFIX = { debug = "debug: ", info = "", warn = "warning: ", error = "error: " }
local COLOR = { debug = "\27[2m", warn = "\27[33m", error = "\27[31m" }

local threshold = LEVELS[os.getenv "RUSHES_LOG" or ""] or LEVELS.info

local coloured -- is stderr a terminal that wants colour; asked at the first line

local function wants_colour()
  if coloured == nil then
    local no = (os.getenv "NO_COLOR" or "") ~= "" or os.getenv "TERM" == "dumb"
    coloured = not no and require "rt.c.sys".isatty(2)
  end
  return coloured
end

local function to_stderr(line, level)
  local color = COLOR[level]
  if color and wants_colour() then
    line = line:gsub("^%l+:", color .. "%0\27[0m")
  end
  io.stderr:write(line, "\n")
end

local sink = to_stderr

--- Send lines elsewhere; nil: to stderr again.
---@param fn? fun(line: string, level: string)  a line without its newline; must not wait
---@return fun(line: string, level: string) before
function M.set_sink(fn)
  local before = sink
  sink = fn or to_stderr
  return before
end

--- Leave out what is below this level: "debug", "info" (the default, or what the
--- variable RUSHES_LOG says), "warn", "error".
---@param level string
function M.set_level(level)
  if not LEVELS[level] then
    error(("there is no log level %q; use debug, info, warn or error"):format(level), 2)
  end
  threshold = LEVELS[level]
end

--- A text with the queries and passwords of its URLs replaced by "…".
---@param text string
---@return string
function M.scrub(text)
  return (text:gsub("(%a[%w+.-]*://[^%s\"'<>]*)", function(url)
    return (url:gsub("%?.*", "?…"):gsub("://[^/@]*@", "://…@"))
  end))
end

local function message(fmt, ...)
  if select("#", ...) == 0 then return tostring(fmt) end
  local ok, text = pcall(string.format, fmt, ...)
  if not ok then error(text, 3) end
  return text
end

local function logger(level)
  local number, prefix = LEVELS[level], PREFIX[level]
  return function(fmt, ...)
    if number < threshold then return end
    sink(prefix .. M.scrub(message(fmt, ...)), level)
  end
end

---@type fun(fmt: any, ...: any)  as string.format, or one value of any kind
M.debug = logger "debug"
---@type fun(fmt: any, ...: any)
M.info = logger "info"
---@type fun(fmt: any, ...: any)
M.warn = logger "warn"
---@type fun(fmt: any, ...: any)
M.error = logger "error"

return M
