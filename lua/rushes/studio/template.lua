--- Prompt templates: text with {names}, filled from a table. `{{` and `}}` are braces.
local suggest = require "rt.suggest"

local M = {}

---@class rushes.Template
---@field text string
---@field names table<string, true>
local Template = {}
Template.__index = Template
Template.__name = "rushes.template"

local function position(text, at)
  local line = select(2, text:sub(1, at):gsub("\n", "")) + 1
  return line
end

local function stray(text, at, level)
  error(("template: a single brace on line %d; write {{ or }} for the character")
    :format(position(text, at)), level + 1)
end

--- Cut the text into literals and names.
local function parse(text, level)
  local parts, names, at = {}, {}, 1
  while at <= #text do
    local brace = text:find("[{}]", at) or #text + 1
    parts[#parts + 1] = { text = text:sub(at, brace - 1) }
    local name, after = text:match("^{([^{}]*)}()", brace)
    local double = text:match("^{{", brace) or text:match("^}}", brace)
    if double then
      parts[#parts + 1] = { text = double:sub(1, 1) }
      after = brace + 2
    elseif name and name:match "^[%a_][%w_]*$" then
      parts[#parts + 1] = { name = name }
      names[name] = true
    elseif name then
      error(("template: {%s} is not a name (line %d); use letters, digits and _")
        :format(name, position(text, brace)), level + 1)
    elseif brace <= #text then
      stray(text, brace, level + 1)
    end
    at = after or brace
  end
  return parts, names
end

--- Fill the template. Every name must be given, and nothing else.
---@param values table<string, string|number>
---@return string
function Template:__call(values)
  if type(values) ~= "table" then
    error(("a template wants a table of values, not a %s"):format(type(values)), 2)
  end
  suggest.check_keys("template", values, self.names)
  local out = {}
  for i, part in ipairs(self.parts) do
    local value = part.text
    if part.name then
      value = values[part.name]
      if type(value) == "number" then value = tostring(value) end
      if type(value) ~= "string" then
        error(("template: {%s} was not given; it takes %s"):format(part.name,
          table.concat(suggest.keys(self.names), ", ")), 2)
      end
    end
    out[i] = value
  end
  return (table.concat(out):gsub("^%s+", ""):gsub("%s+$", ""))
end

function Template:__tostring() return self.text end

--- Make a template.
---@param text string
---@return rushes.Template
function M.new(text)
  if type(text) ~= "string" then
    error(("template wants a text, not a %s"):format(type(text)), 2)
  end
  local parts, names = parse(text, 2)
  return setmetatable({ text = text, parts = parts, names = names }, Template)
end

return M
