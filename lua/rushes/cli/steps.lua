--- What to type next, as the last lines of a command's report.
local fs = require "rt.fs"
local quote = require("rt.shell").quote
local sys = require "rt.c.sys"
local text = require "rushes.cli.text"

local M = {}

--- A show's folder as commands take it.
---@param folder string
---@return string
function M.show(folder)
  local show = folder:match "^(.+)/sim$"
  return show and quote(show) .. " --sim" or quote(folder)
end

local UNNAMED = { ["-"] = true, ["-e"] = true } -- a script that cannot be named again

--- The command that runs the show's script again, from where it was run: another folder
--- would be another show, and buy everything anew. Waits (a look at the folder).
---@async
---@param folder string
---@param last? rushes.records.Run
---@param meta table<string, string>  of the journal
---@return string
function M.run(folder, last, meta)
  local script = last and last.script
  local command = meta.command or ("rushes run %s%s"):format(
    folder:find "/sim$" and "--sim " or "",
    script and not UNNAMED[script] and quote(script) or "SCRIPT")
  if not meta.cwd or meta.cwd == sys.cwd() or not fs.exists(meta.cwd) then
    return command
  end
  return ("cd %s && %s"):format(quote(meta.cwd), command)
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

--- Steps {command, why} as lines: the reasons stand beside the commands if all have room,
--- else above them. Commands are never broken: they are to be copied.
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
    if beside then
      lines[#lines + 1] = "  " .. paint("bold", text.pad(step[1], wide))
        .. paint("dim", "  # " .. step[2])
    else
      for _, why in ipairs(text.wrap(step[2], math.max(20, columns - 6))) do
        lines[#lines + 1] = paint("dim", "  # " .. why)
      end
      lines[#lines + 1] = "  " .. paint("bold", step[1])
    end
  end
  return lines
end

return M
