--- Strict globals for a studio's own code: a misspelt name is an error where it
--- stands, not a nil later. Libraries from LUA_PATH keep the plain globals, because
--- many of them probe for names that are not there.
local suggest = require "rt.suggest"

local M = {}

local env

--- The environment that scripts, and modules beside them, run in.
---@return table
function M.env()
  if env then return env end
  env = {}
  for k, v in pairs(_G) do env[k] = v end
  env._G = env
  setmetatable(env, {
    __index = function(_, name)
      error(("there is no global %q%s"):format(tostring(name),
        suggest.hint(name, suggest.keys(env))), 2)
    end,
    __newindex = function(_, name)
      error(("cannot make a global %q: write 'local %s = …'"):format(
        tostring(name), tostring(name)), 2)
    end,
  })
  return env
end

return M
