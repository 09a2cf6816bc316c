std = "lua54"
max_line_length = 90
unused_args = true
self = false -- a method may ignore its self
files["tests"] = { max_line_length = 100 }
files["lua/meta"] = { ignore = { "212", "211", "122", "121", "631" } }
files["lua/rt/boot.lua"] = { globals = { "coroutine", "arg", "require" } }
exclude_files = { "build", "**/node_modules" }
