--- The answer of a command on stdout: JSON for a program, else lines that fit.
local err = require "rt.err"
local sys = require "rt.c.sys"
local text = require "rushes.cli.text"

local M = {}

local ENOSPC, EPIPE = 28, 32

--- An answer that is lost must not pass for one; a reader that has gone wanted no more.
local function put(out)
  local ok, why, errno = io.stdout:write(out, "\n")
  if ok then ok, why, errno = io.stdout:flush() end
  if ok or errno == EPIPE then return end
  error(err.new(errno == ENOSPC and "no_space" or "io",
    "the answer could not be written to standard output: " .. why), 0)
end

--- What a program gets in place of the answer.
---@param e rt.Err
---@param status integer  that the command ends with
function M.failure(e, status)
  pcall(put, require("rt.json").encode { schema = 1, exit = status,
    err = require("rushes.cli.jsonl").error(e) })
end

--- Write it, or raise.
---@param opts {json?: boolean}
---@param data fun(): table  what --json gives
---@param lines fun(columns: integer?, paint: function): string[]
function M.write(opts, data, lines)
  local out = opts.json and require("rt.json").encode(data())
    or table.concat(lines(sys.window(1), text.painter(text.colour(1))), "\n")
  put(out)
end

return M
