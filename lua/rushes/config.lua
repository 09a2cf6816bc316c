--- Where a provider's address and key come from: what the command line set (--sim),
--- then the environment, then the provider's default. Keys are never held in Lua: a
--- provider gets a recipe that `rt.net` resolves in C.
local err = require "rt.err"

local M = {}

--- What the flags of `rushes run` ask of every show.
---@class rushes.config.Options
---@field budget? number  --budget: credits for all shows together
---@field sim? boolean    --sim: this run talks to the simulator
---@field script? string  the script that runs, as it was named
---@field again? fun(): string?  the command that goes on where this run stops
---@field prompt? boolean `rushes repl`: a person types one statement after another
---@field plan? boolean   `rushes plan`: nothing is sent, nothing is written
---@field only? string[]  --only: globs of shot names
---@field limit? integer  --limit: takes that may be bought
---@field force? boolean  --force: make shots anew
---@field confirm? async fun(takes: integer, credits: number): boolean  asked with --force
---@field fail_fast? boolean
---@field on_unknown? "hold"|"resubmit"
---@field verify? boolean
---@field redecide? boolean
---@field allow_moderated? boolean
---@field same_account? boolean
---@field accept_loss? boolean  reconcile: go on with a journal that has lost its end
M.options = {}

local overrides = {} -- variable -> {value, origin}

--- Set a variable for this process only, in front of the environment.
---@param name string
---@param value string
---@param origin string  where it comes from, for messages: "--sim"
function M.set(name, value, origin)
  overrides[name] = { value = value, origin = origin }
end

--- Forget what was set; for tests.
function M.reset()
  overrides, M.options = {}, {}
end

--- The value of a variable. An empty one counts as not set.
---@param name string
---@return string? value
---@return string? origin  "--sim" or "the environment"
function M.get(name)
  local set = overrides[name]
  if set then return set.value, set.origin end
  local value = os.getenv(name)
  if value and value ~= "" then return value, "the environment" end
end

-- Names that people and other tools use for the same key. They are named in the
-- error when the right one is missing; their values are never read further.
local LOOKALIKES = {
  RUNWAYML_API_SECRET = { "RUNWAYML_API_KEY", "RUNWAY_API_SECRET", "RUNWAY_API_KEY",
    "RUNWAY_TOKEN", "RUNWAYML_KEY", "RUNWAYML_SECRET", "RUNWAYML_TOKEN",
    "RUNWAYML_API_TOKEN", "RUNWAY_KEY", "RUNWAY_SECRET", "RUNWAY_API_TOKEN",
    "RUNWAY_SKILLS_API_SECRET" },
  GEN4_API_KEY = { "GEN4_KEY", "GEN4_TOKEN", "GEN4_API_SECRET", "GEN4_API_TOKEN" },
}

--- Variables that are set although the right name is another.
---@param name string  the right name
---@return string[]
function M.lookalikes(name)
  local found = {}
  for _, other in ipairs(LOOKALIKES[name] or {}) do
    if M.get(other) then found[#found + 1] = other end
  end
  return found
end

local function no_key(provider)
  local name = provider.key_env
  local others = M.lookalikes(name)
  local text
  if #others > 0 then
    text = ("%s is not set, but %s is: rushes reads the key of %s only from %s "
      .. '(export %s="$%s")'):format(name, table.concat(others, ", "), provider.name,
      name, name, others[1])
  else
    text = ("no key for %s: put it in the environment variable %s, or try without one "
      .. "on the simulator (rushes run --sim SCRIPT)"):format(provider.name, name)
  end
  return err.new("auth", text, { class = "auth", variables = others })
end

--- `https://host:port` of an address.
---@param url string
---@return string?
function M.origin(url)
  local scheme, host = url:match "^(https?)://([^/?#]+)"
  return host and scheme .. "://" .. host:gsub("^.*@", ""):lower() or nil
end

local LOOPBACK = { localhost = true, ["[::1]"] = true }

local function is_loopback(host)
  host = host:gsub(":%d+$", "")
  return LOOPBACK[host] or host:match "^127%.%d+%.%d+%.%d+$" ~= nil
end

local function check_base(provider, base, origin)
  local where = origin and (" (from %s, %s)"):format(provider.base_env, origin) or ""
  local site = M.origin(base)
  if not site then
    return nil, err.new("invalid", ("the address of %s%s is no http(s) URL: %q"):format(
      provider.name, where, (base:gsub("//[^/@]*@", "//…@"))))
  end
  if site:match "^http://" and not is_loopback(site:sub(8)) then
    return nil, err.new("invalid", ("the address of %s%s is plain http to %s: a key must "
      .. "not travel unencrypted; use https"):format(provider.name, where, site:sub(8)))
  end
  return site
end

---@class rushes.config.Provider
---@field base string     without a final slash
---@field origin? string  where `base` comes from; nil for the provider's default
---@field secret table    the recipe for net.secret: {env | value, scheme, origins}

--- Address and key recipe of a provider, or what is missing, in a sentence.
---@param provider table  docs/design.md, "A provider"
---@param given? {base?: string}  what the script itself says
---@return rushes.config.Provider?
---@return rt.Err?
function M.provider(provider, given)
  local base, origin = given and given.base, nil
  if not base then base, origin = M.get(provider.base_env) end
  base = base or provider.base
  if not base then
    return nil, err.new("invalid", ("the address of %s is not known: put it in the "
      .. "environment variable %s, or run on the simulator (rushes run --sim SCRIPT)")
      :format(provider.name, provider.base_env))
  end
  local site, e = check_base(provider, base, origin)
  if not site then return nil, e end
  local secret = { scheme = provider.auth, origins = { site } }
  local set = overrides[provider.key_env]
  if set then
    secret.value = set.value
  elseif M.get(provider.key_env) then
    secret.env = provider.key_env
  else
    return nil, no_key(provider)
  end
  return { base = (base:gsub("/+$", "")), origin = origin, secret = secret }
end

return M
