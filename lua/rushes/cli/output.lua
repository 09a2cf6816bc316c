--- The answer of a command on stdout: JSON for a program, else lines that fit.
local sys = require "rt.c.sys"
local text = require "rushes.cli.text"

local M = {}

--- What a program gets in place of the answer.
---@param e rt.Err
---@param status integer  that the command ends with
function M.failure(e, status)
  io.stdout:write(require("rt.json").encode { schema = 1, exit = status,
    err = require("rushes.cli.jsonl").error(e) }, "\n")
  io.stdout:flush()
end

--- Write it.
---@param opts {json?: boolean}
---@param data fun(): table  what --json gives
---@param lines fun(columns: integer?, paint: function): string[]
function M.write(opts, data, lines)
  local out = opts.json and require("rt.json").encode(data())
    or table.concat(lines(sys.window(1), text.painter(text.colour(1))), "\n")
  io.stdout:write(out, "\n")
  io.stdout:flush()
end

return M
