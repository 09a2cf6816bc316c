--- --json: every event as one line of JSON on stdout, for programs. What the script
--- prints goes to stderr, so that stdout holds nothing else.
local core = require "rt.c.core"
local err = require "rt.err"
local json = require "rt.json"
local log = require "rt.log"

local M = {}

--- Grows when a field changes its meaning or goes away; new fields may come any time.
M.SCHEMA = 1

---@class rushes.cli.Jsonl
local Jsonl = {}
Jsonl.__index = Jsonl

local FIELDS = { "show", "shot", "take", "model", "stage", "stage_model", "state",
  "progress", "credits", "id", "file", "why", "text", "name", "budget", "spent",
  "reserved", "left", "total", "provider", "balance", "earlier" }

--- An error as data: what a program needs to decide, no causes, no tracebacks.
---@param e any
---@return table?
function M.error(e)
  if e == nil then return nil end
  local message = log.scrub(tostring(e))
  if not err.is(e) then return { code = "script", message = message } end
  return { code = e.code, message = message, class = e.class, status = e.status,
    retryable = e.retryable or false, retry_after = e.retry_after, unknown = e.unknown,
    flag = e.flag }
end

local function emit(line)
  line.schema, line.time = M.SCHEMA, math.floor(core.time() * 1000) / 1000
  io.stdout:write(json.encode(line), "\n")
  io.stdout:flush()
end

local MONEY = { submitted = true, landed = true, failed = true }

---@param kind string
---@param f table
function Jsonl:event(kind, f)
  local line = { event = kind, err = M.error(f.err) }
  for _, field in ipairs(FIELDS) do line[field] = f[field] end
  emit(line)
  if MONEY[kind] then
    local spent, held, left, before = self.board:money()
    emit { event = "budget", spent = spent, reserved = held, left = left,
      total = self.board.limit, before = before }
  end
end

---@param line string
function Jsonl:say(line) -- luacheck: ignore 212
  emit { event = "note", text = line }
end

function Jsonl:close() end -- luacheck: ignore 212

--- The last line.
---@param status integer
---@param e? rt.Err  what the script raised
function Jsonl:finish(status, e)
  local board = self.board
  local spent, held = board:money()
  emit { event = "end", exit = status, err = M.error(e), takes = board.planned,
    landed = board.landed, failed = board.failed, unknown = board.unknown,
    skipped = board.skipped, stopped = board.stopped, fetched = board.fetched,
    spent = spent, reserved = held, seconds = board:elapsed() }
end

---@param board rushes.cli.Board
---@return rushes.cli.Jsonl
function M.open(board)
  require("rushes.cli.prints").to_stderr()
  return setmetatable({ board = board }, Jsonl)
end

return M
