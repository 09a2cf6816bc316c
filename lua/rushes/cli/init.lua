--- The command line: finds the command and gives the exit status.
--- `rushes run SCRIPT ARGS…` without flags is handled here, before anything else is
--- loaded, because a script that does nothing must cost nothing.

--- A run without flags: script and arguments, or nothing.
local function plain_run(argv)
  if argv[1] ~= "run" or not argv[2] then return nil end
  for i = 2, #argv do
    if argv[i]:byte() == 45 then return nil end -- "-": flags, "-", "--"
  end
  return { script = argv[2], args = table.move(argv, 3, #argv, 1, {}) }
end

return function(argv)
  local dir = os.getenv "RUSHES_LUA_PATH"
  if dir and dir ~= "" then require "rushes.cli.devpath" (dir) end
  local opts = plain_run(argv)
  if opts then return require("rushes.cli.run").main(opts) end
  return require("rushes.cli.commands").main(argv)
end
