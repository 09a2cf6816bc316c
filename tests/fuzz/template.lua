--- Whatever the text: a template is refused with a sentence, or it can be filled, and
--- what is filled in stands there as it is.
local template = require "rushes.studio.template"

local make = type(template) == "function" and template or template.new

return function(bytes)
  local ok, t = pcall(make, bytes)
  if not ok then
    assert(type(t) == "string" and t:find "template: ", tostring(t))
    return
  end
  local values = {}
  for name in pairs(t.names) do values[name] = "<{" .. name .. "}>" end
  local text = t(values)
  assert(type(text) == "string")
  for name in pairs(t.names) do assert(text:find(values[name], 1, true)) end
  if not bytes:find "[{}]" then
    assert(text == bytes:match "^%s*(.-)%s*$", "a text without braces changed")
  end
end
