-- Both ways, the slow roads too.
local json = require "rt.json"

local value = { n = 9007199254740993, list = { 1, 2.5, "héro", json.null }, empty = json.array {} }
for i = 1, 40 do value["k" .. i] = { i, { deep = ("x"):rep(i * 10) } } end
local text = json.encode(value)
assert(json.encode(json.decode(text)):find "9007199254740993")
assert(json.decode '{"big":18446744073709551615}'.big == "18446744073709551615")
assert(json.decode [["\ud83d"]] == "\u{fffd}")
assert(json.decode "{" == nil)
assert(not pcall(json.encode, { a = { b = print } }))
