--- Files and folders. What touches the disk waits in the running task; what only looks
--- at names does not. Relative paths start in the folder the program was started in.
local c = require "rt.c.fs"
local core = require "rt.c.core"
local task = require "rt.task"

local await = task.await

local M = {}

---@class rt.fs.Stat
---@field type "file"|"dir"|"link"|"other"
---@field size integer   bytes
---@field mtime number   seconds since 1970
---@field id integer     changes when the file is replaced by another
---@field mode integer   permission bits

---@class rt.fs.Entry: rt.fs.Stat
---@field name string    without the folder; size, mtime, id and mode only with details

-- ---- names ----

--- The last part of a path: "refs/hero.png" gives "hero.png".
---@param path string
---@return string
function M.basename(path) return (path:gsub("/+$", "")):match "[^/]*$" end

--- The name without folder and last extension: "refs/hero.v2.png" gives "hero.v2".
---@param path string
---@return string
function M.stem(path)
  local name = M.basename(path)
  return name:match "^(.+)%.[^.]*$" or name
end

--- The folder of a path: "refs/hero.png" gives "refs", "hero.png" gives ".".
---@param path string
---@return string
function M.dirname(path)
  local trimmed = path:gsub("/+$", "")
  if trimmed == "" then return path == "" and "." or "/" end
  local dir = trimmed:match "^(.*)/[^/]*$"
  if not dir then return "." end
  dir = dir:gsub("/+$", "")
  return dir == "" and "/" or dir
end

--- Put the parts together with one slash between them; an absolute part starts anew.
---@param first string
---@param ... string
---@return string
function M.join(first, ...)
  local path = first
  for _, part in ipairs { ... } do
    if part:sub(1, 1) == "/" or path == "" then
      path = part
    elseif part ~= "" then
      path = path:gsub("/+$", "") .. "/" .. part
    end
  end
  return path
end

--- "[abc]", "[!a-z]" as a set of a Lua pattern.
local function to_set(negated, members)
  return ("[%s%s]"):format(negated ~= "" and "^" or "", (members:gsub("[%%%^]", "%%%0")))
end

--- One alternative of a glob as a Lua pattern.
local function to_pattern(glob)
  local out, at = {}, 1
  while at <= #glob do
    local negated, members, after = glob:match("^%[([!^]?)([^%]]+)%]()", at)
    local ch = glob:sub(at, at)
    if members then
      out[#out + 1] = to_set(negated, members)
    elseif ch == "*" then
      out[#out + 1] = "[^/]*"
    elseif ch == "?" then
      out[#out + 1] = "[^/]"
    else
      out[#out + 1] = ch:gsub("%p", "%%%0")
    end
    at = after or at + 1
  end
  return "^" .. table.concat(out) .. "$"
end

local function alternatives(glob, out)
  local before, inside, after = glob:match "^(.-){([^{}]*)}(.*)$"
  if not before then
    out[#out + 1] = to_pattern(glob)
    return out
  end
  for one in (inside .. ","):gmatch "(.-)," do
    alternatives(before .. one .. after, out)
  end
  return out
end

--- A function that tells whether a name fits `*.{png,jpg}`, `shot_[0-9]?.mov` and such.
--- As in a shell, `*` does not find names that begin with a dot.
---@param glob string
---@return fun(name: string): boolean
function M.matcher(glob)
  local patterns = alternatives(glob, {})
  local hidden = glob:sub(1, 1) == "."
  return function(name)
    if not hidden and name:sub(1, 1) == "." then return false end
    for _, pattern in ipairs(patterns) do
      if name:find(pattern) then return true end
    end
    return false
  end
end

-- ---- files ----

local READ_MAX = 64 * 1024 * 1024 -- bytes

--- The whole file as a string.
---@async
---@param path string
---@param opts? {max: integer}  bytes that may be read at most, default 64 MiB
---@return string?
---@return rt.Err? err
function M.read(path, opts)
  return await(c.read(path, opts and opts.max or READ_MAX))
end

--- Replace the file: a reader sees the old one or the new one, also after a power cut.
---@async
---@param path string
---@param text string
---@return true?
---@return rt.Err? err
function M.write(path, text) return await(c.write(path, text)) end

--- Make the folder and those above it. Fine if it is there.
---@async
---@param path string
---@return true?
---@return rt.Err? err
function M.mkdir(path) return await(c.mkdir(path)) end

--- What is in a folder, sorted by name, without "." and "..".
---@async
---@param path string
---@param opts? {details: boolean}  also size, mtime, id and mode; links are then followed
---@return rt.fs.Entry[]?
---@return rt.Err? err
function M.list(path, opts) return await(c.list(path, opts and opts.details)) end

--- What is known of a file or folder; links are followed.
---@async
---@param path string
---@return rt.fs.Stat?
---@return rt.Err? err
function M.stat(path) return await(c.stat(path)) end

--- Is there something of that name? A failure other than "no" (a folder that may not
--- be entered) gives nil and an error.
---@async
---@param path string
---@return boolean?
---@return rt.Err? err
function M.exists(path)
  local st, e = M.stat(path)
  if st then return true end
  if e.code == "not_found" then return false end
  return nil, e
end

--- Remove a file, a link or an empty folder.
---@async
---@param path string
---@param opts? {recursive: boolean}  a folder with all that is in it
---@return true?
---@return rt.Err? err
function M.remove(path, opts)
  return await(c.remove(path, opts and opts.recursive))
end

--- Give a file another name, over an existing one too; works between disks.
---@async
---@param from string
---@param to string
---@return true?
---@return rt.Err? err
function M.rename(from, to) return await(c.rename(from, to)) end

--- Copy a file; `to` is there whole or not at all.
---@async
---@param from string
---@param to string
---@return true?
---@return rt.Err? err
function M.copy(from, to) return await(c.copy(from, to)) end

--- Make a folder of our own under $TMPDIR. Whoever asked for it removes it.
---@async
---@return string? path
---@return rt.Err? err
function M.tempdir()
  local under = os.getenv "TMPDIR"
  return await(c.tempdir(under and under ~= "" and under or "/tmp"))
end

---@class rt.fs.Lock
---@field release fun(self: rt.fs.Lock)  let go; also at the end of a `<close>` variable

--- Hold a file alone, for as long as this program lives or until it is released. The file
--- is made if it is not there, and it stays. Does not wait for whoever holds it.
---@async
---@param path string
---@param text? string  written into it, for others to see who holds it: at most 4 KiB
---@return rt.fs.Lock?
---@return rt.Err? err  locked: it is held, maybe by this program; `holder` is its text
function M.lock(path, text) return await(c.lock(path, text or "")) end

--- The files of a folder whose names fit the pattern (see `matcher`): sorted paths.
---@async
---@param dir string
---@param glob string
---@return string[]?
---@return rt.Err? err
function M.glob(dir, glob)
  local entries, e = M.list(dir)
  if not entries then return nil, e end
  local fits, paths = M.matcher(glob), {}
  for _, entry in ipairs(entries) do
    if entry.type ~= "dir" and fits(entry.name) then
      paths[#paths + 1] = M.join(dir, entry.name)
    end
  end
  return paths
end

-- ---- watching a folder ----

local LOOK_EVERY = 10  -- seconds: network disks do not report what others change
local LOOK_APART = 0.1 -- seconds between two looks while a file is being written

---@class rt.fs.Watch
---@field dir string
---@field settle number                      seconds a file must stay the same
---@field private known table<string, rt.fs.Entry>  what has been reported
---@field private moving table<string, {entry: rt.fs.Entry|false, since: number}>
---@field private found rt.fs.Event[]        to be handed out
local Watch = {}
Watch.__index = Watch
Watch.__name = "rt.fs.Watch"

---@class rt.fs.Event
---@field name string                        without the folder
---@field path string
---@field kind "created"|"changed"|"removed"

--- Names that programs use for what is not finished.
local function unfinished(name)
  return name:sub(1, 1) == "." or name:find "%.part$" or name:find "~$"
end

local function same(a, b)
  if not a or not b then return not a and not b end
  return a.size == b.size and a.mtime == b.mtime and a.id == b.id
end

local function files_of(dir)
  local entries, e = M.list(dir, { details = true })
  if not entries then return nil, e end
  local files = {}
  for _, entry in ipairs(entries) do
    if entry.type == "file" and not unfinished(entry.name) then
      files[entry.name] = entry
    end
  end
  return files
end

--- Compare a name with what was reported of it.
local function judge(w, name, entry, now)
  if same(w.known[name], entry) then
    w.moving[name] = nil
    return
  end
  local m = w.moving[name]
  if not m or not same(m.entry, entry) then
    w.moving[name] = { entry = entry or false, since = now }
  elseif now - m.since >= w.settle then
    local kind = not entry and "removed" or w.known[name] and "changed" or "created"
    w.known[name], w.moving[name] = entry, nil
    w.found[#w.found + 1] = { name = name, path = M.join(w.dir, name), kind = kind }
  end
end

--- Look at the folder once.
local function look(w)
  local files, e = files_of(w.dir)
  if not files then return nil, e end
  local names, seen, now = {}, {}, core.now()
  for _, set in ipairs { files, w.known, w.moving } do
    for name in pairs(set) do
      if not seen[name] then names[#names + 1], seen[name] = name, true end
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do judge(w, name, files[name], now) end
  return true
end

--- The folder is watched before it is looked at, so that nothing falls in between.
local function look_or_wait(w)
  local hint = c.change(w.dir, LOOK_EVERY)
  local _ <close> = setmetatable({}, { __close = function() hint:cancel() end })
  local ok, e = look(w)
  if not ok then return nil, e end
  if #w.found > 0 then return true end
  if next(w.moving) then
    task.sleep(math.max(w.settle / 2, LOOK_APART))
  else
    await(hint)
  end
  return true
end

--- The next file that has appeared, changed or gone, once its size has settled.
--- Waits for as long as it takes.
---@async
---@return rt.fs.Event?
---@return rt.Err? err  the folder cannot be read any more
function Watch:next()
  while #self.found == 0 do
    local ok, e = look_or_wait(self)
    if not ok then return nil, e end
  end
  return table.remove(self.found, 1)
end

---@class rt.fs.WatchOpts
---@field settle? number     seconds that size and time of a file must stay the same
---                          before it is reported, default 0.5
---@field existing? boolean  report what is there already as created

--- Watch the files of a folder (not those of folders in it). Hidden files and those that
--- end in ".part" or "~" are not reported: programs write there before they rename.
---@async
---@param dir string
---@param opts? rt.fs.WatchOpts
---@return rt.fs.Watch?
---@return rt.Err? err
function M.watch(dir, opts)
  opts = opts or {}
  local settle = opts.settle or 0.5
  if type(settle) ~= "number" or not (settle >= 0 and settle <= 3600) then
    error("settle must be a number of seconds from 0 to 3600", 2)
  end
  local files, e = files_of(dir)
  if not files then return nil, e end
  return setmetatable({ dir = dir, settle = settle, known = opts.existing and {} or files,
    moving = {}, found = {} }, Watch)
end

return M
