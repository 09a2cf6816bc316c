local lu = require "luaunit"
local err = require "rt.err"
local fs = require "rt.fs"
local failures = require "rushes.take.failures"
local answer = require "rushes.provider.runway.answer"

local T = {}

local function none() return 0 end
local function all() return 1 end

local function failed(class, charged)
  return err.new("provider", "it failed", { class = class, charged = charged })
end

local CLASSES = { "safety", "bad_output", "asset", "internal", "unavailable", "quota",
  "auth", "invalid", "expired", "unknown" }

--- The waits of all the attempts that follow by themselves.
local function waits(class, charged, random)
  local list = {}
  while #list < 50 do
    local wait = failures.again(failed(class, charged), #list + 1, random or none)
    if not wait then return list end
    list[#list + 1] = wait
  end
  lu.fail(class .. " is bought again without end")
end

function T.test_how_often_a_failed_call_is_bought_again()
  local got = {}
  for _, class in ipairs(CLASSES) do
    local list = waits(class)
    got[class] = #list > 0 and list or nil
  end
  lu.assertEquals(got, { internal = { 10, 20 }, unavailable = { 30, 60, 120 },
    bad_output = { 5 } })
  lu.assertEquals(waits(nil), {})
end

function T.test_jitter_adds_up_to_half()
  lu.assertEquals(waits("unavailable", nil, all), { 45, 90, 180 })
  for _ = 1, 200 do
    local wait = failures.again(failed "internal", 1)
    lu.assertTrue(wait >= 10 and wait <= 15)
  end
end

function T.test_what_was_charged_is_not_bought_again()
  for _, class in ipairs(CLASSES) do lu.assertEquals(waits(class, true), {}) end
  lu.assertEquals(#waits("bad_output", false), 1)
end

local function lost(sent, retryable)
  return err.new("network", "no answer", { sent = sent, retryable = retryable })
end

local NET = "network"

-- The whole table: what came back, what is done.
local SUBMISSIONS = {
  { NET, lost(false, true), "resend" },             -- no connection
  { NET, lost(false, false), "fail" },              -- the certificate is wrong
  { NET, lost(true, false), "unknown" },            -- reset after sending
  { NET, lost(nil, false), "unknown" },             -- nobody knows: the grace ran out
  { 429, nil, "resend" }, { 502, nil, "resend" }, { 503, nil, "resend" },
  { 500, nil, "unknown" }, { 504, nil, "unknown" }, { 302, nil, "unknown" },
  { 200, nil, "unknown" },                          -- accepted, but no id
  { 400, nil, "fail" }, { 401, nil, "fail" }, { 402, nil, "fail" }, { 403, nil, "fail" },
  { 404, nil, "fail" }, { 413, nil, "fail" }, { 422, nil, "fail" },
}

local function submit(status, e, n, more)
  local resp
  if status ~= NET then
    resp = { status = status, headers = {}, body = "" }
    for k, v in pairs(more or {}) do resp[k] = v end
    local _
    _, e = answer.accept(resp)
  end
  return failures.submission(resp, e, n or 1, none)
end

function T.test_what_becomes_of_a_submission_without_a_task()
  for i, row in ipairs(SUBMISSIONS) do
    local verdict, wait = submit(row[1], row[2])
    lu.assertEquals({ i, row[1], verdict }, { i, row[1], row[3] })
    lu.assertEquals(wait, row[3] == "resend" and 1.0 or nil)
  end
end

function T.test_a_provider_that_says_nothing_of_it_is_judged_by_the_status()
  for status, verdict in pairs { [400] = "fail", [499] = "fail", [500] = "unknown",
    [503] = "unknown", [200] = "unknown" } do
    lu.assertEquals(failures.submission({ status = status }, err.new("provider", "x"), 1),
      verdict)
  end
end

function T.test_the_daily_cap_is_refused_and_not_sent_again_by_itself()
  local daily = { body = '{"error":"Your daily task limit has been reached."}' }
  lu.assertEquals(submit(429, nil, 1, daily), "fail")
  local e = err.new("provider", "x", { daily = true, resend = true, status = 429 })
  lu.assertEquals(failures.submission({ status = 429 }, e, 1), "fail")
end

function T.test_sending_again_ends_after_four_times()
  local list = {}
  for n = 1, 4 do list[n] = select(2, submit(503, nil, n)) end
  lu.assertEquals(list, { 1, 2, 4, 8 })
  lu.assertEquals(submit(503, nil, 5), "fail")
end

function T.test_retry_after_is_honoured_up_to_five_minutes()
  local function wait(seconds)
    return select(2, submit(503, nil, 1, { headers = { ["retry-after"] = seconds } }))
  end
  lu.assertEquals({ wait "7", wait "0", wait "300", wait "4000" }, { 7, 1, 300, 300 })
  lu.assertEquals(failures.submission(nil, lost(true), 1), "unknown")
end

-- ---- the page for people says the same ----

--- Rows of the table under a heading, as lists of cells.
local function rows(heading)
  local text = assert(fs.read "docs/errors.md")
  local part = assert(text:match("\n## " .. heading .. "\n(.*)"), heading)
  local list = {}
  for line in part:match("\n(|.-)\n\n"):gmatch "[^\n]+" do
    local cells = {}
    for cell in line:gmatch "|%s*(.-)%s*%f[|]" do cells[#cells + 1] = cell end
    list[#list + 1] = cells
  end
  return { table.unpack(list, 3) }
end

function T.test_the_page_names_every_class_with_its_numbers()
  local said, real = {}, {}
  for _, cells in ipairs(rows "Bought again by itself") do
    local list = { count = tonumber(cells[2]:match "^%d+" or 0) }
    for wait in cells[2]:gmatch "(%d+) s" do list[#list + 1] = tonumber(wait) end
    for class in cells[1]:gmatch "`([%w_]+)`" do said[class] = list end
  end
  for _, class in ipairs(CLASSES) do
    real[class] = waits(class)
    real[class].count = #real[class]
  end
  lu.assertEquals(said, real)
end

function T.test_the_page_names_every_status_with_its_verdict()
  local said = {}
  for _, cells in ipairs(rows "Sent again by itself") do
    for status in cells[1]:gmatch "%d%d%d" do
      said[status] = cells[2]:match "`(%w+)`"
    end
  end
  lu.assertEquals(said["429"], "fail") -- the last row of the two is the daily cap's
  said["429"] = nil
  for _, row in ipairs(SUBMISSIONS) do
    local key = tostring(row[1])
    if said[key] then lu.assertEquals({ key, said[key] }, { key, row[3] }) end
  end
  for _, status in ipairs { "200", "500", "502", "503", "504" } do
    lu.assertNotNil(said[status], status)
  end
end

return T
