--- SQLite databases. All writes that wait are committed together, in one transaction with
--- one fsync: a thousand tasks that write at once pay for one. A write is still atomic of
--- its own: it is applied whole, or not at all.
---
--- A value is a string, a number, a boolean (stored as 0 or 1) or nil. Strings are stored
--- as TEXT, whatever their bytes; write CAST(? AS BLOB) where the type matters. One
--- statement is one SQL text; transactions are not for scripts (no BEGIN, no SAVEPOINT).
local c = require "rt.c.db"
local task = require "rt.task"

local await = task.await

local M = {}

---@class rt.db.Statement
---@field [integer] any  the SQL text, then the values for its places (?)
---@field n? integer     how many values there are; needed if the last of them may be nil

---@class rt.db.Stats
---@field commits integer     transactions, each with one fsync
---@field writes integer      calls of `write` and `later` that were committed
---@field statements integer  that were executed for them

---@class rt.db.Connection
---@field private handle userdata
---@field readonly boolean
---@field lost? boolean  the database was guarded, and its last part is gone: it holds an
---                     older state. Nothing has been changed
local Connection = {}
Connection.__index = Connection
Connection.__name = "rt.db.Connection"

---@class rt.db.Opts
---@field create? boolean  make the file if it is not there
---@field readonly? boolean  only `rows` and `close`; nothing on the disk is changed, so a
---                         folder that may only be read will do
---@field busy? number     seconds to wait while another program has it locked, default 5

--- Open a database. Close it, or give it to a `<close>` variable.
---@async
---@param path string
---@param opts? rt.db.Opts
---@return rt.db.Connection?
---@return rt.Err? err  not_found, denied, busy, damaged, no_space, …
function M.open(path, opts)
  opts = opts or {}
  local busy = opts.busy or 5
  if type(path) ~= "string" then
    error(("the path of a database is a string, not a %s"):format(type(path)), 2)
  end
  if type(busy) ~= "number" or not (busy >= 0 and busy <= 3600) then
    error("busy must be a number of seconds from 0 to 3600", 2)
  end
  local mode = opts.readonly and "readonly" or opts.create and "create" or "existing"
  local op, e = c.open(path, mode, busy)
  if not op then return nil, e end
  local handle, more = await(op)
  if not handle then return nil, more end
  return setmetatable({ handle = handle, readonly = mode == "readonly", lost = more },
    Connection)
end

local function check_writer(conn)
  if conn.readonly then error("this database was opened for reading only", 3) end
end

--- Apply the statements, all or none of them. They are durable when it returns. A task
--- that is cancelled while it waits has written all or nothing, too.
---@async
---@param statements rt.db.Statement[]
---@return true?
---@return rt.Err? err  exists: a row with that key is there; also that of a `later`
function Connection:write(statements)
  check_writer(self)
  local ok, e = await(c.write(self.handle, statements))
  return ok, e
end

--- Apply the statements, all or none, after all that was given before, but do not wait:
--- they are committed as a write is. What cannot be written now (a full disk, a lock) is
--- kept and tried again with the next write and every second, until `close`. If a
--- statement itself is wrong, the next `write`, `sync` or `close` returns that error, and
--- such a write is not applied.
---@param statements rt.db.Statement[]
---@return true?
---@return rt.Err? err  why nothing could be written the last time; these are kept
function Connection:later(statements)
  check_writer(self)
  local ok, e = c.later(self.handle, statements)
  return ok, e
end

--- Wait until everything that was given so far is durable.
---@async
---@return true?
---@return rt.Err? err  also that of a `later`, which is kept
function Connection:sync()
  check_writer(self)
  local ok, e = await(c.sync(self.handle))
  return ok, e
end

--- What a query finds, as a list of tables by the names of its columns. NULL is absent.
--- Everything written before through this connection is seen.
---@async
---@param sql string
---@param ... string|number|boolean|nil  the values for its places (?)
---@return table<string, string|number>[]?
---@return rt.Err? err
function Connection:rows(sql, ...)
  local rows, e = await(c.rows(self.handle, sql, ...))
  return rows, e
end

--- From now on see to it that `lost` tells whoever opens the database when its -wal file,
--- where the last writes stand, is deleted or left behind by a copy. Costs a few fsyncs
--- now and at the end, and nothing for a write. Takes the database's application_id.
---@async
---@return true?
---@return rt.Err? err  no_space, …
function Connection:guard()
  check_writer(self)
  local ok, e = await(c.guard(self.handle))
  return ok, e
end

--- How often it was written. Does not wait.
---@return rt.db.Stats
function Connection:stats()
  local stats = c.stats(self.handle)
  return stats
end

--- Wait until everything that was given is durable, and close the file. Closing it again
--- does nothing.
---@async
---@return true?
---@return rt.Err? err  what was given to `later` is not in the file
function Connection:close()
  local op = c.close(self.handle)
  if not op then return true end
  return await(op)
end

--- At the end of a `<close>` variable; a failure is raised, unless there is one already.
--- A task that is being cancelled waits as well, for what it has written.
function Connection:__close(failure)
  local op = c.close(self.handle)
  if not op then return end
  local ok, e = task.shield(3600, await, op)
  if not ok and failure == nil then error(e, 0) end
end

return M
