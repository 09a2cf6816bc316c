--- Exchanges and polls against tests/fixtures/faultd.
local core = require "rt.c.core"
local faultd = require "lua.faultd"
local lu = require "luaunit"
local net = require "rt.net"
local task = require "rt.task"

local T = {}

local base, nothing_there = faultd.base, faultd.nobody
local client, hits, key = faultd.client, faultd.hits, faultd.key

-- ---- requests and answers ----

function T.test_what_is_asked_arrives_and_the_answer_comes_back()
  local c = client { headers = { ["X-Version"] = "1", ["X-Other"] = "a" } }
  local r = assert(net.submit(c, { method = "POST", path = "/echo?x=1",
    headers = { ["x-other"] = "b" }, json = { promptText = "rain" } }))
  lu.assertEquals(r.status, 200)
  lu.assertTrue(r.sent)
  lu.assertStrContains(r.body, "POST /echo?x=1 HTTP/1.1\r\n")
  lu.assertStrContains(r.body, "X-Version: 1\r\n")
  lu.assertStrContains(r.body, "x-other: b\r\n")
  lu.assertNotStrContains(r.body, "X-Other: a")
  lu.assertStrContains(r.body, "Content-Type: application/json\r\n")
  lu.assertStrContains(r.body, "Content-Length: 21\r\n\r\n{\"promptText\":\"rain\"}")
  lu.assertNotStrContains(r.body, "Expect:")
  lu.assertEquals(r.url, base .. "/echo")
  lu.assertEquals(r.headers["content-type"], "text/plain")
  lu.assertEquals(r.headers["x-two"], "a, b")
  lu.assertNil(r.json)
end

function T.test_odd_header_lines()
  local headers = require("rt.c.net").headers
  lu.assertEquals(headers("http://h/p\nHTTP/1.1 200 OK: fine\r\nA-b:  c d \t\r\n: e\r\n" ..
    "no header\r\nEmpty:\r\na-B:f\nURL: http://i:1/\r\n\r\n"),
    { ["a-b"] = "c d, f", empty = "", url = "http://i:1/" })
  lu.assertEquals(headers "http://h/p\n", {})
  lu.assertEquals(headers "", {})
  local long = ("N"):rep(100000)
  lu.assertEquals(headers("u\ns\n" .. long .. ": " .. long .. "\n"),
    { [long:lower()] = long })
end

function T.test_every_method_and_an_empty_body()
  for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
    local r = assert(net.request(client(), { method = method, path = "/echo" }))
    lu.assertStrContains(r.body, method .. " /echo HTTP/1.1")
    lu.assertNotStrContains(r.body, "Content-Type")
  end
  local head = assert(net.request(client(), { method = "HEAD", path = "/echo" }))
  lu.assertEquals(head.body, "")
  lu.assertEquals(head.headers["content-type"], "text/plain")
end

function T.test_one_handle_serves_every_kind_of_request_in_turn()
  local c = client { slots = 1 }
  local function said(req) return assert(net.request(c, req)).body end
  lu.assertStrContains(said { method = "PUT", path = "/echo", body = "abc" }, "\r\n\r\nabc")
  lu.assertStrContains(said { path = "/echo" }, "GET /echo")
  lu.assertEquals(said { method = "HEAD", path = "/echo" }, "")
  lu.assertStrContains(said { method = "POST", path = "/echo", json = {} }, "\r\n\r\n{}")
  lu.assertStrContains(said { method = "DELETE", path = "/echo" }, "DELETE /echo")
  lu.assertNotStrContains(said { path = "/echo" }, "Content-Type")
end

function T.test_one_handle_is_told_each_address_as_it_is()
  local c = client { slots = 1 }
  local with_path = client { base = base .. "/echo/v1/", slots = 1 }
  local function asked(who, req)
    local r = assert(net.request(who, req))
    return r.body:match "^GET (%S+) HTTP", r.url
  end
  for _, path in ipairs { "/echo/a", "/echo/b", "/echo/c%2Fd%2fe", "/echo/f?sig=%2F%2f#x",
    "/echo/g", "/echo/../echo/./h", "/echo/i;j=k,l", "/echo/\u{e9}", "/echo" } do
    local sent, url = asked(c, { path = path })
    local as_sent = path:gsub("#.*", ""):gsub("\u{e9}", "%%c3%%a9")
    lu.assertEquals(sent, as_sent)
    lu.assertEquals(url, base .. path:match "^[^?]*")
    lu.assertEquals(asked(c, { url = base .. path }), as_sent)
    lu.assertEquals(asked(with_path, { path = path }), "/echo/v1" .. as_sent)
  end
end

function T.test_a_status_is_an_answer()
  for _, status in ipairs { 400, 401, 404, 429, 500, 503 } do
    local r = assert(net.submit(client(), { method = "POST", path = "/status/" .. status }))
    lu.assertEquals(r.status, status)
  end
end

function T.test_chunks_are_put_together()
  lu.assertEquals(assert(net.request(client(), { path = "/chunked" })).body, "onetwothree")
end

function T.test_json_is_decoded_when_asked()
  local r = assert(net.request(client(), { method = "POST", path = "/echo" }))
  lu.assertNil(r.json)
end

function T.test_a_large_answer_is_an_error_with_a_number()
  local c = client { max_body = 1000 }
  lu.assertEquals(#assert(net.request(c, { path = "/bytes/1000" })).body, 1000)
  local r, e = net.request(c, { path = "/bytes/1001" })
  lu.assertNil(r)
  lu.assertEquals(e.code, "too_large")
  lu.assertFalse(e.retryable)
  lu.assertStrContains(e.message, "1000 bytes")
  lu.assertEquals(#assert(net.request(c, { path = "/bytes/300000", max_body = 300000 })).body,
    300000)
end

-- ---- what can go wrong ----

function T.test_nothing_was_sent_when_nobody_answers()
  local r, e = net.submit(client { base = nothing_there },
    { method = "POST", path = "/v1/x?key=geheim", body = "{}" })
  lu.assertNil(r)
  lu.assertEquals(e.code, "network")
  lu.assertIs(e.sent, false)
  lu.assertTrue(e.retryable)
  lu.assertStrContains(e.message, "127.0.0.1:1")
  lu.assertStrContains(e.message, "refused")
  lu.assertNotStrContains(e.message, "geheim")
end

function T.test_an_unknown_host_has_not_been_sent_to()
  local c = client { base = "https://no-such-host.invalid" }
  local r, e = net.submit(c, { method = "POST", path = "/", body = "{}" })
  lu.assertNil(r)
  lu.assertEquals(e.code, "network")
  lu.assertIs(e.sent, false)
end

function T.test_a_connection_that_ends_after_the_request_is_unknown()
  for _, how in ipairs { "close", "reset" } do
    local k = key()
    local r, e = net.submit(client(), { method = "POST", path = ("/%s/%s?sig=geheim"):format(how, k),
      json = { a = 1 } })
    lu.assertNil(r)
    lu.assertEquals(e.code, "network")
    lu.assertIs(e.sent, true)
    lu.assertFalse(e.retryable)
    lu.assertNotStrContains(e.message, "geheim")
    lu.assertEquals(hits(k), 1)
  end
end

--- The trap: libcurl repeats a request when a connection that it reuses ends before
--- the first byte of the answer.
local function submitted_once(req)
  local k, c = key(), client { slots = 1 }
  assert(net.request(c, { path = "/echo" })) -- there is a connection to reuse
  req.path = "/close-once/" .. k
  local r, e = net.submit(c, req)
  lu.assertNil(r)
  lu.assertIs(e.sent, true)
  lu.assertFalse(e.retryable)
  lu.assertEquals(hits(k), 1)
end

function T.test_a_post_is_never_sent_twice() submitted_once { method = "POST", json = { a = 1 } } end
function T.test_a_post_without_a_body_is_never_sent_twice() submitted_once { method = "POST" } end
function T.test_a_delete_is_never_sent_twice() submitted_once { method = "DELETE" } end
function T.test_a_submitted_get_is_never_sent_twice() submitted_once { method = "GET" } end

function T.test_a_streamed_post_is_never_sent_twice()
  submitted_once { method = "POST", body = assert(net.body("{}", {})) }
end

function T.test_a_get_that_is_requested_may_be_sent_twice()
  local k, c = key(), client { slots = 1 }
  assert(net.request(c, { path = "/echo" }))
  lu.assertEquals(assert(net.request(c, { path = "/close-once/" .. k })).body, "again")
  lu.assertEquals(hits(k), 2)
end

function T.test_a_cut_answer_is_no_answer()
  local r, e = net.request(client(), { path = "/truncated" })
  lu.assertNil(r)
  lu.assertEquals(e.code, "network")
  lu.assertStrContains(e.message, "/truncated ended too early")
end

function T.test_what_is_not_http_is_an_error()
  local r, e = net.request(client(), { path = "/garbage" })
  lu.assertNil(r)
  lu.assertEquals(e.code, "protocol")
end

function T.test_time_runs_out()
  local r, e = net.submit(client(), { method = "POST", path = "/slow/3000", timeout = 0.05 })
  lu.assertNil(r)
  lu.assertEquals(e.code, "timeout")
  lu.assertIs(e.sent, true)
  lu.assertFalse(e.retryable)
  lu.assertStrContains(e.message, "0.05 s")
end

function T.test_cancelling_ends_at_once_and_the_slot_is_free()
  local c = client { slots = 1 }
  local done, e = task.timeout(0.05, net.request, c, { path = "/slow/3000" })
  lu.assertNil(done)
  lu.assertEquals(e.code, "timeout")
  lu.assertEquals(assert(net.request(c, { path = "/echo" })).status, 200)
end

function T.test_a_queue_in_front_of_one_slot_is_served_in_order()
  local c, order = client { slots = 1 }, {}
  task.scope(function(s)
    s:spawn(function() net.request(c, { path = "/slow/20" }) end)
    task.yield()
    for i = 1, 5 do
      s:spawn(function()
        assert(net.request(c, { path = "/echo" }))
        order[#order + 1] = i
      end)
    end
    task.yield()
    s:spawn(function()
      assert(net.submit(c, { method = "POST", path = "/echo" }))
      order[#order + 1] = "submit"
    end)
  end)
  lu.assertEquals(order, { "submit", 1, 2, 3, 4, 5 })
end

function T.test_many_at_once_share_the_slots()
  local c, n = client { slots = 8 }, 0
  task.scope(function(s)
    for _ = 1, 500 do
      s:spawn(function()
        local body = assert(net.request(c, { path = "/bytes/100" })).body
        n = n + #body
      end)
    end
  end)
  lu.assertEquals(n, 50000)
end

-- ---- where requests may go ----

function T.test_plain_http_is_for_this_machine()
  local c, e = net.client { base = "http://example.com" }
  lu.assertNil(c)
  lu.assertEquals(e.code, "invalid")
  lu.assertStrContains(e.message, "insecure_http")
  local r, why = net.request(client(), { url = "http://example.com/?key=geheim" })
  lu.assertNil(r)
  lu.assertEquals(why.code, "invalid")
  lu.assertIs(why.sent, false)
  lu.assertNotStrContains(why.message, "geheim")
end

function T.test_urls_that_are_none()
  for _, url in ipairs { "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "http://",
    "https://user:geheim@host/" } do
    local r, e = net.request(client(), { url = url })
    lu.assertNil(r)
    lu.assertEquals(e.code, "invalid", url)
    lu.assertNotStrContains(e.message, "geheim")
  end
end

function T.test_callers_bugs_are_raised()
  local c = client()
  local function raises(text, fn, ...)
    local ok, e = pcall(fn, ...)
    lu.assertFalse(ok)
    lu.assertStrContains(tostring(e), text)
  end
  raises("path", net.request, c, { path = "echo" })
  raises("either a path or a url", net.request, c, {})
  raises("FETCH", net.request, c, { path = "/", method = "FETCH" })
  raises("one line", net.request, c, { path = "/", headers = { A = "b\r\nC: d" } })
  raises("name", net.request, c, { path = "/", headers = { ["A:"] = "b" } })
  raises("without spaces", net.request, c, { path = "/a b" })
  raises("slots", net.client, { slots = 0 })
  raises("base", net.client, { bsae = base })
  raises("origins", net.secret, { value = "x" })
end

function T.test_redirects_of_a_get_are_followed_on_the_same_terms()
  local c = client()
  local r = assert(net.request(c, { path = "/redirect/302?to=/echo%3Fa" }))
  lu.assertEquals(r.status, 200)
  lu.assertEquals(assert(net.submit(c, { path = "/redirect/302?to=/echo" })).status, 302)
  lu.assertEquals(assert(net.request(c, { method = "POST",
    path = "/redirect/307?to=/echo" })).status, 307)
  lu.assertEquals(assert(net.request(c, { path = "/redirect/302?to=http://example.com/" })).status,
    302)
  lu.assertEquals(assert(net.request(c, { path = "/redirect/302?to=/redirect/302%3Fto=x" })).status,
    404)
end

-- ---- secrets ----

local function with_secret(origins)
  return assert(net.secret { value = "sk-geheim", origins = origins })
end

function T.test_a_secret_goes_to_its_origins_only()
  local secret = with_secret { base }
  local c = client { secret = secret, headers = { ["X-Version"] = "1" } }
  local said = assert(net.request(c, { path = "/echo" })).body
  lu.assertStrContains(said, "Authorization: Bearer sk-geheim\r\n")
  lu.assertNotStrContains(assert(net.request(c, { path = "/echo", auth = false })).body, "geheim")
  -- the same server by another name is another origin
  local other = base:gsub("127.0.0.1", "localhost")
  local elsewhere = assert(net.request(c, { url = other .. "/echo" })).body
  lu.assertNotStrContains(elsewhere, "geheim")
  lu.assertNotStrContains(elsewhere, "X-Version")
  lu.assertStrContains(assert(net.request(c, { url = base .. "/echo" })).body, "geheim")
  lu.assertNotStrContains(
    assert(net.request(client { base = other, secret = secret }, { path = "/echo" })).body,
    "geheim")
end

function T.test_a_secret_does_not_follow_a_redirect_to_another_origin()
  local c = client { secret = with_secret { base } }
  local other = base:gsub("127.0.0.1", "localhost")
  local r = assert(net.request(c, { path = "/redirect/302?to=" .. other .. "/echo" }))
  lu.assertEquals(r.status, 302)
  local open = assert(net.request(c, { path = "/redirect/302?to=" .. other .. "/echo",
    auth = false }))
  lu.assertEquals(open.status, 200)
  lu.assertNotStrContains(open.body, "geheim")
end

function T.test_the_mark_of_a_secret()
  local hash = require "rt.hash"
  local a = with_secret { base }
  local b = assert(net.secret { value = "sk-geheim", scheme = "", header = "X-Key",
    origins = { nothing_there } })
  local c = assert(net.secret { value = "sk-geheim2", origins = { base } })
  lu.assertEquals(net.mark(a, "salt"), hash.sha256("saltsk-geheim"):sub(1, 8))
  lu.assertEquals(net.mark(b, "salt"), net.mark(a, "salt"))
  lu.assertNotEquals(net.mark(c, "salt"), net.mark(a, "salt"))
  lu.assertNotEquals(net.mark(a, "other"), net.mark(a, "salt"))
end

function T.test_a_secret_takes_any_header_and_scheme()
  local s = assert(net.secret { value = "v", header = "X-Key", scheme = "", origins = { base } })
  lu.assertStrContains(assert(net.request(client { secret = s }, { path = "/echo" })).body,
    "X-Key: v\r\n")
end

function T.test_a_missing_or_broken_secret_is_named_without_its_value()
  local s, e = net.secret { env = "RUSHES_NO_SUCH_KEY", origins = { base } }
  lu.assertNil(s)
  lu.assertEquals(e.code, "auth")
  lu.assertStrContains(e.message, "RUSHES_NO_SUCH_KEY")
  s, e = net.secret { value = "geheim\n", origins = { base } }
  lu.assertNil(s)
  lu.assertEquals(e.code, "invalid")
  lu.assertNotStrContains(e.message, "geheim")
  s, e = net.secret { value = "x", origins = { "example.com:foo" } }
  lu.assertNil(s)
  lu.assertStrContains(e.message, "example.com:foo")
end

-- ---- retry ----

function T.test_a_get_is_retried_when_asked()
  local k = key()
  local r = assert(net.request(client(), { path = "/flaky/" .. k .. "/2/503" },
    { retry = { base = 0.001 } }))
  lu.assertEquals(r.body, "fine")
  lu.assertEquals(hits(k), 3)
  lu.assertEquals(assert(net.request(client(), { path = "/flaky/" .. key() .. "/1/503" })).status,
    503)
end

function T.test_the_last_answer_comes_back_when_the_tries_run_out()
  local r = assert(net.request(client(), { path = "/status/503" },
    { retry = { attempts = 2, base = 0.001 } }))
  lu.assertEquals(r.status, 503)
end

function T.test_a_post_is_retried_only_for_listed_answers()
  local k = key()
  local req = { method = "POST", path = "/flaky/" .. k .. "/1/503" }
  lu.assertEquals(assert(net.request(client(), req, { retry = { base = 0.001 } })).status, 503)
  lu.assertEquals(hits(k), 1)
  k = key()
  req.path = "/flaky/" .. k .. "/1/503"
  local r = assert(net.request(client(), req, { retry = { base = 0.001, statuses = { 503 } } }))
  lu.assertEquals(r.body, "fine")
  k = key()
  local none, e = net.request(client(), { method = "POST", path = "/close/" .. k, body = "x" },
    { retry = { base = 0.001 } })
  lu.assertNil(none)
  lu.assertEquals(e.attempts, 1)
  lu.assertEquals(hits(k), 1)
end

-- ---- polling ----

function T.test_a_poll_wakes_only_for_news()
  local k, c = key(), client()
  local req = { path = "/change/" .. k .. "/4" }
  local fast = { first = 0, every = 0.01 }
  local r = assert(net.poll(c, req, fast))
  lu.assertEquals(r.body, "before")
  lu.assertEquals(math.type(r.digest), "integer")
  lu.assertEquals(r.headers["content-type"], "application/json")
  fast.seen = r.digest
  r = assert(net.poll(c, req, fast))
  lu.assertEquals(r.body, "after")
  lu.assertEquals(hits(k), 5)
end

function T.test_a_poll_rides_out_what_passes()
  local k = key()
  local r = assert(net.poll(client(), { path = "/flaky/" .. k .. "/3/503" },
    { first = 0, every = 0.002 }))
  lu.assertEquals(r.body, "fine")
  lu.assertEquals(hits(k), 4)
end

function T.test_a_poll_returns_what_does_not_pass()
  for _, status in ipairs { 400, 401, 404 } do
    local r = assert(net.poll(client(), { path = "/status/" .. status }, { first = 0 }))
    lu.assertEquals(r.status, status)
  end
end

--- Nothing else would wake the loop for a minute.
function T.test_a_deadline_that_passes_while_the_script_computes_ends_the_poll()
  local began, e = core.now(), nil
  task.scope(function(s)
    s:spawn(function()
      e = select(2, net.poll(client {}, { path = "/echo" },
        { first = 10, every = 1, deadline = 0.05 }))
    end)
    task.yield()
    repeat until core.now() > began + 0.1
  end)
  lu.assertEquals(e.code, "timeout")
  lu.assertTrue(core.now() - began < 30)
end

function T.test_a_poll_ends_at_its_deadline()
  for _, path in ipairs { "/page", "/status/500", "/reset/" .. key(), "/slow/5000" } do
    local r, e = net.poll(client(), { path = path .. "?sig=geheim" },
      { first = 0, every = 0.01, deadline = 0.15 })
    lu.assertNil(r, path)
    lu.assertEquals(e.code, "timeout", path)
    lu.assertNotStrContains(e.message, "geheim")
  end
  local none, e = net.poll(client { base = nothing_there }, { path = "/" },
    { first = 0, every = 0.01, deadline = 0.1 })
  lu.assertNil(none)
  lu.assertEquals(e.code, "timeout")
end

function T.test_retry_after_is_honoured_by_a_poll()
  local r, e = net.poll(client(), { path = "/status/429?retry-after=2" },
    { first = 0, every = 0.01, deadline = 0.3 })
  lu.assertNil(r)
  lu.assertEquals(e.status, 429)
  lu.assertStrContains(e.message, "HTTP 429")
end

function T.test_a_thousand_polls_wait_and_are_cancelled()
  local c, ended = client(), 0
  task.scope(function(s)
    for _ = 1, 1000 do
      s:spawn(function()
        net.poll(c, { path = "/echo" }, { first = 60 })
        ended = ended + 1
      end)
    end
    task.sleep(0.02)
    s:cancel()
  end)
  lu.assertEquals(ended, 0) -- the cancellation was raised in every one
end

return T
