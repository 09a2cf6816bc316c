local lu = require "luaunit"
local json = require "rt.json"
local err = require "rt.err"

local T = {}

local function same(text, value)
  local got, e = json.decode(text)
  lu.assertNil(e)
  lu.assertEquals(got, value)
  lu.assertEquals(math.type(got), math.type(value))
end

local function refused(value, sentence)
  local ok, e = pcall(json.encode, value)
  lu.assertFalse(ok)
  lu.assertTrue(err.is(e, "json"))
  lu.assertStrContains(e.message, sentence)
end

function T.test_integers_keep_all_64_bits_both_ways()
  for _, n in ipairs { 0, 1, -1, 2 ^ 31 | 0, (1 << 53) - 1, 1 << 53, (1 << 53) + 1,
    1700000000000123, math.maxinteger, math.mininteger, -(1 << 53) - 1 } do
    local text = ("%d"):format(n)
    lu.assertEquals(json.encode(n), text)
    same(text, n)
    lu.assertEquals(json.decode('{"a":[' .. text .. "]}").a[1], n)
  end
end

function T.test_a_whole_float_reads_as_an_integer_and_a_float_stays_one()
  same("5.0", 5)
  same("1e3", 1000)
  same("0.85", 0.85)
  same("-0", 0)
  lu.assertEquals(json.encode(5.0), "5")
  lu.assertEquals(json.encode { duration = 5 }, '{"duration":5}')
end

function T.test_floats_survive_the_round_trip()
  for _, x in ipairs { 0.1, 1 / 3, 0.1 + 0.2, math.pi, 1e-7, 5e-324, 2.5e-308,
    1.7976931348623157e308, 1e100, -1e22, 123456789.123456789 } do
    lu.assertEquals(json.decode(json.encode(x)), x)
    lu.assertEquals(json.decode(json.encode { x })[1], x)
  end
  math.randomseed(42)
  for _ = 1, 20000 do
    local x = string.unpack("d", string.pack("j", math.random(0)))
    if x == x and x ~= math.huge and x ~= -math.huge then
      lu.assertEquals(json.decode(json.encode(x)), x)
    end
  end
end

function T.test_what_no_number_holds_comes_back_as_its_text()
  same("18446744073709551615", "18446744073709551615")
  same("-9223372036854775809", "-9223372036854775809")
  same("1e400", "1e400")
  same("1e-400", "1e-400")
  same("0.1234567890123456789", "0.1234567890123456789")
  same("9007199254740993.5", "9007199254740993.5")
  same("0." .. ("0"):rep(400) .. "1", "0." .. ("0"):rep(400) .. "1")
  lu.assertEquals(json.decode '{"seed":18446744073709551615,"n":7}',
    { seed = "18446744073709551615", n = 7 })
end

function T.test_a_whole_number_with_many_zeros_is_an_integer()
  for _, text in ipairs { "3608543.0", "3608543.00000000000000", "[3608543.00000000000000]" } do
    local v = json.decode(text)
    if type(v) == "table" then v = v[1] end
    lu.assertEquals(v, 3608543)
    lu.assertEquals(math.type(v), "integer", text)
  end
end

function T.test_a_text_does_not_end_at_a_zero_byte()
  for _, text in ipairs { "[1]\0x", "3608543.0\0", "{}\0}", '{"a":"\\"\0"}\0' } do
    local v, e = json.decode(text)
    lu.assertNil(v)
    lu.assertEquals(e.code, "json")
  end
end

function T.test_long_literals_that_a_double_prints_back_are_numbers()
  same("0.30000000000000004", 0.1 + 0.2)
  same("0.33333333333333331483", 1 / 3)
  same("1.7976931348623157e+308", 1.7976931348623157e308)
  same("12.300000000000000711", 12.3)
  same("0.00029999999999999997", 0.0003)
end

function T.test_digits_in_strings_are_left_alone()
  same('"18446744073709551615"', "18446744073709551615")
  same([["a\"18446744073709551615"]], 'a"18446744073709551615')
  lu.assertEquals(json.decode [[{"id\\":"0123456789012345678","n":9007199254740993}]],
    { ["id\\"] = "0123456789012345678", n = 9007199254740993 })
end

function T.test_null_is_absent_and_can_be_written()
  local v = json.decode '{"a":null,"b":1,"c":{"d":null}}'
  lu.assertEquals(v, { b = 1, c = {} })
  lu.assertEquals(json.encode { a = json.null }, '{"a":null}')
  local nothing, e = json.decode "null"
  lu.assertNil(nothing)
  lu.assertNil(e)
end

function T.test_empty_tables()
  lu.assertEquals(json.encode {}, "{}")
  lu.assertEquals(json.encode(json.array {}), "[]")
  lu.assertEquals(json.encode(json.object {}), "{}")
  lu.assertEquals(json.encode { refs = json.array {}, extra = {} },
    '{"extra":{},"refs":[]}')
  lu.assertEquals(json.encode(json.array { 1, 2 }), "[1,2]")
end

function T.test_names_are_written_in_order()
  local t = {}
  for i = 1, 100 do t[("k%03d"):format(101 - i)] = i end
  local text = json.encode(t)
  lu.assertStrMatches(text, '{"k001":100,"k002":99,.*"k100":1}')
  lu.assertEquals(json.encode { b = 1, a = 2, ab = 3, [""] = 4 },
    '{"":4,"a":2,"ab":3,"b":1}')
end

function T.test_strings()
  lu.assertEquals(json.encode "https://a/b", '"https://a/b"')
  lu.assertEquals(json.encode 'q" b\\ n\n t\t \0 \27 \127',
    [["q\" b\\ n\n t\t \u0000 \u001b \u007f"]])
  for _, s in ipairs { "", "héroïne", "日本", "🎬", "a\0b", "\\/", ("x"):rep(100000) } do
    lu.assertEquals(json.decode(json.encode(s)), s)
  end
  same([["\u00e9 \ud83c\udfac \/"]], "é 🎬 /")
end

function T.test_every_byte_at_every_place_of_a_string()
  local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
    ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
  local tail = "\u{e9}z"
  for byte = 0, 127 do
    local c = string.char(byte)
    local written = escapes[c] or (byte < 32 or byte == 127) and ("\\u%04x"):format(byte) or c
    for at = 0, 17 do
      local before, after = ("a~ "):rep(6):sub(1, at), tail:rep(6, c)
      local text = json.encode(before .. c .. after)
      lu.assertEquals(text, '"' .. before .. written .. tail:rep(6, written) .. '"')
      lu.assertEquals(json.decode(text), before .. c .. after)
    end
  end
  for at = 0, 17 do
    local bad = ("x"):rep(at) .. "\xFF" .. ("y"):rep(9)
    lu.assertFalse((pcall(json.encode, bad)))
    lu.assertEquals(json.decode('{"a\\"b":"' .. ("\\\\"):rep(at) .. '","n":9007199254740993}'),
      { ['a"b'] = ("\\"):rep(at), n = 9007199254740993 })
  end
end

function T.test_what_json_cannot_say_is_refused_with_the_path()
  refused({ shots = { { strength = 0 / 0 } } }, "shots[1].strength is infinite or not")
  refused({ x = math.huge }, "x is infinite or not a number")
  refused({ 1, 2, [5] = 3 }, "the value is a list with holes")
  refused({ list = { 1, nil, 3 } }, "list is a list with holes")
  refused({ a = { 1, b = 2 } }, "a is a list that also has other keys")
  refused({ a = json.object { 1 } }, "a has a key that is no string")
  refused({ a = { [true] = 1 } }, "a has a key that is no string")
  refused({ prompt = "caf\xe9" }, "prompt is a string that is not UTF-8")
  refused({ a = { ["\xff"] = 1 } }, "a is a string that is not UTF-8")
  refused({ f = print }, "f is a function")
  refused({ f = io.stdout }, "f is a userdata")
  refused(nil, "the value is nil")
  refused({ 1, 2, 4, [-1] = 0 }, "list with holes")
end

function T.test_utf8_is_checked_strictly()
  for _, s in ipairs { "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
    "\x80", "\xf0\x80\x80\x80", "\xf8\x88\x80\x80\x80" } do
    refused({ s = s }, "not UTF-8")
  end
end

function T.test_nesting_has_a_limit_both_ways()
  local t = {}
  t.t = t
  refused(t, "is nested too deeply or contains itself")
  local v, e = json.decode(("["):rep(201) .. ("]"):rep(201))
  lu.assertNil(v)
  lu.assertEquals(e.code, "json")
  lu.assertIsTable((json.decode(("["):rep(200) .. ("]"):rep(200))))
  local deep = {}
  for _ = 2, 200 do deep = { deep } end
  lu.assertEquals(json.decode(json.encode(deep)), deep)
end

function T.test_what_is_not_json_is_an_error_without_its_content()
  for _, text in ipairs { "", "<html>secret</html>", "{", "[1,]", '{"a" 1}', "nan",
    "Infinity", "0x10", "01", '"abc', '"\\', '"\\u12', "[1] x", "-", "+1", "\0",
    "9007199254740993x", '{"a":9007199254740993' } do
    local v, e = json.decode(text)
    lu.assertNil(v, text)
    lu.assertTrue(err.is(e, "json"), text)
    lu.assertStrContains(e.message, "not JSON: ")
    lu.assertNotStrContains(e.message, "secret")
  end
  lu.assertErrorMsgContains("decode wants a string, not a nil", json.decode, nil)
end

function T.test_half_a_surrogate_pair_does_not_lose_the_answer()
  same([["cut \ud83d"]], "cut \u{fffd}")
  same([["\udfac and \ud83c\udfac"]], "\u{fffd} and 🎬")
  same([["\\ud83d \ud83d"]], "\\ud83d \u{fffd}")
  same([["\ud83d\ud83c\udfac"]], "\u{fffd}🎬")
  same([["\ud83d\n\\"]], "\u{fffd}\n\\")
end

function T.test_bytes_that_are_no_utf8_are_passed_on()
  same('"caf\xe9"', "caf\xe9")
end

function T.test_of_equal_names_the_last_wins()
  same('{"a":1,"a":2}', { a = 2 })
end

return T
