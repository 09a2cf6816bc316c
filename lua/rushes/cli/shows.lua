--- Which show a command means: a folder, a show's name, or the only one there is.
local err = require "rt.err"
local fs = require "rt.fs"
local records = require "rushes.take.records"
local suggest = require "rt.suggest"

local M = {}

local DEPTH = 3 -- folders below the current one that are searched
local LISTED = 10

local SKIPPED = { node_modules = true, build = true }

--- The argument and the flag that every command about a show takes.
---@param p table  argparse parser
function M.argument(p)
  p:argument "show" :args "?"
    :description "its folder or name; not needed if there is only one below this folder"
  p:flag "--sim" :description "the rehearsal of it, made with run --sim"
end

--- Folders below `dir` with a journal. With `sim`, those whose sim/ has one.
local function search(dir, depth, sim, found)
  if records.exists(sim and fs.join(dir, "sim") or dir) then found[#found + 1] = dir end
  if depth == 0 then return found end
  local list = fs.list(dir) or {}
  table.sort(list, function(a, b) return a.name < b.name end)
  for _, entry in ipairs(list) do
    local skip = entry.name:find "^%." or SKIPPED[entry.name] or entry.name == "sim"
    if entry.type == "dir" and not skip then
      search(dir == "." and entry.name or fs.join(dir, entry.name), depth - 1, sim, found)
    end
  end
  return found
end

local function listing(folders)
  local lines = {}
  for i, folder in ipairs(folders) do
    if i > LISTED then
      lines[i] = ("  and %d more"):format(#folders - LISTED)
      break
    end
    lines[i] = "  " .. folder
  end
  return table.concat(lines, "\n")
end

--- What to try where the paid show has no journal but its rehearsal has, or the reverse.
local function other_kind(name, sim)
  local folders = search(".", DEPTH, not sim, {})
  for _, folder in ipairs(folders) do
    if not name or folder == name or fs.basename(folder) == name then
      return sim and ("; what was paid for is in %s: leave --sim away"):format(folder)
        or ("; there is a rehearsal of %s: say --sim"):format(folder)
    end
  end
  return ""
end

local function names(folders)
  local list = {}
  for i, folder in ipairs(folders) do list[i] = fs.basename(folder) end
  return list
end

local function none(name, folders, sim)
  if name then
    return err.new("not_found", ("there is no show %q with a journal here%s%s"):format(
      name, suggest.hint(name, names(folders)), other_kind(name, sim)))
  end
  return err.new("not_found", "there is no journal in this folder or below: no show has"
    .. " been run here" .. other_kind(nil, sim))
end

local function choose(name, folders, sim)
  if #folders == 1 then return folders[1] end
  if #folders == 0 then return nil, none(name, search(".", DEPTH, sim, {}), sim) end
  return nil, err.new("usage", (name and "several shows are called " .. name
    or "there are several shows here") .. "; say which:\n" .. listing(folders))
end

--- The folder of the journal that is meant. Waits (looks at folders).
---@async
---@param name? string  what was typed
---@param sim? boolean
---@return string? folder
---@return rt.Err?  not_found or usage
function M.find(name, sim)
  local function folder_of(show) return sim and fs.join(show, "sim") or show end
  if name then
    local folder = name:match "^(.*)/journal%.db$" or folder_of(name)
    if records.exists(folder) then return (folder:gsub("(.)/+$", "%1")) end
  end
  local folders = {}
  for _, folder in ipairs(search(".", DEPTH, sim, {})) do
    if not name or fs.basename(folder) == name then folders[#folders + 1] = folder end
  end
  local show, e = choose(name, folders, sim)
  if not show then return nil, e end
  return folder_of(show)
end

return M
