--- rushes sim: the simulator as a server of its own.
local program = require "rushes.cli.program"

local M = {
  name = "sim",
  summary = "a simulated provider: real clips, no key, no credits",
  usage = "rushes sim [flags]",
  examples = {
    { "rushes sim", "any free port; the first line says which" },
    { "rushes sim --port 8420 --speed 1", "as slow as the real one" },
    { "rushes sim --faults 429:0.1,fail:INTERNAL", "what goes wrong: docs/simulator.md" },
    { "rushes run --sim night.lua", "starts one for a single run" },
  },
}

local function whole(name, least, most)
  return function(s)
    local n = math.tointeger(tonumber(s))
    if n and n >= least and n <= most then return n end
    return nil, ("%s is a whole number from %d to %d, not '%s'"):format(name, least,
      most, s)
  end
end

local function number(name)
  return function(s)
    local n = tonumber(s)
    if n and n >= 0 and n < math.huge then return n end
    return nil, ("%s is a number of at least 0, not '%s'"):format(name, s)
  end
end

function M.parser(p)
  p:option "--port" :argname "N" :convert(whole("--port", 0, 65535))
    :description "where to listen; 0, the default, is any free port"
  p:option "--host" :argname "ADDRESS"
    :description "a loopback address, default 127.0.0.1"
  p:option "--speed" :argname "N" :convert(number "--speed")
    :description "simulated seconds per second, default 12; 0 stands still"
  p:option "--tier" :argname "1-5" :convert(whole("--tier", 1, 5))
    :description "limits of the account, default 3"
  p:option "--credits" :argname "N" :convert(number "--credits")
    :description "balance to begin with, default 100000"
  p:option "--budget" :argname "N" :convert(number "--budget")
    :description "check that no more credits are ever charged and held; the bill says"
  p:option "--faults" :argname "SPEC" :count "*"
    :description "what goes wrong, such as 429:0.1; may be given again"
  p:option "--seed" :argname "N" :convert(whole("--seed", 0, math.maxinteger))
    :description "of all that is left to chance, default 1"
  p:flag "--no-media" :description "deliver tiny ready-made files; needs no ffmpeg"
  p:flag "--child" :hidden(true)
end

local HINT = [[
In another shell:
  export RUNWAYML_BASE_URL=%s
  export RUNWAYML_API_SECRET=key_%s   # made up: any key of this shape will do
Ctrl-C ends it and prints the bill; %s/_sim says more.
]]

--- A key of the right shape that means nothing.
---@return string
function M.made_up_key()
  local parts = { "key_" }
  for i = 2, 9 do parts[i] = ("%016x"):format(math.random(0)) end
  return table.concat(parts)
end

local function announce(opts)
  return function(_, sim)
    io.stdout:write("listening ", sim.url, "\n")
    io.stdout:flush()
    if not opts.child then
      io.stderr:write(HINT:format(sim.url, M.made_up_key():sub(5), sim.url))
    end
  end
end

--- The child of `rushes run --sim` ends when its parent closes its standard input.
local function end_with_parent(scope)
  local input <close> = assert(require("rt.stdin").open())
  while input:read() do end
  scope:cancel "the run has ended"
end

local function body(opts)
  return function(state)
    local sim = require "rushes.sim"
    if opts.child then state.scope:spawn(end_with_parent, state.scope) end
    local _, e = sim.serve { port = opts.port or 0, host = opts.host, speed = opts.speed,
      tier = opts.tier, credits = opts.credits, budget = opts.budget, seed = opts.seed,
      faults = #opts.faults > 0 and table.concat(opts.faults, ",") or nil,
      media = not opts.no_media, on_ready = announce(opts),
      on_end = function(server) io.stderr:write(server.bill:text(), "\n") end }
    if e then
      if e.code == "invalid" then e.code = "usage" end
      error(e, 0)
    end
  end
end

---@param opts table
---@return integer status  0 also when Ctrl-C ended it, which is how it ends
function M.main(opts)
  local status = program.run(body(opts))
  return status == 130 and 0 or status
end

return M
