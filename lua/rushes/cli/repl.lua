--- rushes repl: a prompt at which code may wait. Other tasks go on while a line is
--- being typed.
local inspect = require "rushes.cli.inspect"
local report = require "rushes.cli.report"
local run = require "rushes.cli.run"
local stdin = require "rt.stdin"
local strict = require "rt.strict"
local sys = require "rt.c.sys"
local task = require "rt.task"
local text = require "rushes.cli.text"

local M = {
  name = "repl",
  summary = "a prompt for trying things",
  usage = "rushes repl [flags]",
  examples = {
    { "rushes repl --sim", "on a simulator of its own: nothing costs credits" },
    { "> task.sleep(1)", "waiting works at the prompt" },
    { "> spawn(function() … end)", "goes on while you type" },
    { "> =show.shots[1]", "shows a value, as does a line that is an expression" },
  },
}

M.parser, M.check = run.flags, run.check

---@class rushes.cli.Session
---@field program rushes.cli.Program
---@field env table
---@field input rt.Stdin
---@field lines string[]     of a statement that is not complete yet
---@field current? rt.Scope  what is being evaluated
---@field held number         credits that were held before it
---@field prompt boolean     is there a person at the other end

-- ---- one line ----

local function show(...)
  local parts = table.pack(...)
  for i = 1, parts.n do parts[i] = inspect.show(parts[i]) end
  if parts.n > 0 then print(table.concat(parts, "\t")) end
end

--- The code as a function; nil without an error if more lines are wanted.
local function compile(session, code)
  local expression = code:match "^%s*=(.*)$"
  local chunk = load("return " .. (expression or code), "=(input)", "t", session.env)
  if chunk or expression then
    return chunk, select(2, load("return " .. code:gsub("^%s*=", ""), "=(input)"))
  end
  local why
  chunk, why = load(code, "=(input)", "t", session.env)
  if not chunk and why:find "<eof>$" then return nil end
  return chunk, why
end

local function complain(session, e)
  local lines = report.lines(e, { paint = session.paint,
    verbose = session.program.verbose })
  io.stderr:write(table.concat(lines, "\n"), "\n")
end

--- Run one complete statement in a scope of its own, which Ctrl-C can cancel.
local function evaluate(session, chunk)
  local results
  session.held = select(2, session.program:in_flight())
  local ok, e = task.try(function()
    results = table.pack(task.scope(function(scope)
      session.current = scope
      return chunk()
    end))
    return true
  end)
  local cancelled = session.current.cancelled
  session.current = nil
  require("rushes.stop").reset()
  if not ok then return complain(session, e) end
  if cancelled then return io.stderr:write "cancelled\n" end
  show(table.unpack(results, 1, results.n))
end

local function take_line(session, line)
  session.lines[#session.lines + 1] = line
  local code = table.concat(session.lines, "\n")
  if code:find "^%s*$" then
    session.lines = {}
    return
  end
  report.add_source("(input)", code)
  local chunk, why = compile(session, code)
  if not chunk and not why then return end -- more lines are wanted
  session.lines = {}
  if not chunk then
    return complain(session, require("rt.err").new("script", why))
  end
  evaluate(session, chunk)
end

-- ---- the prompt ----

local function prompt(session)
  if not session.prompt then return end
  io.stdout:write(#session.lines > 0 and ">> " or "> ")
  io.stdout:flush()
end

--- Ctrl-C: the line, or what is running; takes already paid for are followed first.
local function on_ctrl_c(session)
  task.forget_interrupts()
  if not session.current then
    session.lines = {}
    io.stdout:write "\n"
    return prompt(session)
  end
  local stop, n, held = require "rushes.stop", session.program:in_flight()
  if (n > 0 or held > session.held) and not stop.requested() then
    stop.request "Ctrl-C"
    return require("rushes.cli.leaving").following(session.program, n, held)
  end
  session.current:cancel "Ctrl-C"
end

--- What the prompt adds to a script's globals.
local function environment(session, scope)
  local env = setmetatable({}, { __index = strict.env() })
  env._G = env
  env.rushes = require("rushes.cli.lazy").module "rushes"
  env.task = task
  env.spawn = function(fn, ...)
    local args = table.pack(...)
    return scope:spawn(function()
      local ok, e = task.try(function()
        fn(table.unpack(args, 1, args.n))
        return true
      end)
      if not ok then complain(session, e) end
    end)
  end
  return env
end

local function loop(session)
  while true do
    prompt(session)
    local line, e = session.input:line()
    if e then error(e, 0) end
    if not line then break end
    take_line(session, line)
  end
  if session.prompt then io.stdout:write "\n" end
end

local function body(state)
  return function()
    local input <close> = assert(stdin.open())
    task.scope(function(scope)
      local session = { program = state, input = input, lines = {},
        prompt = sys.isatty(0), paint = text.painter(text.colour(2)) }
      session.env = environment(session, scope)
      state.on_ctrl_c = function() on_ctrl_c(session) end
      if session.prompt then
        print(("rushes, %s. Ctrl-D ends."):format(_VERSION))
      end
      loop(session)
      scope:cancel "the prompt was closed"
    end)
  end
end

---@param opts table
---@return integer status
function M.main(opts)
  require("rushes.config").options.prompt = true
  opts.plain = true -- a live view and a prompt cannot share the last lines
  return run.start(body, opts)
end

return M
