local lu = require "luaunit"
local strict = require "rt.strict"

local T = {}

local function run(text) return load(text, "=script", "t", strict.env())() end

function T.test_a_misspelt_global_is_an_error_with_a_suggestion()
  lu.assertErrorMsgEquals('script:1: there is no global "prnt" (did you mean "print"?)', run,
    "prnt(1)")
  lu.assertErrorMsgEquals('script:2: there is no global "frobnicate"', run,
    "\nreturn frobnicate")
end

function T.test_making_a_global_is_an_error_that_says_local()
  lu.assertErrorMsgEquals("script:1: cannot make a global \"x\": write 'local x = …'", run,
    "x = 1")
  lu.assertErrorMsgContains('cannot make a global "f"', run, "function f() end")
end

function T.test_the_libraries_are_there_and_are_the_same()
  lu.assertIs(run "return string", string)
  lu.assertIs(run "return _G.print", print)
  lu.assertIs(run "return require", require)
  lu.assertIs(strict.env(), strict.env())
end

function T.test_plain_globals_stay_open_for_libraries()
  lu.assertNil(rawget(_G, "frobnicate"))
  lu.assertNil(load("return frobnicate")())
end

return T
