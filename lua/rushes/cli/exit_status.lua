--- Exit statuses: what a run's errors and failed takes mean for a caller. docs/cli.md
--- has the table.
local core = require "rt.c.core"

local M = {}

M.OK, M.SOME_FAILED, M.USAGE, M.NOT_FOUND, M.AUTH, M.PROVIDER, M.NETWORK, M.SCRIPT,
M.BUDGET, M.UNKNOWN, M.MODERATION = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
M.ASSERTION = 100

-- What a status says, for a person who sees its number; signals are 128 and more.
local MEANS = { "some takes failed", "the command line made no sense",
  "something that it needs was not there", "no key, or it was refused",
  "the provider failed or refused", "the network failed", "the script had an error",
  "the budget did not reach", "the outcome of a paid call is not known",
  "too many calls were moderated", [100] = "an expectation was not met",
  [129] = "the terminal was closed", [130] = "Ctrl-C", [143] = "SIGTERM" }

--- In words; nil for 0 and for a script's own.
---@param status integer
---@return string?
function M.means(status) return MEANS[status] end

-- Error codes (docs/errors.md) and failure classes of providers (docs/design.md).
local BY_CODE = {
  auth = 4, budget = 8, moderation = 10, unknown = 9,
  locked = 1, damaged = 1, no_space = 1, denied = 1, io = 1, -- of the machine
  not_found = 3, assertion = 100, usage = 2,
  provider = 5, http = 5, expired = 5, protocol = 5, busy = 5,
  network = 6, timeout = 6, tls = 6,
}
local BY_CLASS = {
  auth = 4, safety = 5, bad_output = 5, asset = 5, internal = 5, unavailable = 5,
  quota = 5, expired = 5,
  journal = 1, -- ours: a journal that this program cannot read
}

--- The status that one error stands for, 7 for a script's own.
---@param e rt.Err
---@return integer
function M.of_error(e)
  if e.code == "cancelled" and e.cause then e = e.cause end
  if e.unknown then return M.UNKNOWN end
  if e.code == "interrupted" then
    local _, last = core.interrupts()
    return 128 + (e.signal or last > 0 and last or 2)
  end
  if e.class == "invalid" and (e.status or e.failure_code) then
    return M.PROVIDER -- refused by it, at once or when it came to work on it
  end
  return BY_CODE[e.code] or BY_CLASS[e.class] or M.SCRIPT
end

--- The status that one failed take stands for: never the script's.
local function of_failure(e)
  local status = e and M.of_error(e) or M.PROVIDER
  if status == M.SCRIPT or status == M.NOT_FOUND then return M.SOME_FAILED end
  return status
end

-- Among failed takes the one that most needs a person decides.
local FIRST = { M.UNKNOWN, M.MODERATION, M.BUDGET, M.AUTH }

--- The status of a run whose code ended well: 0, or what its failed takes say.
--- Unknown outcomes, the moderation breaker, the budget and the key are told even when
--- other takes landed; provider and network only when nothing landed and all failed so.
---@param board rushes.cli.Board
---@return integer
function M.of_takes(board)
  local kinds, only = {}, nil
  for status, n in pairs(board.failures) do
    if n > 0 then
      kinds[#kinds + 1] = status
      only = status
    end
  end
  if #kinds == 0 then return M.OK end
  for _, status in ipairs(FIRST) do
    if (board.failures[status] or 0) > 0 then return status end
  end
  if #kinds == 1 and board.landed == 0 then return only end
  return M.SOME_FAILED
end

--- The status of a whole run.
---@param e? rt.Err                what the script raised
---@param board? rushes.cli.Board  what became of its takes
---@return integer
function M.of(e, board)
  if e then return M.of_error(e) end
  return board and M.of_takes(board) or M.OK
end

M.of_failure = of_failure

return M
