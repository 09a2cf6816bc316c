local lu = require "luaunit"
local commands = require "rushes.cli.commands"
local resume = require "rushes.cli.resume"

local T = {}

--- What `rushes run` makes of a command line, and the command that goes on.
local function command(...)
  local ok, opts = commands.parser(commands.get "run"):pparse { ... }
  assert(ok, opts)
  return resume.command(opts)
end

function T.test_the_same_flags_again()
  lu.assertEquals(command "night.lua", "rushes run night.lua")
  lu.assertEquals(command("--budget", "200", "--only", "street*", "--fail-fast", "night.lua"),
    "rushes run --budget 200 --only 'street*' --fail-fast night.lua")
  lu.assertEquals(command("--sim", "--sim-faults", "429:0.1", "--sim-faults", "502:x2", "a.lua"),
    "rushes run --sim --sim-faults 429:0.1 --sim-faults 502:x2 a.lua")
  lu.assertEquals(command("--on-unknown", "resubmit", "--verify", "a.lua"),
    "rushes run --on-unknown resubmit --verify a.lua")
end

function T.test_what_would_buy_again_is_left_out()
  lu.assertEquals(command("--force", "--yes", "--redecide", "--limit", "3",
    "--allow-moderated", "a.lua"), "rushes run a.lua")
end

function T.test_arguments_and_odd_names_are_quoted()
  lu.assertEquals(command("my show.lua", "--", "--draft", "it's", ""),
    "rushes run 'my show.lua' -- --draft 'it'\\''s' ''")
end

function T.test_standard_input_cannot_be_named_again()
  lu.assertNil(command "-")
  lu.assertNil(resume.command { code = "print(1)" })
end

--- Every flag of run is either kept or known to be left out.
function T.test_every_flag_is_decided_on()
  local left_out = { force = true, yes = true, redecide = true, limit = true,
    allow_moderated = true, same_account = true, help = true }
  local parser = commands.parser(commands.get "run")
  for _, option in ipairs(parser._options) do
    local name = option._name
    local key = option._target or name:gsub("^%-+", ""):gsub("%-", "_")
    for _, alias in ipairs(option._aliases) do
      if alias:find "^%-%-" then key = alias:sub(3):gsub("%-", "_") end
    end
    local opts = { script = "a.lua", [key] = "x" }
    local kept = resume.command(opts) ~= "rushes run a.lua"
    lu.assertEquals(kept, not left_out[key], name)
  end
end

return T
