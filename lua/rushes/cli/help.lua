--- rushes help: all commands, or one.
local M = {
  name = "help",
  summary = "what there is, or all about one command",
  usage = "rushes help [COMMAND]",
  examples = {
    { "rushes help", "every command" },
    { "rushes help run", "one command, with examples (also: rushes run --help)" },
  },
}

function M.parser(p)
  p:argument "command" :args "?" :description "a command's name"
end

--- The page that names every command.
---@return string
function M.overview()
  local commands = require "rushes.cli.commands"
  local rows = {}
  for _, name in ipairs(commands.list) do
    rows[#rows + 1] = ("  rushes %-9s %s"):format(name, commands.get(name).summary)
  end
  return [[
rushes runs Lua scripts against AI video generators.

  rushes run --sim night.lua   # try a script on the built-in simulator
  rushes run night.lua         # for real; the key comes from RUNWAYML_API_SECRET
  rushes doctor                # is this machine ready?

Commands:
]] .. table.concat(rows, "\n") .. "\n\nrushes help COMMAND says more; docs/ has the rest."
end

---@param opts {command?: string}
---@return integer status
function M.main(opts)
  local commands = require "rushes.cli.commands"
  if not opts.command then
    io.stdout:write(M.overview(), "\n")
    return 0
  end
  local command = commands.get(opts.command)
  if not command then return commands.main { opts.command } end
  io.stdout:write(commands.help(command), "\n")
  return 0
end

return M
