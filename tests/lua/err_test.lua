local lu = require "luaunit"
local err = require "rt.err"
local fs = require "rt.fs"

local T = {}

function T.test_an_error_reads_as_its_sentence()
  local e = err.new("http", "the server answered 500", { status = 500, retryable = true })
  lu.assertEquals(tostring(e), "the server answered 500")
  lu.assertEquals({ e.code, e.status, e.retryable }, { "http", 500, true })
  lu.assertFalse(err.new("http", "x").retryable)
end

function T.test_is()
  local e = err.new("http", "x")
  lu.assertTrue(err.is(e))
  lu.assertTrue(err.is(e, "http"))
  lu.assertFalse(err.is(e, "json"))
  lu.assertFalse(err.is { code = "http" })
  lu.assertFalse(err.is "http")
end

function T.test_any_raised_value_becomes_an_error()
  local e = err.new("http", "x")
  lu.assertIs(err.from(e), e)
  lu.assertEquals(err.from("plain").message, "plain")
  lu.assertEquals(err.from("plain").code, "script")
  lu.assertStrContains(err.from(nil).message, "of type nil")
  lu.assertStrContains(err.from({}).message, "of type table")
  lu.assertEquals(err.from({ 7 }).cause, { 7 })
end

function T.test_errors_of_c_are_of_the_same_kind()
  local value, e = fs.read "/nonexistent/file"
  lu.assertNil(value)
  lu.assertTrue(err.is(e, "not_found"))
  lu.assertEquals(e.errno, "ENOENT")
  lu.assertFalse(e.retryable)
end

-- docs/errors.md is the closed list: a code that is used is there, and once.
local function documented()
  local codes, reached = {}, false
  for line in io.lines "docs/errors.md" do
    if line:find "^## " then reached = line == "## Codes" end
    local code = reached and line:match "^| `([a-z_]+)` |"
    if code then
      lu.assertNil(codes[code], code .. " is listed twice")
      codes[code] = true
    end
  end
  return codes
end

local function each_file(dir, pattern, fn)
  for _, entry in ipairs(assert(fs.list(dir))) do
    local name = type(entry) == "table" and entry.name or entry
    local path = fs.join(dir, name)
    if assert(fs.stat(path)).type == "dir" then
      each_file(path, pattern, fn)
    elseif name:find(pattern) then
      fn(path, assert(fs.read(path)))
    end
  end
end

function T.test_every_code_is_documented()
  local codes, missing, used = documented(), {}, 0
  local function use(code, path)
    used = used + 1
    if not codes[code] then missing[#missing + 1] = code .. " in " .. path end
  end
  each_file("lua", "%.lua$", function(path, text)
    for code in text:gmatch 'err%.new%(%s*"([%w_]+)"' do use(code, path) end
    for code in text:gmatch 'err%.new "([%w_]+)"' do use(code, path) end
    for code in text:gmatch 'err%.new%([^"\n]+and "([%w_]+)"' do use(code, path) end
  end)
  each_file("src", "%.c$", function(path, text)
    for code in text:gmatch 'rushes_push_error_code%(L,%s*"([%w_]+)"' do use(code, path) end
    if path == "src/err.c" then
      for code in text:gmatch '{UV_%w+, "([%w_]+)"' do use(code, path) end
    end
    for code in text:gmatch '{CURLE_[%w_]+, "([%w_]+)"' do use(code, path) end
    for code in text:gmatch '[%.>]code = "([%w_]+)"' do use(code, path) end
    for code in text:gmatch 'fail%w*%(%w+, "([%w_]+)"' do use(code, path) end
  end)
  lu.assertEquals(missing, {})
  lu.assertTrue(used > 40, "the search found too little: " .. used)
end

return T
