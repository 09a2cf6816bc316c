--- Asks a person at the terminal before takes are paid a second time.
local text = require "rushes.cli.text"

--- Waits for the answer; only "y" and "yes" agree.
---@async
---@param takes integer
---@param credits number
---@return boolean
return function(takes, credits)
  io.stderr:write(("make %s anew for up to %s? [y/N] "):format(text.count(takes, "take"),
    text.count(text.credits(credits), "credit")))
  local input = require("rt.stdin").open()
  if not input then return false end
  local answer <const> = (input:line() or ""):match "^%s*(%a*)"
  input:close()
  return answer:lower() == "y" or answer:lower() == "yes"
end
