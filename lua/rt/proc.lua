--- Child processes. A child belongs to the scope that spawned it, as a task does: the
--- scope ends when the child has ended, and a scope that is cancelled ends its children,
--- with SIGTERM and three seconds later with SIGKILL. A child is also killed when this
--- program dies; what the child itself has started is then not.
---
--- Variables of the environment that look like secrets are not passed on.
local c = require "rt.c.proc"
local err = require "rt.err"
local task = require "rt.task"

local await = task.await

local M = {}

-- ---- the environment ----

local SECRET = { "SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL",
  "API_?KEY", "ACCESS_?KEY", "PRIVATE_?KEY", "_KEY$", "_AUTH$", "_PAT$" }

local hidden = {} -- names that the program itself knows to hold secrets

--- Never pass this variable on to a child, whatever its name looks like.
---@param name string
function M.hide_env(name) hidden[name] = true end

local function is_secret(name)
  if hidden[name] then return true end
  local upper = name:upper()
  for _, pattern in ipairs(SECRET) do
    if upper:find(pattern) then return true end
  end
  return false
end

--- Ours without the secrets, with the changes of the caller, as "NAME=value".
local function environment(changes)
  local list = {}
  for _, pair in ipairs(c.environ()) do
    local name = pair:match "^[^=]*"
    if changes[name] == nil and not is_secret(name) then list[#list + 1] = pair end
  end
  for name, value in pairs(changes) do
    if value ~= false then list[#list + 1] = name .. "=" .. tostring(value) end
  end
  return list
end

-- ---- arguments ----

---@class rt.proc.Opts
---@field [integer] string|number  the program and its arguments; no shell is involved
---@field cwd? string              the folder it runs in
---@field env? table<string, string|number|false>  variables to set; false removes one

---@class rt.proc.SpawnOpts: rt.proc.Opts
---@field stdin? boolean           true: `write` feeds it; otherwise it reads nothing
---@field stdout? "pipe"|"null"|"inherit"   default "pipe", for `read` and `lines`
---@field stderr? "pipe"|"null"|"inherit"   default "pipe": the end of it is kept

---@class rt.proc.RunOpts: rt.proc.Opts
---@field stdin? string            what it reads
---@field max_output? integer      bytes of stdout, and of stderr, default 16 MiB

---@class rt.proc.Result
---@field code integer     0..255; 128 + number if a signal ended it
---@field signal? string   that signal's name
---@field stdout? string   of `run` only
---@field stderr string    its end, if it was long

local COMMON = { cwd = "string", env = "table" }
local SPAWN = { stdin = "boolean", stdout = "string", stderr = "string" }
local RUN = { stdin = "string", max_output = "number" }

local function arguments(opts, more)
  if type(opts) ~= "table" then
    error(("a program and its arguments are needed, not a %s"):format(type(opts)), 3)
  end
  local argv = {}
  for i, v in ipairs(opts) do
    if type(v) ~= "string" and type(v) ~= "number" then
      error(("argument %d of the program is a %s, not a string"):format(i, type(v)), 3)
    end
    argv[i] = tostring(v)
  end
  if not argv[1] then error("no program is named: the first of the list must be", 3) end
  for k, v in pairs(opts) do
    local wanted = COMMON[k] or more[k]
    if type(k) == "number" and argv[k] then
      wanted = type(v)
    elseif type(k) == "number" then
      error(("argument %s of the program is missing (nil)"):format(#argv + 1), 3)
    elseif not wanted then
      error(("there is no option \"%s\" here"):format(tostring(k)), 3)
    end
    if type(v) ~= wanted then
      error(("%s must be a %s, not a %s"):format(k, wanted, type(v)), 3)
    end
  end
  return argv
end

-- ---- a child ----

local STDERR_KEPT = 64 * 1024      -- bytes
local MAX_OUTPUT = 16 * 1024 * 1024 -- bytes
local MAX_LINE = 1024 * 1024       -- bytes

---@class rt.proc.Child
---@field pid integer
---@field private child userdata
---@field private program string
---@field private result? rt.proc.Result
---@field private waiting rt.Task[]
---@field private buffered string    read for `lines`, not yet handed out
local Child = {}
Child.__index = Child
Child.__name = "rt.proc.Child"

--- Read to the end; keep the last `max` bytes, or call `full` when there are more.
local function drain(child, pipe, max, full)
  local parts, size, first, last = {}, 0, 1, 0
  while true do
    local piece, e = await(c.read(child, pipe))
    if not piece then return table.concat(parts, "", first, last):sub(-max), e end
    last, size = last + 1, size + #piece
    parts[last] = piece
    if size > max and full then
      full()
      full = nil
    end
    while size - #parts[first] >= max do
      size = size - #parts[first]
      parts[first], first = nil, first + 1
    end
  end
end

--- The task that owns the child. However it is cancelled, it ends with the child.
local function own(p, exit, max_stderr)
  local code, signal
  local stderr = ""
  local ok, e = pcall(task.scope, function(s)
    if max_stderr then
      s:spawn(function() stderr = drain(p.child, 2, max_stderr) end)
    end
    code, signal = await(exit)
  end)
  if not code then code, signal = task.shield(60, await, exit) end
  p.result = { code = code, signal = signal, stderr = stderr }
  task.wake_all(p.waiting)
  if not ok then error(e, 0) end
end

local function start(argv, opts, stdin, max_stderr)
  local stderr = opts.stderr or "pipe"
  local child, e = c.spawn(argv, environment(opts.env or {}), opts.cwd, stdin,
    opts.stdout or "pipe", stderr)
  if not child then return nil, e end
  local p = setmetatable({ child = child, pid = c.pid(child), program = argv[1],
    stdout = opts.stdout or "pipe", stdin = stdin, waiting = {}, buffered = "" }, Child)
  local exit = c.exit(child)
  task.current().scope:spawn(own, p, exit, stderr == "pipe" and max_stderr or nil)
  return p
end

--- Start a program. It belongs to the scope of the caller.
---@async
---@param opts rt.proc.SpawnOpts
---@return rt.proc.Child?
---@return rt.Err? err  not_found: the program is not installed
function M.spawn(opts)
  local argv = arguments(opts, SPAWN)
  if not task.current() then error("a program is started by a task", 2) end
  return start(argv, opts, opts.stdin and "pipe" or "null", STDERR_KEPT)
end

local function need_stdout(p)
  if p.stdout ~= "pipe" then error("the output of this program is not piped to us", 3) end
end

local function read(p)
  if p.buffered ~= "" then
    local piece = p.buffered
    p.buffered = ""
    return piece
  end
  return await(c.read(p.child, 1))
end

--- The next piece of its standard output, as it comes; nil at the end.
---@async
---@return string?
---@return rt.Err? err
function Child:read()
  need_stdout(self)
  return read(self)
end

local function next_line(p)
  local parts, size = {}, 0
  while true do
    local piece, e = read(p)
    if e then error(e, 0) end
    if not piece then return size > 0 and table.concat(parts) or nil end
    local at = piece:find("\n", 1, true)
    if at then
      p.buffered = piece:sub(at + 1)
      parts[#parts + 1] = piece:sub(1, at - 1)
      return (table.concat(parts):gsub("\r$", ""))
    end
    parts[#parts + 1], size = piece, size + #piece
    if size > MAX_LINE then
      error(err.new("too_large",
        ("%s wrote a line of more than %d bytes"):format(p.program, MAX_LINE)), 0)
    end
  end
end

--- `for line in p:lines() do`: the lines of its standard output as they come. A failure
--- to read is raised.
---@async
---@return fun(): string?
function Child:lines()
  need_stdout(self)
  return function() return next_line(self) end
end

--- Write to its standard input; returns when the pipe has taken it.
---@async
---@param text string
---@return true?
---@return rt.Err? err  closed: it does not read any more
function Child:write(text)
  if self.stdin ~= "pipe" then error("spawn it with stdin = true to write to it", 2) end
  return await(c.write(self.child, text))
end

--- Close its standard input: it then reads the end of it.
function Child:end_input() c.end_input(self.child) end

--- Send it (and what it has started) a signal.
---@param signal? string|integer  "SIGTERM" by default
---@return boolean  false: it had ended already
function Child:kill(signal) return c.kill(self.child, signal or "SIGTERM") end

--- Wait for its end. Its output must be read meanwhile, or it may wait for us.
---@async
---@return rt.proc.Result
function Child:wait()
  while not self.result do task.wait_on(self.waiting) end
  return self.result
end

-- ---- run ----

local function feed(p, text)
  local ok, e = p:write(text)
  p:end_input()
  if not ok and e.code ~= "closed" then error(e, 0) end
end

local function collect(p, max)
  local too_much
  local out, e = drain(p.child, 1, max, function()
    too_much = true
    p:kill "SIGKILL"
  end)
  if e then return nil, e end
  if too_much then
    return nil, err.new("too_large", ("%s wrote more than %d bytes to its output and was"
      .. " ended; pass a larger max_output"):format(p.program, max))
  end
  return out
end

--- Run a program to its end and collect what it writes. How it ended is in the result:
--- look at `code`.
---@async
---@param opts rt.proc.RunOpts
---@return rt.proc.Result?
---@return rt.Err? err  not_found: it is not installed; too_large: see max_output
function M.run(opts)
  local argv = arguments(opts, RUN)
  local max = opts.max_output or MAX_OUTPUT
  if max < 1 then error("max_output must be at least 1", 2) end
  local stdin = opts.stdin and "pipe" or "null"
  local result, e
  task.scope(function(s)
    local p
    p, e = start(argv, { cwd = opts.cwd, env = opts.env }, stdin, max)
    if not p then return end
    if opts.stdin then s:spawn(feed, p, opts.stdin) end
    local out
    out, e = collect(p, max)
    result = p:wait()
    result.stdout = out
  end)
  if e then return nil, e end
  return result
end

return M
