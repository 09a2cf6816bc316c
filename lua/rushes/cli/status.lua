--- rushes status: how a show stands, once or as it goes on.
local fs = require "rt.fs"
local output = require "rushes.cli.output"
local program = require "rushes.cli.program"
local records = require "rushes.take.records"
local shows = require "rushes.cli.shows"
local standing = require "rushes.cli.standing"
local sys = require "rt.c.sys"
local task = require "rt.task"
local text = require "rushes.cli.text"

local M = {
  name = "status",
  summary = "how a show stands: takes, credits, what to do next",
  usage = "rushes status [--watch] [--sim] [--json] [SHOW]",
  examples = {
    { "rushes status", "the only show below this folder" },
    { "rushes status night-walk", "by its name or folder" },
    { "rushes status --watch", "live, until Ctrl-C; also while a run writes" },
    { "rushes status --json", "every take, for a program" },
  },
}

local EVERY = 1   -- seconds between two looks
local LISTED = 30 -- takes, where there is no screen to fit
local SIGINT = 130

function M.parser(p)
  shows.argument(p)
  p:flag "--watch" :description "go on showing it until Ctrl-C"
  p:flag "--json" :description "JSON instead of lines; with --watch one line per change"
end

local function write(s, opts)
  output.write(opts, function() return standing.data(s) end,
    function(columns, paint) return standing.lines(s, columns, LISTED, paint) end)
end

-- ---- watching ----

--- Changes whenever the journal or its lock may have.
local function mark_of(folder)
  local parts = {}
  for i, path in ipairs { records.path(folder), records.path(folder) .. "-wal",
    fs.join(folder, "journal.lock") } do
    local stat = fs.stat(path)
    parts[i] = stat and ("%d %f %d"):format(stat.size, stat.mtime, stat.id) or ""
  end
  return table.concat(parts, " ")
end

--- On a terminal: drawn anew each second, because it shows how long things take.
local function draw(view, s)
  local terminal = require "rushes.cli.terminal"
  local columns, rows = terminal.size()
  local paint = text.painter(text.colour(2))
  local most = math.min(rows, #s.open)
  local lines, over
  repeat -- a take has a line, and often another with its reason
    lines = standing.lines(s, columns - 1, most, paint)
    over = #lines - (rows - 1)
    most = most - math.max(1, over // 3)
  until over <= 0 or most < 0
  view:show({ table.unpack(lines, 1, rows - 1) })
end

local function watch(folder, opts, view)
  local mark, s
  while true do
    local now = mark_of(folder)
    if now ~= mark then
      local e
      s, e = standing.of(folder)
      if not s then error(e, 0) end
      s.watched = true
      if not view then write(s, opts) end
      mark = now
    end
    s.now = require("rt.c.core").time()
    if view then draw(view, s) end
    task.sleep(EVERY)
  end
end

local function body(opts)
  return function()
    local folder, e = shows.find(opts.show, opts.sim)
    if not folder then error(e, 0) end
    if not opts.watch then
      local s
      s, e = standing.of(folder)
      if not s then error(e, 0) end
      return write(s, opts)
    end
    local live = not opts.json and sys.isatty(2) and os.getenv "TERM" ~= "dumb"
    local view = live and require("rushes.cli.terminal").open()
    local _ <close> = setmetatable({}, { __close = function()
      if not view then return end
      view:close()
      task.shield(5, function() write(assert(standing.of(folder)), opts) end)
    end })
    watch(folder, opts, view)
  end
end

---@param opts {show?: string, sim?: boolean, watch?: boolean, json?: boolean}
---@return integer status  0 also when Ctrl-C ended --watch, which is how it ends
function M.main(opts)
  local status = program.run(body(opts), { json = opts.json, command = true })
  return opts.watch and status == SIGINT and 0 or status
end

return M
