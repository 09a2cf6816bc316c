--- --lua-path and RUSHES_LUA_PATH: rushes' own Lua files from a folder.
return function(dir)
  package.devpath = dir .. "/?.lua;" .. dir .. "/?/init.lua" -- luacheck: ignore 142
end
