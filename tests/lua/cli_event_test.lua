local lu = require "luaunit"
local event = require "rushes.event"
local stop = require "rushes.stop"

local T = {}

function T.test_every_listener_hears_and_unsubscribing_ends_it()
  local heard = {}
  local off = event.subscribe(function(kind, f) heard[#heard + 1] = kind .. " " .. f.shot end)
  event.emit("planned", { shot = "street" })
  off()
  event.emit("landed", { shot = "street" })
  lu.assertEquals(heard, { "planned street" })
end

function T.test_a_misspelt_kind_is_the_callers_bug()
  lu.assertErrorMsgContains('did you mean "landed"', event.emit, "lande", {})
end

function T.test_a_listener_that_raises_is_dropped_and_the_emitter_goes_on()
  local calls, heard = 0, 0
  local off = event.subscribe(function() heard = heard + 1 end)
  event.subscribe(function()
    calls = calls + 1
    error("on purpose, in a test")
  end)
  event.emit("note", { text = "one" })
  event.emit("note", { text = "two" })
  off()
  lu.assertEquals({ calls, heard }, { 1, 2 })
end

function T.test_the_first_reason_to_stop_stays()
  lu.assertNil(stop.err())
  stop.request "Ctrl-C"
  stop.request "a closed terminal"
  local e = stop.err()
  stop.reset()
  lu.assertEquals(e.code, "stopped")
  lu.assertStrContains(e.message, "Ctrl-C")
  lu.assertFalse(stop.requested())
end

return T
