--- One project: its references, shots, budget and output folder.
local fs = require "rt.fs"
local suggest = require "rt.suggest"
local config = require "rushes.config"
local event = require "rushes.event"
local ledgers = require "rushes.money.ledger"
local object = require "rushes.studio.object"
local shoot = require "rushes.studio.shoot"
local shots = require "rushes.studio.shot"
local siblings = require "rushes.take.siblings"
local takes = require "rushes.studio.takes"
local accounts = require "rushes.take.account"
local budgets = require "rushes.money.budget"
local assets = require "rushes.take.assets"

local M = {}

---@class rushes.Show
---@field name string
---@field ratio string      default of its shots, e.g. "1280:720"
---@field fps integer       24
---@field provider string   "runway"
---@field output string     folder of the clips and the journal; the show's name when not
---                         given; with --sim its subfolder "sim"
---@field policy? function  set it: show.policy = function(shot, ctx) … end
---@field shots rushes.Shot[]
---@field refs table<string, rushes.Reference>
---@field ledger rushes.Ledger
---@field moderation_limit? integer  refused calls of one shot or budget until the rest of
---                         it is held back; 3
local Show = {}

local SPEC = object.set "name ratio fps budget provider output policy moderation_limit"
local FIELDS = object.set [[name ratio fps provider output policy shots shot_names refs
  ledger journal breaker moderation_limit]]
local class = object.class("show", Show, FIELDS,
  object.set "policy journal breaker ledger")

local TYPES = { ratio = "string", fps = "number", provider = "string",
  output = "string", policy = "function" }

--- A wrong value as a person has written it.
local function as_written(value)
  return type(value) == "string" and ("the text %q"):format(value) or tostring(value)
end

local function check(spec)
  if type(spec) ~= "table" then
    error(("rushes.show wants a table, not a %s"):format(type(spec)), 3)
  end
  suggest.check_keys("show", spec, SPEC, 2)
  if type(spec.name) ~= "string" or spec.name:find "[^%w%._%-]" or spec.name == "" then
    error(("a show needs a name of letters, digits, '.', '_' and '-', not %s: it names"
      .. " the folder of the clips"):format(as_written(spec.name)), 3)
  end
  for key, wanted in pairs(TYPES) do
    local kind = type(spec[key])
    if kind ~= "nil" and kind ~= wanted then
      error(("show %s: %s must be a %s, not a %s"):format(spec.name, key, wanted,
        kind), 3)
    end
  end
  local limit = spec.moderation_limit
  if limit ~= nil and not (math.type(limit) == "integer" and limit >= 1) then
    error(("show %s: moderation_limit is a whole number from 1 on, not %s"):format(
      spec.name, as_written(limit)), 3)
  end
  local budget = spec.budget
  if budget ~= nil and not budgets.is_amount(budget) then
    error(("show %s: budget is a number of credits from 0 on, not %s"):format(spec.name,
      as_written(budget)), 3)
  end
end

--- Make a show.
---@param spec table  {name, ratio?, fps?, budget? (credits), provider?, output?, policy?}
---@return rushes.Show
function M.new(spec)
  check(spec)
  local name = spec.provider or "runway"
  accounts.provider(name, 2)
  local output = spec.output or spec.name
  if config.options.sim then output = fs.join(output, "sim") end
  local ledger = ledgers.new("show " .. spec.name, spec.budget, ledgers.root())
  event.emit("show", { show = spec.name, budget = spec.budget, output = output,
    ledger = ledger })
  local show = setmetatable({ name = spec.name, ratio = spec.ratio or "1280:720",
    fps = spec.fps or 24, provider = name, output = output, policy = spec.policy,
    moderation_limit = spec.moderation_limit, shots = {}, shot_names = {}, refs = {},
    ledger = ledger }, class)
  siblings.declare(show)
  return show
end

local REF_SPEC = { image = "string", images = "table", strength = "number",
  tag = "string", notes = "string" }

local function check_reference(kind, name, spec)
  if type(name) ~= "string" or type(spec) ~= "table" then
    error(("show:%s takes a name and a table: show:%s(\"name\", { image = \"a.png\" })")
      :format(kind, kind), 4)
  end
  suggest.check_keys(kind, spec, REF_SPEC, 3)
  for key, value in pairs(spec) do
    if type(value) ~= REF_SPEC[key] then
      error(("%s %q: %s must be a %s, not a %s"):format(kind, name, key, REF_SPEC[key],
        type(value)), 4)
    end
  end
  local images = spec.images or { spec.image }
  if #images == 0 or spec.image and spec.images then
    error(("%s %q needs a picture: image = \"a.png\", or images = { \"a.png\", … }")
      :format(kind, name), 4)
  end
  for i, given in ipairs(images) do
    if type(given) ~= "string" then
      error(("%s %q: images[%d] must be a path or an https URL, not a %s"):format(kind,
        name, i, type(given)), 4)
    end
  end
  return images
end

local function reference(show, kind, name, spec)
  local images = {}
  for i, given in ipairs(check_reference(kind, name, spec)) do
    local found, e = given, nil
    if not given:find "^https://" then found, e = assets.find(given) end
    if not found then error(e, 0) end
    images[i] = found
  end
  local ref, e = assets.registry():register { kind = kind, name = name, images = images,
    strength = spec.strength, tag = spec.tag, notes = spec.notes }
  if not ref then error(e, 0) end
  show.refs[name] = ref
  return ref
end

---@class rushes.ReferenceSpec
---@field image? string     path (looked for beside the script) or https URL
---@field images? string[]  several views
---@field strength? number  0 to 1
---@field tag? string       3 to 16 letters, digits, _; made from the name if not given
---@field notes? string

--- Register a character: `show:character("hero", { image = "refs/hero.png" })`.
--- Waits while the picture is hashed; spends nothing.
---@async
---@param name string
---@param spec rushes.ReferenceSpec
---@return rushes.Reference
function Show:character(name, spec) return reference(self, "character", name, spec) end

--- Register a style.
---@async
---@return rushes.Reference
function Show:style(name, spec) return reference(self, "style", name, spec) end

--- Register a place.
---@async
---@return rushes.Reference
function Show:location(name, spec) return reference(self, "location", name, spec) end

--- Register an object.
---@async
---@return rushes.Reference
function Show:prop(name, spec) return reference(self, "prop", name, spec) end

--- Add a shot. Nothing is sent before it is shot.
---@param spec table  the fields of rushes.Shot; seconds is 5 and ratio the show's
---@return rushes.Shot
function Show:shot(spec)
  local shot = shots.new(self, spec, 2)
  if self.shot_names[shot.name] then
    error(("show %s already has a shot %q"):format(self.name, shot.name), 2)
  end
  self.shot_names[shot.name] = true
  self.shots[#self.shots + 1] = shot
  return shot
end

local SHOOT = object.set "only"

--- Shoot every shot once, all at the same time; comes back when each has landed or
--- failed. One failure does not stop the rest. Waits; spends, never beyond the budget.
---@async
---@param opts? {only?: rushes.Shot}
---@return rushes.Takes
function Show:shoot(opts)
  if opts ~= nil and type(opts) ~= "table" then
    error("show:shoot() shoots every shot; for one of them say shot:shoot()", 2)
  end
  suggest.check_keys("show:shoot", opts or {}, SHOOT)
  local only = opts and opts.only
  return takes.new(shoot.shoot(self, only and { only } or self.shots))
end

return M
