--- rushes run: a script from a file or from standard input.
local program = require "rushes.cli.program"
local strict = require "rt.strict"

local M = {
  name = "run",
  summary = "run a script",
  usage = "rushes run [flags] SCRIPT [ARGS] [-- ARGS]",
  examples = {
    { "rushes run night.lua", "the key comes from RUNWAYML_API_SECRET" },
    { "rushes run --sim night.lua", "on the built-in simulator: no key, no credits" },
    { "rushes run --budget 200 night.lua", "buy nothing beyond 200 credits" },
    { "rushes run --only 'street*' --limit 5 night.lua", "five takes of these at most" },
    { "rushes run --force --only lobby night.lua", "one anew; asks for a yes" },
    { "rushes run --json night.lua > log.jsonl", "events as JSON Lines" },
    { "rushes run night.lua -- --draft 3", "the script gets --draft 3 as arg and ..." },
  },
}

local function number(what, least)
  return function(s)
    local n = tonumber(s)
    if n and n >= least and n < math.huge then return n end
    return nil, ("%s wants a number of at least %g, not '%s'"):format(what, least, s)
  end
end

local function whole(what)
  return function(s)
    local n = math.tointeger(tonumber(s))
    if n and n >= 0 then return n end
    return nil, ("%s wants a whole number from 0 on, not '%s'"):format(what, s)
  end
end

local function glob(s)
  if s ~= "" then return s end
  return nil, "--only wants a shot's name or a glob such as 'street*', not an empty word"
end

--- Flags that `run`, `plan` and `-e` share.
---@param p table      argparse parser
---@param json? string  what --json does, if it is not events
function M.flags(p, json)
  p:flag "--sim" :description "run on a simulator of its own, then print its bill"
  p:option "--sim-speed" :argname "N" :convert(number("--sim-speed", 0.001))
    :description "the simulator's clock runs N times as fast"
  p:option "--sim-faults" :argname "SPEC" :count "*"
    :description "what goes wrong there: docs/simulator.md"
  p:option "--budget" :argname "CREDITS" :convert(number("--budget", 0))
    :description "credits that this run may spend at most"
  p:option "--only" :argname "GLOB" :count "*" :convert(glob)
    :description "leave out shots of other names; may be given again"
  p:option "--limit" :argname "N" :convert(whole "--limit")
    :description "buy at most N takes; what is there already does not count"
  p:flag "--force" :description "make the shots anew, under the next number"
  p:flag "--yes" :description "with --force: do not ask whether the price is right"
  p:flag "--fail-fast" :description "after the first failed take submit nothing more"
  p:option "--on-unknown" :argname "hold|resubmit" :choices { "hold", "resubmit" }
    :description "what to do about calls whose outcome is not known; default hold"
  p:flag "--verify"
    :description "hash the files of landed takes, do not trust their dates"
  p:flag "--redecide" :description "ask the policies again instead of the journal"
  p:flag "--allow-moderated"
    :description "send what moderation has refused before; do not stop at three refusals"
  p:flag "--same-account"
    :description "a changed key or address of the provider is of the same account"
  p:flag "--json"
    :description(json or "events on stdout as JSON Lines; prints go to stderr")
  p:flag "--no-progress" :description "no live view and no lines for each step"
  p:option "--lua-path" :argname "DIR"
    :description "take rushes' own Lua files from DIR (also RUSHES_LUA_PATH)"
  p:flag "-v --verbose" :description "whole tracebacks"
end

--- What is wrong with flags that are right one by one: who asks for faults means the
--- simulator, and must not pay.
---@param opts table
---@return string? sentence
function M.check(opts)
  if opts.sim then return nil end
  for _, name in ipairs { "sim_speed", "sim_faults" } do
    local given = opts[name]
    if given and (type(given) ~= "table" or #given > 0) then
      return ("--%s is for the simulator: say --sim as well; without it the calls would"
        .. " be paid for"):format((name:gsub("_", "-")))
    end
  end
end

function M.parser(p, json)
  p:argument "script" :description "a Lua file, or - for standard input"
  p:argument "args" :args "*" :description "what the script gets as arg and ..."
  M.flags(p, json)
end

-- ---- the chunk ----

--- Raises with a sentence. Waits when the script comes from standard input.
local function read_stdin()
  local input <close> = assert(require("rt.stdin").open())
  return assert(input:all())
end

local function missing(path)
  local err = require "rt.err"
  return err.new("not_found", require("rushes.cli.missing").sentence(path))
end

local function load_file(path)
  local file, why, errno = io.open(path, "rb")
  if not file and errno == 2 then error(missing(path), 0) end
  if not file then
    error(require("rt.err").new("denied", "cannot read the script: " .. why), 0)
  end
  file:close()
  return loadfile(path, "bt", strict.env())
end

local function load_text(name, code)
  require("rushes.cli.report").add_source(name, code)
  return load(code, "=" .. name, "t", strict.env())
end

--- The function to run, and the path that `arg[0]` shows.
local function load_chunk(opts)
  local chunk, why
  local dir = opts.script and opts.script:match "^(.*/)" or "./"
  package.scriptpath = dir .. "?.lua" -- luacheck: ignore 142
  if opts.code then
    chunk, why = load_text("(command line)", opts.code)
  elseif opts.script == "-" then
    chunk, why = load_text("(standard input)", read_stdin():gsub("^#[^\n]*", ""))
  else
    chunk, why = load_file(opts.script)
  end
  if not chunk then error(why, 0) end
  return chunk
end

--- What earlier runs have paid for and the script did not ask for.
local function bring_home()
  if package.loaded["rushes.take.shooting"] then
    require("rushes.take.orphans").bring_home()
  end
end

--- The script or the code as a body for `start`.
---@param state table  fields of the program
---@param opts table
---@return async fun()
function M.body(state, opts)
  if not opts.plan then state.after = bring_home end
  return function()
    local args = opts.args or {}
    local chunk = load_chunk(opts)
    args[0] = opts.script or "-e"
    require("rushes.config").options.script = args[0]
    strict.env().arg = args
    return chunk(table.unpack(args)) -- a tail call: "main chunk" in tracebacks
  end
end

-- ---- what the flags ask for ----

--- A display is opened by the first event: a script without takes never has one, except
--- for --json, which always ends with a line.
local function show_events(opts, state)
  if opts.json then return require("rushes.cli.display").open(state, opts) end
  local event = require "rushes.event"
  local unsubscribe
  unsubscribe = event.subscribe(function(kind, fields)
    unsubscribe()
    local display = require("rushes.cli.display").open(state, opts)
    display:event(kind, fields)
  end)
end

-- What the studio is told of the flags, as rushes.config.Options.
local STUDIO = { "budget", "only", "limit", "force", "fail_fast", "on_unknown", "verify",
  "redecide", "allow_moderated", "same_account", "plan" }

--- At a terminal a price is agreed to before it is paid a second time.
local function ask_first()
  local sys = require "rt.c.sys"
  if sys.isatty(0) and sys.isatty(2) then
    require("rushes.config").options.confirm = require "rushes.cli.confirm"
  end
end

local function apply_flags(opts)
  if opts.lua_path then require "rushes.cli.devpath" (opts.lua_path) end
  if opts.only and #opts.only == 0 then opts.only = nil end
  for _, name in ipairs(STUDIO) do
    if opts[name] then require("rushes.config").options[name] = opts[name] end
  end
  require("rushes.config").options.again = function()
    local command = require("rushes.cli.resume").command(opts)
    return command and require("rt.log").scrub(command) -- it is kept in a file
  end
  if opts.force and not opts.yes then ask_first() end
end

--- Run what `body(state, opts)` gives, as the flags ask.
---@param make_body fun(state: table, opts: table): async fun(program: rushes.cli.Program)
---@param opts table
---@return integer status
function M.start(make_body, opts)
  local state = { verbose = opts.verbose }
  apply_flags(opts)
  if not opts.plan then show_events(opts, state) end
  local run = make_body(state, opts)
  if opts.only then run = require("rushes.cli.only").body(opts.only, run) end
  if opts.sim then run = require("rushes.cli.with_sim").body(opts, run) end
  local status = program.run(run, state)
  if status ~= 0 and state.display then
    require("rushes.cli.resume").say(state, opts, status)
  end
  return status
end

--- Run a script or a piece of code.
---@param opts table  script | code, args, and the flags
---@return integer status
function M.main(opts) return M.start(M.body, opts) end

return M
