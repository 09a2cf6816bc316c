--- What the end-to-end tests share: the binary, folders of their own, a terminal.
local fs = require "rt.fs"
local lu = require "luaunit"
local proc = require "rt.proc"
local text = require "rushes.cli.text"

local M = {}

M.RUSHES = assert(os.getenv "RUSHES", "run me through tests/all.sh")

--- Where the scripts of these tests lie.
M.SCRIPTS = assert(os.getenv "PWD") .. "/tests/e2e/scripts"

--- Run rushes and collect what it says. `opts` as for proc.run, with the arguments.
---@async
---@param opts table
---@return rt.proc.Result
function M.rushes(opts)
  table.insert(opts, 1, M.RUSHES)
  return assert(proc.run(opts))
end

--- Call `fn(dir)` with a folder that goes away afterwards.
---@async
---@param fn async fun(dir: string)
function M.in_folder(fn)
  local dir = assert(fs.tempdir())
  local ok, e = pcall(fn, dir)
  fs.remove(dir, { recursive = true })
  if not ok then error(e, 0) end
end

--- Write `source` as a script, run it with the arguments.
---@async
---@param source string
---@param opts? table  flags and arguments, and options of proc.run
---@return rt.proc.Result
function M.run_source(source, opts)
  opts = opts or {}
  local result
  M.in_folder(function(dir)
    assert(fs.write(dir .. "/script.lua", source))
    table.insert(opts, 1, "run")
    table.insert(opts, 2, "script.lua")
    opts.cwd = opts.cwd or dir
    result = M.rushes(opts)
  end)
  return result
end

---@param result rt.proc.Result
---@param code integer
function M.assert_code(result, code)
  lu.assertEquals(result.code, code, result.stderr .. "\n" .. (result.stdout or ""))
end

-- ---- a disk ----

--- A command in front that puts a file system of its own on the folder `night`, for as
--- long as the command runs. Skips the test where that is not permitted.
---@param options string  of mount: "size=4m", "ro"
---@return string[]
function M.own_disk(options)
  local mount = "mount -t tmpfs -o %s tmpfs night && exec \"$@\""
  local words = { "unshare", "-m", "sh", "-c", mount:format(options), "sh" }
  if proc.run { "id", "-u" }.stdout ~= "0\n" then table.insert(words, 2, "-r") end
  local found
  M.in_folder(function(dir)
    assert(fs.mkdir(dir .. "/night"))
    local probe = { cwd = dir, table.unpack(words) }
    probe[#probe + 1] = "true"
    local r = proc.run(probe)
    found = r and r.code == 0
  end)
  if not found then lu.skip "a tmpfs may not be mounted here" end
  return words
end

-- ---- a terminal ----

local Screen = {}
Screen.__index = Screen

local function row(screen, n)
  while #screen.rows < n do screen.rows[#screen.rows + 1] = {} end
  return screen.rows[n]
end

local function erase_from(cells, column)
  for i = #cells, column, -1 do cells[i] = nil end
end

local function control(screen, args, final)
  local n = tonumber(args:match "^%d+") or 1
  if final == "A" then
    screen.y = math.max(screen.top, screen.y - n)
  elseif final == "K" then
    erase_from(row(screen, screen.y), screen.x)
  elseif final == "J" then
    erase_from(row(screen, screen.y), screen.x)
    for y = #screen.rows, screen.y + 1, -1 do screen.rows[y] = nil end
  elseif final ~= "m" and final ~= "h" and final ~= "l" then
    error(("the terminal of the tests does not know CSI %s%s"):format(args, final))
  end
end

local function line_feed(screen)
  screen.y = screen.y + 1
  row(screen, screen.y)
  screen.top = math.max(screen.top, #screen.rows - screen.height + 1)
end

local function put(screen, c)
  local width = text.width(c)
  if screen.x + width - 1 > screen.width then
    screen.x = 1
    line_feed(screen)
  end
  local cells = row(screen, screen.y)
  for i = #cells + 1, screen.x - 1 do cells[i] = " " end
  cells[screen.x] = c
  if width == 2 then cells[screen.x + 1] = "" end
  screen.x = screen.x + width
end

--- What a terminal shows after `bytes`, scrolled-off lines included.
---@param bytes string
---@param width integer
---@param height integer
---@return string[] lines
function M.screen(bytes, width, height)
  local s = setmetatable({ rows = { {} }, x = 1, y = 1, top = 1, width = width,
    height = height }, Screen)
  local at = 1
  while at <= #bytes do
    local args, final, after = bytes:match("^\27%[%??([%d;]*)(%a)()", at)
    if args then
      control(s, args, final)
    else
      local c = bytes:match("^[%z\1-\127\194-\244][\128-\191]*", at)
      after = at + #c
      if c == "\n" then
        line_feed(s)
      elseif c == "\r" then
        s.x = 1
      elseif c == "\t" then
        repeat put(s, " ") until s.x % 8 == 1
      else
        put(s, c)
      end
    end
    at = after
  end
  local lines = {}
  for y, cells in ipairs(s.rows) do
    lines[y] = (table.concat(cells):gsub(" +$", ""))
  end
  return lines
end

local function quote(s) return "'" .. tostring(s):gsub("'", "'\\''") .. "'" end

--- Run rushes on a terminal of its own, with util-linux's `script`.
---@async
---@param opts table  arguments; columns, rows, env, cwd
---@return rt.proc.Result  `stdout` holds what the terminal got
---@return string[] lines  what it shows in the end
function M.on_terminal(opts)
  local columns, rows = opts.columns or 80, opts.rows or 24
  local words = { quote(M.RUSHES) }
  for i, arg in ipairs(opts) do words[i + 1] = quote(arg) end
  local command = ("stty cols %d rows %d; exec %s"):format(columns, rows,
    table.concat(words, " "))
  local env = { TERM = "xterm", LANG = "C.UTF-8" }
  for k, v in pairs(opts.env or {}) do env[k] = v end
  local result = assert(proc.run { "script", "-qefc", command, "/dev/null", env = env,
    cwd = opts.cwd })
  return result, M.screen(result.stdout, columns, rows)
end

return M
