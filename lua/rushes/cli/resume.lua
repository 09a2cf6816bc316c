--- The command that goes on where a run has stopped: the same one, without the flags that
--- would buy again, decide again, or agree again to what the journal has taken over.
local quote = require("rt.shell").quote

local M = {}

-- In the order of the help; a value, a list of values, or true.
local KEPT = { "sim", "sim_speed", "sim_faults", "budget", "only", "fail_fast",
  "on_unknown", "verify", "json", "no_progress", "lua_path", "verbose" }

local function add(words, name, value)
  words[#words + 1] = "--" .. name:gsub("_", "-")
  if value ~= true then words[#words + 1] = quote(value) end
end

--- The command line, or nil where there is no script that could be named again.
---@param opts table  flags of run, script, args
---@return string?
function M.command(opts)
  if not opts.script or opts.script == "-" then return nil end
  local words = { "rushes run" }
  for _, name in ipairs(KEPT) do
    local value = opts[name]
    if type(value) == "table" then
      for _, one in ipairs(value) do add(words, name, one) end
    elseif value then
      add(words, name, value)
    end
  end
  words[#words + 1] = quote(opts.script)
  if opts.args and #opts.args > 0 then words[#words + 1] = "--" end
  for _, arg in ipairs(opts.args or {}) do words[#words + 1] = quote(arg) end
  return table.concat(words, " ")
end

-- Exit statuses after which the same command would come to the same end.
local FIRST = { [8] = "once the budget is larger", [9] = "after rushes reconcile",
  [10] = "once the prompts are changed" }

--- Say it after a run that has left something undone.
---@param program rushes.cli.Program
---@param opts table
---@param status integer  of the run
function M.say(program, opts, status)
  local board = program.display and program.display.board
  if not board or board.failed + board.unknown + board.stopped + board.active == 0 then
    return
  end
  local command = M.command(opts)
  if not command then return end
  io.stderr:write(("to go on%s: %s\n"):format(FIRST[status] and ", " .. FIRST[status]
    or "; nothing is bought twice", command))
end

return M
