--- One run of a user's code: its scope, os.exit, Ctrl-C and the exit status.
--- Kept small, because every start of the program pays for it; what is shown when
--- something happens is loaded when it happens.
local task = require "rt.task"

local M = {}

---@class rushes.cli.Program
---@field root rt.Scope      displays and watchers live here
---@field scope rt.Scope     the user's code lives here
---@field exit? integer      what os.exit asked for
---@field signal? integer    the signal that ended it, or will
---@field err? rt.Err        what the code raised
---@field display? rushes.cli.Display
---@field after? async fun()  called once the code has come to its end
---@field left? boolean       a signal has ended it
---@field verbose? boolean
---@field json? boolean      stdout is for one JSON object, an error's too
---@field command? boolean   it runs no script, so no error is one of a script
---@field on_ctrl_c? fun()   takes Ctrl-C over (the prompt)
local Program = {}
Program.__index = Program

local leave_process = os.exit
local SIGINT = 2
local NAMES = { [1] = "a closed terminal", [2] = "Ctrl-C", [15] = "SIGTERM" }

-- How long a script may go on after Ctrl-C when nothing that it paid for is left.
local GRACE = 10

--- os.exit of a script: an orderly end. The code is cancelled, the display closed.
local function exit(program, code)
  if code == nil or code == true then
    code = 0
  elseif code == false then
    code = 1
  elseif math.type(code) ~= "integer" then
    error("os.exit takes a whole number, true or false, not " .. tostring(code), 3)
  end
  program.exit = code & 0xff
  program.scope:cancel "os.exit was called"
  error(program.scope.cancelled, 0)
end

--- A line for the person, above a live view if there is one.
---@param text string
function Program:say(text)
  if self.display then
    self.display:say(text)
  else
    io.stderr:write(text, "\n")
  end
end

--- What is paid for and still followed.
---@return integer takes
---@return number credits  held, also for what is being sent
function Program:in_flight()
  local board = self.display and self.display.board
  local ledgers = package.loaded["rushes.money.ledger"]
  local held = ledgers and ledgers.credits(ledgers.root().reserved) or 0
  return board and board.active or 0, held
end

local function nothing_in_flight(program)
  local n, held = program:in_flight()
  return n == 0 and held == 0
end

local function leave(program)
  program.left = true
  local n = program:in_flight()
  if n > 0 then require("rushes.cli.leaving").left_behind(program) end
  program.scope:cancel(NAMES[program.signal] or "a signal")
end

--- After the last paid take has landed the script has GRACE seconds to end by itself.
local function follow(program)
  local function wait()
    repeat task.sleep(0.2) until nothing_in_flight(program)
    task.sleep(GRACE)
  end
  repeat wait() until nothing_in_flight(program)
  program:say(("rushes: the script did not end within %d s of its last take; leaving")
    :format(GRACE))
  leave(program)
end

local function first_signal(program)
  require("rushes.stop").request(NAMES[program.signal] or "a signal")
  local n, held = program:in_flight()
  if nothing_in_flight(program) then return leave(program) end
  require("rushes.cli.leaving").following(program, n, held)
  program.root:spawn(follow, program)
end

local function on_signal(program, count, signal)
  if count >= 3 and program.left then leave_process(128 + signal) end
  program.signal = program.signal or signal
  if count >= 2 then
    leave(program)
  elseif not program.stopping then
    program.stopping = true
    first_signal(program)
  end
end

local function watch(program)
  while true do
    local count, signal = task.interrupted()
    if not program.on_ctrl_c or signal ~= SIGINT then
      on_signal(program, count, signal)
    elseif count > 0 then -- the prompt counts anew each time
      program.on_ctrl_c()
    end
  end
end

local function inner(program, body)
  task.scope(function(scope)
    program.scope = scope
    return body(program)
  end)
  return true
end

--- The code, and when it has come to its end (os.exit is one) what is done after it.
local function whole(program, body)
  local _, e = task.try(inner, program, body)
  program.err = e
  if not program.after or program.left or e and not program.exit then return end
  _, e = task.try(inner, program, program.after)
  program.err = program.err or e
end

local function outer(program, body)
  return function(root)
    program.root = root
    root:spawn(watch, program)
    task.yield() -- it listens before the code below can print that it is ready
    whole(program, body)
    if program.display then program.display:close() end
    local journals = package.loaded["rushes.take.journal"]
    if journals then journals.close_all(program:status()) end
    if program.ending then program.ending(program) end
    root:cancel "the program has ended"
  end
end

--- The exit status, as far as it is known.
---@return integer
function Program:status()
  if self.signal then return 128 + self.signal end
  if self.exit then return self.exit end
  local display = self.display
  if not self.err and not display then return 0 end
  local statuses = require "rushes.cli.exit_status"
  local status = statuses.of(self.err, display and display.board)
  return self.command and status == statuses.SCRIPT and statuses.SOME_FAILED or status
end

--- Run `body(program)` in a task to its end and report what went wrong.
---@param body async fun(program: rushes.cli.Program)
---@param program? table  fields to start with: verbose, json, command, ending (a task
---                       calls it)
---@return integer status  the exit status of the process
function M.run(body, program)
  program = setmetatable(program or {}, Program)
  os.exit = function(code) exit(program, code) end -- luacheck: ignore 122
  local ok, e = task.run(outer(program, body))
  os.exit = leave_process -- luacheck: ignore 122
  if not ok then program.err = e end
  if program.err and not program.exit then
    require("rushes.cli.report").show(program, program.err)
  end
  local code = program:status()
  if program.json and program.err and not program.exit and not program.signal then
    require("rushes.cli.output").failure(program.err, code)
  end
  if program.display then program.display:finish(code, program.err) end
  return code
end

return M
