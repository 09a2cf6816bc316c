--- Asks a person at the terminal before takes are paid a second time.
local stop = require "rushes.stop"
local task = require "rt.task"
local terminal = require "rushes.cli.terminal"
local text = require "rushes.cli.text"

--- What the person types, or nil when they close the input or press Ctrl-C. Waits.
local function answer()
  local input <close> = require("rt.stdin").open()
  if not input then return nil end
  local line
  task.scope(function(s)
    local off = stop.on_request(function() s:cancel "Ctrl-C" end)
    local _ <close> = setmetatable({}, { __close = off })
    line = input:line()
  end)
  if line then terminal.typed_line() end
  return line
end

local function ask(takes, credits)
  if stop.requested() then return false end
  io.stderr:write(("make %s anew for up to %s? [y/N] "):format(text.count(takes, "take"),
    text.count(text.credits(credits), "credit")))
  local word = (answer() or ""):match("^%s*(%a*)"):lower()
  return word == "y" or word == "yes"
end

local turn = task.semaphore(1)

--- Waits for the answer, one question at a time; only "y" and "yes" agree.
---@async
---@param takes integer
---@param credits number
---@return boolean
return function(takes, credits) return turn:with(ask, takes, credits) end
