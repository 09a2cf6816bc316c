--- What goes wrong on purpose: by chance (`--faults`, reproducible by its seed), or
--- because a prompt says so (`[[fail:SAFETY.INPUT.TEXT]]`). docs/simulator.md lists all.
local dice = require "rushes.sim.dice"
local suggest = require "rt.suggest"

local M = {}

local CHANCES = 1000000 -- a probability is thrown with so many sides

---@class rushes.sim.FaultKind
---@field stage "create"|"task"|"poll"|"link"|"body"  what it happens to
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
  slow_answer = { stage = "create", arg = "number", default = 3 }, -- real seconds
  fail = { stage = "task", arg = "code" },
  slow = { stage = "task", arg = "number", default = 60 },     -- simulated seconds
  poll_5xx = { stage = "poll" },
  poll_html = { stage = "poll" },
  poll_reset = { stage = "poll" },
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

--- The last word, if it says how often: a part of 1, or "x2" for the next two times.
local function frequency(words)
  local last = words[#words]
  if #words < 2 then return 1 end
  local times = last:match "^x(%d+)$"
  if times then
    table.remove(words)
    return nil, math.tointeger(times)
  end
  local p = last:find "^[%d.]+$" and tonumber(last)
  if p and p <= 1 then
    table.remove(words)
    return p
  end
  return 1
end

local function parse_item(item, certain)
  local words = split(item)
  local chance, times = 1, nil
  if not certain then chance, times = frequency(words) end
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
  return { name = name, stage = kind.stage, arg = arg, chance = chance, times = times }
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
  return setmetatable({ rules = rules, roll = dice(seed), spec = spec or "" }, Faults)
end

local function strikes(self, rule)
  if rule.times then
    if rule.times == 0 then return false end
    rule.times = rule.times - 1
    return true
  end
  return rule.chance >= 1 or self.roll(1, CHANCES) <= rule.chance * CHANCES
end

--- What goes wrong now, at one stage.
---@param stage string
---@param marks? table<string, any>  what the prompt asked for
---@return table<string, any>  name -> argument
function Faults:at(stage, marks)
  local out = {}
  for name, arg in pairs(marks or {}) do
    if KNOWN[name].stage == stage then out[name] = arg end
  end
  for _, rule in ipairs(self.rules) do
    if rule.stage == stage and strikes(self, rule) then out[rule.name] = rule.arg end
  end
  return out
end

return M
