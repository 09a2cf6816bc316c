---@meta rt.db
-- Made by tools/meta.lua: do not edit.

-- SQLite databases. All writes that wait are committed together, in one transaction with
-- one fsync: a thousand tasks that write at once pay for one. A write is still atomic of
-- its own: it is applied whole, or not at all.
--
-- A value is a string, a number, a boolean (stored as 0 or 1) or nil. Strings are stored
-- as TEXT, whatever their bytes; write CAST(? AS BLOB) where the type matters. One
-- statement is one SQL text; transactions are not for scripts (no BEGIN, no SAVEPOINT).
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
function M.open(path, opts) end

--- Apply the statements, all or none of them. They are durable when it returns. A task
--- that is cancelled while it waits has written all or nothing, too.
---@async
---@param statements rt.db.Statement[]
---@return true?
---@return rt.Err? err  exists: a row with that key is there; also that of a `later`
function Connection:write(statements) end

--- Apply the statements, all or none, after all that was given before, but do not wait:
--- they are committed as a write is. What cannot be written now (a full disk, a lock) is
--- kept and tried again with the next write and every second, until `close`. If a
--- statement itself is wrong, the next `write`, `sync` or `close` returns that error, and
--- such a write is not applied.
---@param statements rt.db.Statement[]
---@return true?
---@return rt.Err? err  why nothing could be written the last time; these are kept
function Connection:later(statements) end

--- Wait until everything that was given so far is durable.
---@async
---@return true?
---@return rt.Err? err  also that of a `later`, which is kept
function Connection:sync() end

--- What a query finds, as a list of tables by the names of its columns. NULL is absent.
--- Everything written before through this connection is seen.
---@async
---@param sql string
---@param ... string|number|boolean|nil  the values for its places (?)
---@return table<string, string|number>[]?
---@return rt.Err? err
function Connection:rows(sql, ...) end

--- From now on see to it that `lost` tells whoever opens the database when its -wal file,
--- where the last writes stand, is deleted or left behind by a copy. Costs a few fsyncs
--- now and at the end, and nothing for a write. Takes the database's application_id.
---@async
---@return true?
---@return rt.Err? err  no_space, …
function Connection:guard() end

--- How often it was written. Does not wait.
---@return rt.db.Stats
function Connection:stats() end

--- Wait until everything that was given is durable, and close the file. Closing it again
--- does nothing.
---@async
---@return true?
---@return rt.Err? err  what was given to `later` is not in the file
function Connection:close() end

return M
