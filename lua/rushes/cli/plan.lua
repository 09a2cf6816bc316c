--- rushes plan: the script runs, nothing is sent, and what it would buy is printed.
local event = require "rushes.event"
local exit_status = require "rushes.cli.exit_status"
local output = require "rushes.cli.output"
local run = require "rushes.cli.run"
local task = require "rt.task"
local text = require "rushes.cli.text"

local M = {
  name = "plan",
  summary = "what a script would buy: an invoice, with nothing sent",
  usage = "rushes plan [flags of run] SCRIPT [ARGS] [-- ARGS]",
  examples = {
    { "rushes plan night.lua", "each call, its credits and why; needs no key" },
    { "rushes plan --only 'street*' night.lua", "flags as for run" },
    { "rushes plan --budget 200 night.lua", "status 8 if something does not fit" },
    { "rushes plan --json night.lua > plan.json", "for a program" },
  },
}

function M.parser(p) run.parser(p, "JSON instead of lines") end

M.check = run.check

--- Collect what the studio tells while the script runs.
---@return rushes.cli.Plan
local function listen()
  local plan = { calls = {}, accounts = {}, shows = {} }
  local on = {
    call = function(f)
      local copy = {}
      for k, v in pairs(f) do copy[k] = v end
      -- Nothing stands in its way: a flag or the policy has left it out.
      if f.err and f.err.code == "skipped" then copy.call = "skipped" end
      plan.calls[#plan.calls + 1] = copy
    end,
    lanes = function(f) plan.accounts[f.provider] = f end,
    show = function(f) plan.shows[#plan.shows + 1] = f end,
    note = function(f) io.stderr:write(text.clean(f.text or ""), "\n") end,
  }
  event.subscribe(function(kind, f)
    if on[kind] then on[kind](f) end
  end)
  return plan
end

local function blocked_by_budget(plan)
  for _, call in ipairs(plan.calls) do
    if call.err and call.err.code == "budget" then return true end
  end
  return false
end

--- The invoice, also of a script that has failed: of the calls so far. Of a script that
--- came to nothing the error alone is told.
local function print_invoice(plan, opts, failed)
  local invoice = require "rushes.cli.invoice"
  if failed and #plan.calls == 0 and not opts.json then return end
  if not failed then require("rushes.take.orphans").tell() end
  local bill = invoice.of(plan, failed)
  output.write(opts, function() return invoice.data(bill) end,
    function(columns, paint) return invoice.lines(bill, columns, paint) end)
end

local PRINTING = 30 -- seconds at most, when the script was ended meanwhile

--- The script, and then its invoice, however the script ends: by an error or os.exit too.
local function body(plan)
  return function(state, opts)
    local script = run.body(state, opts)
    return function(program)
      local _ <close> = setmetatable({}, { __close = function(_, raised)
        local failed = not program.exit and raised or nil
        task.shield(PRINTING, print_invoice, plan, opts, failed)
      end })
      script(program)
    end
  end
end

---@param opts table  flags of run
---@return integer status  8 when something is blocked by a budget
function M.main(opts)
  opts.plan = true
  require("rushes.cli.prints").to_stderr()
  local plan = listen()
  local status = run.start(body(plan), opts)
  return status == 0 and blocked_by_budget(plan) and exit_status.BUDGET or status
end

return M
