--- rushes reconcile: submissions whose outcome is not known, what speaks for what, and
--- how a person settles them.
local output = require "rushes.cli.output"
local program = require "rushes.cli.program"
local shows = require "rushes.cli.shows"

local M = {
  name = "reconcile",
  summary = "settle paid calls whose outcome is not known",
  usage = "rushes reconcile [--sim] [--json] [SHOW]"
    .. " [--assume lost|charged [--id N ...]] [--resubmit N ...] [--accept-loss]",
  examples = {
    { "rushes reconcile night-walk", "list them, with what the account says" },
    { "rushes reconcile night-walk --assume lost", "none was taken: free the credits" },
    { "rushes reconcile night-walk --assume charged --id 17", "17 was taken: count it" },
    { "rushes reconcile night-walk --resubmit 18", "ask for it again; may pay twice" },
  },
}

local UNKNOWN = 9 -- exit status while some are not settled

local HOW = { lost = true, charged = true }

local function number(s)
  local n = math.tointeger(tonumber(s))
  if n and n > 0 then return n end
  return nil, ("'%s' is no number of a submission"):format(s)
end

local function how(s)
  if HOW[s] then return s end
  return nil, ("--assume wants lost or charged, not '%s'"):format(s)
end

function M.parser(p)
  shows.argument(p)
  p:option "--assume" :argname "HOW" :convert(how)
    :description "lost: not taken, or charged: taken; all of them, or those of --id"
  p:option "--id" :argname "N" :args "+" :convert(number)
    :description "the numbers of the submissions that --assume settles"
  p:option "--resubmit" :argname "N" :args "+" :convert(number)
    :description "the next run asks for these again; may pay twice"
  p:flag "--accept-loss"
    :description "go on with a journal whose end is lost; may buy again what stood there"
  p:flag "--json" :description "JSON instead of lines"
end

local function settle(folder, case, opts)
  local settled = require "rushes.take.settle"
  local done = {}
  local function apply(ids, what)
    if #ids == 0 then return end -- every outcome is known already
    local ok, e = settled.settle(folder, ids, what)
    if not ok then error(e, 0) end
    for _, id in ipairs(ids) do done[#done + 1] = { id = id, how = what } end
  end
  if opts.resubmit then apply(opts.resubmit, "resubmit") end
  if opts.assume then
    local ids = opts.id or {}
    for _, row in ipairs(not opts.id and case.rows or {}) do ids[#ids + 1] = row.id end
    apply(ids, opts.assume)
  end
  return done
end

local function body(opts, result)
  return function()
    if opts.id and not opts.assume then
      error(require("rt.err").new("usage", "--id says which submissions --assume settles:"
        .. " say --assume lost or --assume charged"), 0)
    end
    local folder, e = shows.find(opts.show, opts.sim)
    if not folder then error(e, 0) end
    if opts.accept_loss then
      local ok
      ok, e = require("rushes.take.settle").accept_loss(folder)
      if not ok then error(e, 0) end
    end
    local cases = require "rushes.cli.case"
    local case
    case, e = cases.gather(folder)
    if not case then error(e, 0) end
    local done = settle(folder, case, opts)
    if #done > 0 then
      case, e = cases.gather(folder, case.looks)
      if not case then error(e, 0) end
    end
    case.done, result.unknown = done, case.unknown
    output.write(opts, function() return cases.data(case) end,
      function(columns, paint) return cases.lines(case, columns, paint) end)
  end
end

---@param opts table
---@return integer status  9 while some are not settled
function M.main(opts)
  local result = { unknown = 0 }
  local status = program.run(body(opts, result), { json = opts.json, command = true })
  return status ~= 0 and status or result.unknown > 0 and UNKNOWN or 0
end

return M
