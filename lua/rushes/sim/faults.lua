--- What goes wrong on purpose: by chance (`--faults`, reproducible by its seed), or
--- because a prompt says so (`[[fail:SAFETY.INPUT.TEXT]]`). docs/simulator.md lists all.
local dice = require "rushes.sim.dice"
local suggest = require "rt.suggest"

local M = {}

local CHANCES = 1000000 -- a probability is thrown with so many sides

---@class rushes.sim.FaultKind
---@field stage "create"|"task"|"poll"|"link"|"body"  what it happens to; before "task"
---  there is none yet
---@field arg? "number"|"status"|"code"
---@field default? number   of a number that is left out

---@type table<string, rushes.sim.FaultKind>
local KNOWN = {
  ["429"] = { stage = "create", arg = "number" },     -- Retry-After, seconds
  ["5xx"] = { stage = "create" },
  http = { stage = "create", arg = "status" },
  html_error = { stage = "create" },
  daily_cap = { stage = "create" },
  reset_after_create = { stage = "create" },
  close_after_create = { stage = "create" },
  truncated_answer = { stage = "create", arg = "number", default = 10 }, -- bytes sent
  no_id = { stage = "create" },
  html_ok = { stage = "create" },
  slow_answer = { stage = "create", arg = "number", default = 3 }, -- real seconds
  fail = { stage = "task", arg = "code" },
  slow = { stage = "task", arg = "number", default = 60 },     -- simulated seconds
  poll_5xx = { stage = "poll" },
  poll_html = { stage = "poll" },
  poll_reset = { stage = "poll" },
  poll_truncated = { stage = "poll", arg = "number", default = 20 }, -- bytes sent
  expired_url = { stage = "link" },
  slow_body = { stage = "body", arg = "number", default = 65536 }, -- bytes per second
  truncated_body = { stage = "body", arg = "number", default = 1000 }, -- bytes sent
}

for status = 500, 504 do
  if status ~= 501 then KNOWN[tostring(status)] = { stage = "create" } end
end

local function argument(name, kind, value)
  if not kind.arg then
    if not value then return true end
    return nil, ("fault %q takes no argument, got %q"):format(name, value)
  elseif value == nil then
    if kind.arg == "number" then return kind.default or true end
    return nil, ("fault %q needs an argument, as in %s"):format(name,
      kind.arg == "code" and "fail:SAFETY.INPUT.TEXT" or "http:503")
  elseif kind.arg == "code" then
    return value
  end
  local n = tonumber(value)
  if not n or n < 0 or kind.arg == "status" and (n < 400 or n > 599 or n % 1 ~= 0) then
    return nil, ("fault %q cannot have the argument %q"):format(name, value)
  end
  return n
end

local function split(item)
  local words = {}
  for word in (item .. ":"):gmatch "([^:]*):" do words[#words + 1] = word end
  return words
end

--- What one word says of how often: a part of 1; "x2", the next two times; "@3", the
--- third time; "x2@3", the third and the fourth; "once", each task's first time.
local function often(word)
  local times, first = word:match "^x(%d+)(@?%d*)$"
  if not times then times, first = 1, word:match "^@%d+$" end
  if first then
    first = first == "" and 1 or math.tointeger(first:match "%d+")
    return first and { times = math.tointeger(times), first = first }
  end
  local p = word:find "^[%d.]+$" and tonumber(word)
  if p and p <= 1 then return { chance = p } end
  return word == "once" and { once = true } or nil
end

--- How often, if the last word says so; else always.
local function frequency(words)
  local found = #words > 1 and often(words[#words])
  if found then table.remove(words) end
  return found or { chance = 1 }
end

local function parse_item(item, certain)
  local words = split(item)
  local rule = certain and { chance = 1 } or frequency(words)
  local name = words[1]
  local kind = KNOWN[name]
  if not kind then
    return nil, ("there is no fault %q%s; there are %s"):format(name,
      suggest.hint(name, suggest.keys(KNOWN)), table.concat(suggest.keys(KNOWN), ", "))
  elseif #words > 2 then
    return nil, ("fault %q has too many parts; write name:argument:frequency")
      :format(item)
  end
  local arg, why = argument(name, kind, words[2])
  if not arg then return nil, why end
  if rule.once and (kind.stage == "create" or kind.stage == "task") then
    return nil, ("fault %q comes before there is a task, so it cannot come once for"
      .. " each; write %s:x1 for the next time"):format(item, name)
  end
  rule.name, rule.stage, rule.arg = name, kind.stage, arg
  return rule
end

--- Read a list such as "429:0.1,fail:INTERNAL:x2".
---@param spec string
---@return table[]? rules
---@return string? why  a sentence
function M.parse(spec)
  local rules = {}
  for item in spec:gmatch "[^,%s]+" do
    local rule, why = parse_item(item)
    if not rule then return nil, why end
    rules[#rules + 1] = rule
  end
  return rules
end

--- The faults that a prompt asks for; what is not understood is plain text.
---@param prompt any
---@return table<string, any> marks  name -> argument
function M.marks(prompt)
  local marks = {}
  if type(prompt) ~= "string" then return marks end
  for item in prompt:gmatch "%[%[([%w_:.]+)%]%]" do
    local rule = parse_item(item, true)
    if rule then marks[rule.name] = rule.arg end
  end
  return marks
end

---@class rushes.sim.Faults
---@field spec string
---@field private rules table[]
---@field private roll fun(lo: integer, hi: integer): integer
local Faults = {}
Faults.__index = Faults

---@param rules table[]  from `parse`
---@param seed integer
---@param spec? string   as it was written, to be shown
---@return rushes.sim.Faults
function M.new(rules, seed, spec)
  for _, rule in ipairs(rules) do
    rule.asked, rule.met = 0, setmetatable({}, { __mode = "k" })
  end
  return setmetatable({ rules = rules, roll = dice(seed), spec = spec or "" }, Faults)
end

local function strikes(self, rule, task)
  if rule.times then
    rule.asked = rule.asked + 1
    return rule.asked >= rule.first and rule.asked < rule.first + rule.times
  elseif rule.once then
    local first = not rule.met[task]
    rule.met[task] = true
    return first
  end
  return rule.chance >= 1 or self.roll(1, CHANCES) <= rule.chance * CHANCES
end

--- What goes wrong now, at one stage.
---@param stage string
---@param marks? table<string, any>  what the prompt asked for
---@param task? rushes.sim.Task       that it happens to, once there is one
---@return table<string, any>  name -> argument
function Faults:at(stage, marks, task)
  local out = {}
  for name, arg in pairs(marks or {}) do
    if KNOWN[name].stage == stage then out[name] = arg end
  end
  for _, rule in ipairs(self.rules) do
    if rule.stage == stage and strikes(self, rule, task) then
      out[rule.name] = rule.arg
    end
  end
  return out
end

return M
