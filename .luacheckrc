std = "lua54"
max_line_length = 90
self = false -- a method may ignore its self
globals = { "package" } -- we add fields to it
files["tests"] = { max_line_length = 110 }
files["scripts"] = { max_line_length = 120 }
files["lua/meta"] = { ignore = { "1..", "2..", "631" } }
files["lua/rt/boot.lua"] = { globals = { "coroutine", "arg", "require" } }
files["lua/rt/task.lua"] = { globals = { "coroutine" } }
exclude_files = { "build", "**/node_modules" }
