local lu = require "luaunit"
local err = require "rt.err"
local log = require "rt.log"

local T = {}

--- The lines that `fn` logs at this level.
local function logged(level, fn)
  local lines = {}
  local before = log.set_sink(function(line, l) lines[#lines + 1] = l .. "|" .. line end)
  log.set_level(level)
  local ok, e = pcall(fn)
  log.set_level "info"
  log.set_sink(before)
  if not ok then error(e, 0) end
  return lines
end

local function one_of_each()
  log.debug("%d", 1)
  log.info("%s landed", "street")
  log.warn("%s: %s", "hero", err.new("invalid", "the tag is too short"))
  log.error "100 %"
end

function T.test_levels_and_prefixes()
  lu.assertEquals(logged("debug", one_of_each), { "debug|debug: 1", "info|street landed",
    "warn|warning: hero: the tag is too short", "error|error: 100 %" })
  lu.assertEquals(#logged("info", one_of_each), 3)
  lu.assertEquals(#logged("error", one_of_each), 1)
  lu.assertErrorMsgContains("debug, info, warn or error", log.set_level, "loud")
end

function T.test_signed_queries_and_passwords_are_cut_out()
  local lines = logged("info", function()
    log.info("from https://cdn.example/a.mp4?X-Amz-Signature=abc&x=1 to %s", "b.mp4")
    log.info(err.new("http", "GET \"https://me:pw@h/p?token=t\" failed"))
  end)
  lu.assertEquals(lines[1], "info|from https://cdn.example/a.mp4?… to b.mp4")
  lu.assertEquals(lines[2], "info|GET \"https://…@h/p?…\" failed")
end

function T.test_a_wrong_format_blames_its_caller()
  lu.assertErrorMsgContains("log_test.lua", function()
    log.info("%d", "x")
  end)
end

return T
