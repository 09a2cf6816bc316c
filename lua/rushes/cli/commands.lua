--- Commands and their flags. Each command is one file, loaded when it is asked for:
--- {name, summary, usage, examples, parser(p), check(opts) -> sentence?, main(opts) ->
--- status}.
local suggest = require "rt.suggest"

local M = {}

local USAGE = 2

--- In the order of `rushes help`.
M.list = { "run", "plan", "status", "reconcile", "audit", "-e", "repl", "sim", "models",
  "doctor", "version", "help" }

local MODULES = { ["-e"] = "exec" }

--- Words that mean a command.
local ALIASES = { ["-h"] = "help", ["--help"] = "help", ["-V"] = "version",
  ["--version"] = "version", ["--repl"] = "repl", ["--exec"] = "-e" }

---@param name string
---@return table? command
function M.get(name)
  for _, known in ipairs(M.list) do
    if known == name then return require("rushes.cli." .. (MODULES[name] or name)) end
  end
end

--- The parser of a command, with its flags.
---@param command table
---@return table
function M.parser(command)
  local argparse = require "argparse"
  local p = argparse("rushes " .. command.name):add_help(false)
  p:help_description_margin(27)
  if command.parser then command.parser(p) end
  p:flag "-h --help" :description "show this help"
  return p
end

--- Help of one command: examples first, then what it takes.
---@param command table
---@return string
function M.help(command)
  local text, rows, wide = require "rushes.cli.text", {}, 0
  for _, example in ipairs(command.examples) do
    wide = math.max(wide, text.width(example[1]))
  end
  for _, example in ipairs(command.examples) do
    rows[#rows + 1] = ("  %s  # %s"):format(text.pad(example[1], wide), example[2])
  end
  local details = M.parser(command):get_help():gsub("^.-\n\n", "", 1)
  return ("%s: %s\n\n%s\n\nUsage: %s\n\n%s"):format("rushes " .. command.name,
    command.summary, table.concat(rows, "\n"), command.usage, details)
end

local function complain(name, message)
  local number = message:match "^unknown option '(%-[%.%d][^']*)'"
  if number then
    message = ("no number may be below 0 here, but there is '%s'"):format(number)
  end
  message = message:gsub("\nDid you mean one of these: (.*)%?", " (did you mean %1?)")
    :gsub("\nDid you mean (.*)%?", " (did you mean %1?)"):gsub("%s*\n%s*", " ")
  io.stderr:write(("rushes %s: %s\n"):format(name, message),
    ("See: rushes help %s\n"):format(name))
  return USAGE
end

local function unknown(name)
  local hint
  if name:find "%.lua$" or name:find "/" then
    hint = (" (to run a script: rushes run %s)"):format(name)
  else
    hint = suggest.hint(name, M.list)
  end
  io.stderr:write(("rushes: there is no command %q%s\n"):format(name, hint),
    "See: rushes help\n")
  return USAGE
end

--- Does this command line only ask for help?
local function asks_help(args)
  for _, arg in ipairs(args) do
    if arg == "--" then return false end
    if arg == "-h" or arg == "--help" then return true end
  end
  return false
end

--- Find the command, read its flags, run it.
---@param argv string[]
---@return integer status
function M.main(argv)
  local name = argv[1]
  if not name then
    io.stderr:write(require("rushes.cli.help").overview(), "\n")
    return USAGE
  end
  local args = table.move(argv, 2, #argv, 1, {})
  name = ALIASES[name] or name
  if name == "help" and args[1] == "-e" then
    args = { "--", "-e" } -- it is a command's name
  elseif name == "-" then
    name = "run"
    table.insert(args, 1, "-")
  end
  local command = M.get(name)
  if not command then return unknown(name) end
  if asks_help(args) then
    io.stdout:write(M.help(command), "\n")
    return 0
  end
  local ok, opts = M.parser(command):pparse(args)
  local wrong = not ok and opts or command.check and command.check(opts)
  if wrong then return complain(name, wrong) end
  return command.main(opts)
end

return M
