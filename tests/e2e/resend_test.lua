--- The resend table: what became of a submission decides whether the call is sent again,
--- held as unknown, or failed. For each row: how often the simulator was asked, how many
--- tasks it has, what the run ended with, what is still held.
local lu = require "luaunit"
local task = require "rt.task"

local lib = require "e2e.lib"
local studio = require "e2e.studio"

local T = {}

---@class tests.Row
---@field faults? string   of the simulator
---@field first? string    where the first submission goes instead
---@field timeout? number  seconds that a submission may take
---@field asked integer    creates that reached the simulator
---@field tasks integer    that it made
---@field landed? boolean
---@field code? string     of the take's error
---@field exit integer
---@field held integer     credits
---@field late? boolean     the simulator makes the task when the run may be over

--- What stands in front of the script: the first submission goes astray, or each has
--- little time.
local ASTRAY = [[
local net = require "rt.net"
local submit, sent = net.submit, 0
function net.submit(client, req)
  local copy = {}
  for k, v in pairs(req) do copy[k] = v end
  sent = sent + 1
  if sent == 1 and %q ~= "" then
    copy.url, copy.path = %q .. req.path, nil
  end
  copy.timeout = %s
  return submit(client, copy)
end
]]

local function script(row)
  local front = ""
  if row.first or row.timeout then
    front = ASTRAY:format(row.first or "", row.first or "", row.timeout or "nil")
  end
  return front .. studio.script({ "A street" }, "budget = 1000")
    .. 'io.stderr:write("held ", show.ledger.reserved // 1000, "\\n")\n'
end

---@param s tests.Studio
---@param row tests.Row
local function check(s, row)
  local asked = s:counter "create"
  local r = s:run(script(row))
  lib.assert_code(r, row.exit)
  local take = row.landed and "s1\tlanded\t60\tnight/s1_t001.mp4\n"
    or ("s1\t%s\t%d\t%s\n"):format(row.code == "unknown" and "unknown" or "failed",
      row.held, row.code)
  lu.assertEquals(r.stdout, take, r.stderr)
  lu.assertEquals(tonumber(r.stderr:match "held (%d+)"), row.held)
  while row.late and s:bill().created == 0 do task.sleep(0.01) end
  lu.assertEquals({ asked(), s:bill().created }, { row.asked, row.tasks }, r.stderr)
end

local function test(row)
  return function()
    studio.with({ faults = row.faults }, function(s)
      if type(row.first) == "function" then row.first = row.first(s) end
      check(s, row)
    end)
  end
end

--- Refused for now, and nothing was taken: sent again, paid once.
local function resent(row)
  row.asked, row.tasks, row.landed, row.exit, row.held = row.asked or 2, 1, true, 0, 0
  return test(row)
end

--- It may have been taken, and here it was: held, not sent again.
local function unknown(row)
  row.asked, row.tasks, row.code, row.exit, row.held = 1, 1, "unknown", 9, 60
  return test(row)
end

-- ---- no byte has left ----

T.test_connection_refused_is_sent_again = resent { first = "http://127.0.0.1:1", asked = 1 }

T.test_no_tls_is_sent_again = resent { asked = 1,
  first = function(s) return (s.sim.url:gsub("^http:", "https:")) end }

function T.test_connection_refused_to_the_end_is_a_network_error_and_holds_nothing()
  studio.with({}, function(s)
    local r = s:run(studio.script({ "A" }), { env = studio.env "http://127.0.0.1:1" })
    lib.assert_code(r, 6)
    lu.assertEquals(r.stdout, "s1\tfailed\t0\tnetwork\n")
  end)
end

-- ---- refused for now ----

T.test_429_is_sent_again = resent { faults = "429:0:x1" }
T.test_502_is_sent_again = resent { faults = "502:x1" }
T.test_503_is_sent_again = resent { faults = "503:x1" }
T.test_a_page_with_503_is_sent_again = resent { faults = "html_error:x1" }

-- ---- refused ----

--- The lane is closed for an hour of the simulator's time, then it is asked again.
T.test_the_daily_cap_closes_the_lane = resent { faults = "daily_cap:x1" }

T.test_429_without_end_is_given_up = test { faults = "429:0:1", asked = 5, tasks = 0,
  code = "provider", exit = 5, held = 0 }

-- ---- nobody knows ----

T.test_500_is_unknown = unknown { faults = "500" }
T.test_504_is_unknown = unknown { faults = "504" }
T.test_a_reset_after_sending_is_unknown = unknown { faults = "reset_after_create" }
T.test_a_close_after_sending_is_unknown = unknown { faults = "close_after_create" }
T.test_an_answer_cut_short_is_unknown = unknown { faults = "truncated_answer" }
T.test_200_without_an_id_is_unknown = unknown { faults = "no_id" }
T.test_200_with_a_page_is_unknown = unknown { faults = "html_ok" }

--- The answer comes after the caller has gone; the task is there all the same.
T.test_a_timeout_after_sending_is_unknown = unknown { faults = "slow_answer:1.5",
  timeout = 1, late = true }

return T
