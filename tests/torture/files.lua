-- Files, folders, a child process.
local fs = require "rt.fs"
local proc = require "rt.proc"
local hash = require "rt.hash"

local dir = assert(fs.tempdir())
local path = fs.join(dir, "a", "b.txt")
assert(fs.mkdir(fs.dirname(path)))
assert(fs.write(path, ("line\n"):rep(1000)))
assert(#assert(fs.read(path)) == 5000)
assert(#fs.list(dir) == 1)
assert(#assert(hash.sha256_file(path)) == 64)
local r = assert(proc.run { "cat", stdin = "hello" })
assert(r.stdout == "hello")
assert(fs.remove(dir, { recursive = true }))
