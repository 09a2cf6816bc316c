--- What to type next, as the last lines of a command's report.
local text = require "rushes.cli.text"

local M = {}

--- A show's folder as commands take it.
---@param folder string
---@return string
function M.show(folder)
  local show = folder:match "^(.+)/sim$"
  return show and show .. " --sim" or folder
end

--- The command that runs the show's script again.
---@param folder string
---@param last? rushes.records.Run
---@return string
function M.run(folder, last)
  return ("rushes run %s%s"):format(folder:find "/sim$" and "--sim " or "",
    last and last.script or "SCRIPT")
end

--- Put a sentence below lines: on a screen as many lines as it takes, else one.
---@param to string[]
---@param sentence string
---@param columns? integer
---@param paint fun(style: string?, s: string): string
---@param style? string
---@param indent? integer  2
function M.say(to, sentence, columns, paint, style, indent)
  indent = indent or 2
  local list = columns and text.wrap(sentence, math.max(20, columns - indent - 2))
    or { sentence }
  for _, line in ipairs(list) do
    to[#to + 1] = (" "):rep(indent) .. paint(style, line)
  end
end

--- Put lines below others, with an empty line between them.
---@param to string[]
---@param lines string[]
function M.append(to, lines)
  if #lines > 0 and #to > 0 then to[#to + 1] = "" end
  for _, line in ipairs(lines) do to[#to + 1] = line end
end

--- Steps {command, why} as lines: the reasons stand beside the commands if all have room.
---@param list string[][]
---@param columns? integer
---@param paint fun(style: string?, s: string): string
---@return string[]
function M.lines(list, columns, paint)
  local lines, wide, beside = {}, 0, true
  for _, step in ipairs(list) do wide = math.max(wide, text.width(step[1])) end
  for _, step in ipairs(list) do
    beside = beside and wide + text.width(step[2]) + 6 <= (columns or math.huge)
  end
  for _, step in ipairs(list) do
    local command, why = "  " .. text.pad(step[1], wide), "  # " .. step[2]
    if beside then
      lines[#lines + 1] = paint("bold", command) .. paint("dim", why)
    else
      lines[#lines + 1] = paint("dim", why)
      lines[#lines + 1] = "  " .. paint("bold", step[1])
    end
  end
  return lines
end

return M
