--- What the host runs first: our own `require`, Ctrl-C that reaches a coroutine.
--- `main.c` then requires the product's entry.
local argv = ...

local embed = require "rt.c.embed"
local core = require "rt.c.core"

_G.arg = argv
_G.require = embed.load "rt.require" (embed)

-- The host must know which coroutine runs to stop one that never waits.
local coroutine, create = coroutine, coroutine.create

coroutine.resume = core.resume

local function unwrap(co, ok, ...)
  if ok then return ... end
  coroutine.close(co) -- runs its pending __close handlers, as the library does
  error((...), 0)
end

coroutine.wrap = function(fn)
  local co = create(fn)
  return function(...) return unwrap(co, core.resume(co, ...)) end
end
