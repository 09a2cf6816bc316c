---@meta rt.proc
-- Made by tools/meta.lua: do not edit.

-- Child processes. A child belongs to the scope that spawned it, as a task does: the
-- scope ends when the child has ended, and a scope that is cancelled ends its children,
-- with SIGTERM and three seconds later with SIGKILL. A child is also killed when this
-- program dies; what the child itself has started is then not.
--
-- Variables of the environment that look like secrets are not passed on.
local M = {}

local SECRET = {}

--- Never pass this variable on to a child, whatever its name looks like.
---@param name string
function M.hide_env(name) end

---@class rt.proc.Opts
---@field [integer] string|number  the program and its arguments; no shell is involved
---@field cwd? string              the folder it runs in
---@field env? table<string, string|number|false>  variables to set; false removes one

---@class rt.proc.SpawnOpts: rt.proc.Opts
---@field stdin? boolean           true: `write` feeds it; otherwise it reads nothing
---@field stdout? "pipe"|"null"|"inherit"   default "pipe", for `read` and `lines`
---@field stderr? "pipe"|"null"|"inherit"   default "pipe": the end of it is kept

---@class rt.proc.RunOpts: rt.proc.Opts
---@field stdin? string            what it reads
---@field max_output? integer      bytes of stdout, and of stderr, default 16 MiB

---@class rt.proc.Result
---@field code integer     0..255; 128 + number if a signal ended it
---@field signal? string   that signal's name
---@field stdout? string   of `run` only
---@field stderr string    its end, if it was long

local COMMON = {}

local SPAWN = {}

local RUN = {}

---@class rt.proc.Child
---@field pid integer
---@field private child userdata
---@field private program string
---@field private result? rt.proc.Result
---@field private waiting rt.Task[]
---@field private buffered string    read for `lines`, not yet handed out
local Child = {}

--- Start a program. It belongs to the scope of the caller.
---@async
---@param opts rt.proc.SpawnOpts
---@return rt.proc.Child?
---@return rt.Err? err  not_found: the program is not installed
function M.spawn(opts) end

--- The next piece of its standard output, as it comes; nil at the end.
---@async
---@return string?
---@return rt.Err? err
function Child:read() end

--- `for line in p:lines() do`: the lines of its standard output as they come. A failure
--- to read is raised.
---@async
---@return fun(): string?
function Child:lines() end

--- Write to its standard input; returns when the pipe has taken it.
---@async
---@param text string
---@return true?
---@return rt.Err? err  closed: it does not read any more
function Child:write(text) end

--- Close its standard input: it then reads the end of it.
function Child:end_input() end

--- Send it (and what it has started) a signal.
---@param signal? string|integer  "SIGTERM" by default
---@return boolean  false: it had ended already
function Child:kill(signal) end

--- Wait for its end. Its output must be read meanwhile, or it may wait for us.
---@async
---@return rt.proc.Result
function Child:wait() end

--- Run a program to its end and collect what it writes. How it ended is in the result:
--- look at `code`.
---@async
---@param opts rt.proc.RunOpts
---@return rt.proc.Result?
---@return rt.Err? err  not_found: it is not installed; too_large: see max_output
function M.run(opts) end

return M
