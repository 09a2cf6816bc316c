---@meta rt.fs
-- Made by tools/meta.lua: do not edit.

-- Files and folders. What touches the disk waits in the running task; what only looks
-- at names does not. Relative paths start in the folder the program was started in.
local M = {}

---@class rt.fs.Stat
---@field type "file"|"dir"|"link"|"other"
---@field size integer   bytes
---@field mtime number   seconds since 1970
---@field id integer     changes when the file is replaced by another
---@field mode integer   permission bits

---@class rt.fs.Entry: rt.fs.Stat
---@field name string    without the folder; size, mtime, id and mode only with details

--- The last part of a path: "refs/hero.png" gives "hero.png".
---@param path string
---@return string
function M.basename(path) end

--- The name without folder and last extension: "refs/hero.v2.png" gives "hero.v2".
---@param path string
---@return string
function M.stem(path) end

--- The folder of a path: "refs/hero.png" gives "refs", "hero.png" gives ".".
---@param path string
---@return string
function M.dirname(path) end

--- Put the parts together with one slash between them; an absolute part starts anew.
---@param first string
---@param ... string
---@return string
function M.join(first, ...) end

--- A function that tells whether a name fits `*.{png,jpg}`, `shot_[0-9]?.mov` and such.
--- As in a shell, `*` does not find names that begin with a dot.
---@param glob string
---@return fun(name: string): boolean
function M.matcher(glob) end

--- The whole file as a string.
---@async
---@param path string
---@param opts? {max: integer}  bytes that may be read at most, default 64 MiB
---@return string?
---@return rt.Err? err
function M.read(path, opts) end

--- Replace the file: a reader sees the old one or the new one, also after a power cut.
---@async
---@param path string
---@param text string
---@return true?
---@return rt.Err? err
function M.write(path, text) end

--- Make the folder and those above it. Fine if it is there.
---@async
---@param path string
---@return true?
---@return rt.Err? err
function M.mkdir(path) end

--- What is in a folder, sorted by name, without "." and "..".
---@async
---@param path string
---@param opts? {details: boolean}  also size, mtime, id and mode; links are then followed
---@return rt.fs.Entry[]?
---@return rt.Err? err
function M.list(path, opts) end

--- What is known of a file or folder; links are followed.
---@async
---@param path string
---@return rt.fs.Stat?
---@return rt.Err? err
function M.stat(path) end

--- Is there something of that name? A failure other than "no" (a folder that may not
--- be entered) gives nil and an error.
---@async
---@param path string
---@return boolean?
---@return rt.Err? err
function M.exists(path) end

--- Remove a file, a link or an empty folder.
---@async
---@param path string
---@param opts? {recursive: boolean}  a folder with all that is in it
---@return true?
---@return rt.Err? err
function M.remove(path, opts) end

--- Give a file another name, over an existing one too; works between disks.
---@async
---@param from string
---@param to string
---@return true?
---@return rt.Err? err
function M.rename(from, to) end

--- Copy a file; `to` is there whole or not at all.
---@async
---@param from string
---@param to string
---@return true?
---@return rt.Err? err
function M.copy(from, to) end

--- Make a folder of our own under $TMPDIR. Whoever asked for it removes it.
---@async
---@return string? path
---@return rt.Err? err
function M.tempdir() end

---@class rt.fs.Lock
---@field release fun(self: rt.fs.Lock)  let go; also at the end of a `<close>` variable

--- Hold a file alone, for as long as this program lives or until it is released. The file
--- is made if it is not there, and it stays. Does not wait for whoever holds it.
---@async
---@param path string
---@param text? string  written into it, for others to see who holds it: at most 4 KiB
---@return rt.fs.Lock?
---@return rt.Err? err  locked: it is held, maybe by this program; `holder` is its text
function M.lock(path, text) end

--- The files of a folder whose names fit the pattern (see `matcher`): sorted paths.
---@async
---@param dir string
---@param glob string
---@return string[]?
---@return rt.Err? err
function M.glob(dir, glob) end

---@class rt.fs.Watch
---@field dir string
---@field settle number                      seconds a file must stay the same
---@field private known table<string, rt.fs.Entry>  what has been reported
---@field private moving table<string, {entry: rt.fs.Entry|false, since: number}>
---@field private found rt.fs.Event[]        to be handed out
local Watch = {}

---@class rt.fs.Event
---@field name string                        without the folder
---@field path string
---@field kind "created"|"changed"|"removed"

--- The next file that has appeared, changed or gone, once its size has settled.
--- Waits for as long as it takes.
---@async
---@return rt.fs.Event?
---@return rt.Err? err  the folder cannot be read any more
function Watch:next() end

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
function M.watch(dir, opts) end

return M
