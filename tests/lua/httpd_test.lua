local lu = require "luaunit"
local curl = require "lua.curl"
local httpd = require "rt.httpd"
local task = require "rt.task"

local T = {}

--- Serve with `handler` while `fn(url, server)` runs.
local function with(opts, handler, fn)
  local server = assert(httpd.listen(opts))
  task.scope(function(s)
    s:spawn(function() assert(server:serve(handler)) end)
    fn("http://127.0.0.1:" .. server.port, server)
    server:close()
  end)
end

local function temp_file(text)
  local path = os.tmpname()
  local f = assert(io.open(path, "wb"))
  f:write(text)
  f:close()
  return path
end

local function exists(path)
  local f = io.open(path, "rb")
  if f then f:close() end
  return f ~= nil
end

local function header(out, name)
  return ("\n" .. out):lower():match("\n" .. name:lower():gsub("%-", "%%-") .. ": ([^\r\n]*)")
end

function T.test_a_request_arrives_with_its_parts()
  local seen
  with({}, function(req)
    seen = req
    req:respond { body = "hi" }
  end, function(url)
    local r = curl("-H", "X-One: a", "-H", "x-one: b", "-d", "text", url .. "/a%20b?x=1&y=z%26")
    lu.assertEquals(r, { code = 0, out = "hi" })
  end)
  lu.assertEquals(seen.method, "POST")
  lu.assertEquals(seen.path, "/a b")
  lu.assertEquals(seen.query, { x = "1", y = "z&" })
  lu.assertEquals(seen.headers["x-one"], "a, b")
  lu.assertEquals({ seen.body, seen.size, seen:text() }, { "text", 4, "text" })
end

function T.test_a_connection_is_kept()
  with({}, function(req) req:respond { body = "x" } end, function(url)
    lu.assertEquals(curl("-w", "%{num_connects} ", url, url).out, "x1 x0 ")
  end)
end

function T.test_head_has_the_headers_only()
  with({}, function(req)
    if req.path == "/stream" then
      local w = assert(req:stream {})
      task.yield()
      lu.assertTrue(w:write "body")
      lu.assertTrue(w:close())
    else
      req:respond { body = "twelve bytes" }
    end
  end, function(url)
    local r = curl("-I", url)
    lu.assertEquals(header(r.out, "content-length"), "12")
    lu.assertStrContains(curl("-I", url .. "/stream").out, "200 OK")
  end)
end

function T.test_a_large_body_is_a_file_that_goes_with_the_request()
  local big = temp_file(("0123456789"):rep(30000))
  local file, kept = nil, os.tmpname()
  with({ max_memory = 1000 }, function(req)
    file = req.file
    lu.assertEquals(#req:text(), 300000)
    if req.path == "/keep" then assert(os.rename(req.file, kept)) end
    req:respond { body = tostring(req.size) }
  end, function(url)
    lu.assertEquals(curl("--data-binary", "@" .. big, url).out, "300000")
    task.yield()
    lu.assertFalse(exists(file))
    lu.assertEquals(curl("--data-binary", "@" .. big, url .. "/keep").out, "300000")
  end)
  lu.assertTrue(exists(kept))
  os.remove(kept)
  os.remove(big)
end

function T.test_a_form_keeps_its_order()
  local file, parts = temp_file "picture", nil
  with({ max_memory = 6 }, function(req)
    parts = req.parts
    for _, part in ipairs(parts) do
      if part.file then
        local f = io.open(part.file)
        part.text = f:read "a"
        f:close()
      end
    end
    req:respond { status = 204 }
  end, function(url)
    local r = curl("-F", "z=1", "-F", "empty=", "-F", "a=2", "-F",
      "file=@" .. file .. ";type=image/png;filename=p.png", "-F", "a=3", url)
    lu.assertEquals(r.code, 0)
  end)
  os.remove(file)
  local names = {}
  for i, part in ipairs(parts) do names[i] = part.name .. "=" .. (part.body or part.text) end
  lu.assertEquals(names, { "z=1", "empty=", "a=2", "file=picture", "a=3" })
  lu.assertEquals({ parts[4].filename, parts[4].type, parts[4].size },
    { "p.png", "image/png", 7 })
end

function T.test_a_body_that_is_too_large_is_refused()
  local big = temp_file(("x"):rep(200000))
  local ran = 0
  with({ max_body = 100000 }, function(req)
    ran = ran + 1
    req:respond { body = "taken" }
  end, function(url)
    local code = { "-o", "/dev/null", "-w", "%{http_code}" }
    for _, headers in ipairs { { "-H", "Expect:" }, { "-H", "Expect: 100-continue" },
      { "-H", "Transfer-Encoding: chunked" } } do
      local args = table.move(code, 1, #code, 1, {})
      table.move(headers, 1, #headers, #args + 1, args)
      table.move({ "--data-binary", "@" .. big, url }, 1, 3, #args + 1, args)
      lu.assertEquals(curl(table.unpack(args)).out, "413")
    end
    lu.assertStrContains(curl("--data-binary", "@" .. big, url).out, "too large")
  end)
  lu.assertEquals(ran, 0)
  os.remove(big)
end

function T.test_headers_have_a_limit()
  with({}, function(req) req:respond { body = "taken" } end, function(url)
    local r = curl("-o", "/dev/null", "-w", "%{http_code}", "-H", "X: " .. ("a"):rep(60000), url)
    lu.assertEquals(r.out, "431")
  end)
end

function T.test_a_file_has_ranges()
  local path = temp_file "0123456789"
  with({}, function(req)
    req:respond { file = path, headers = { ["Content-Type"] = "text/plain" } }
  end, function(url)
    local whole = curl("-i", url)
    lu.assertStrContains(whole.out, "0123456789")
    lu.assertEquals(header(whole.out, "accept-ranges"), "bytes")
    local etag = header(whole.out, "etag")
    local function get(...) return curl("-w", " %{http_code}", ...).out end
    lu.assertEquals(get("-r", "2-4", url), "234 206")
    lu.assertEquals(get("-r", "7-", url), "789 206")
    lu.assertEquals(get("-r", "-3", url), "789 206")
    lu.assertEquals(get("-r", "8-99", url), "89 206")
    lu.assertEquals(get("-r", "10-", url), " 416")
    lu.assertEquals(header(curl("-i", "-r", "10-", url).out, "content-range"), "bytes */10")
    lu.assertEquals(header(curl("-i", "-r", "2-4", url).out, "content-range"), "bytes 2-4/10")
    lu.assertEquals(get("-r", "2-4", "-H", "If-Range: " .. etag, url), "234 206")
    lu.assertEquals(get("-r", "2-4", "-H", 'If-Range: "other"', url), "0123456789 200")
    lu.assertEquals(get("-H", "If-None-Match: " .. etag, url), " 304")
  end)
  os.remove(path)
end

function T.test_a_file_that_is_not_there_leaves_the_request_open()
  with({}, function(req)
    local ok, e = req:respond { file = "/nonexistent/file" }
    lu.assertNil(ok)
    lu.assertEquals(e.code, "not_found")
    req:respond { status = 404, body = "sorry" }
  end, function(url)
    lu.assertEquals(curl("-w", " %{http_code}", url).out, "sorry 404")
  end)
end

function T.test_a_rate_slows_a_body_down()
  with({}, function(req) req:respond { body = ("x"):rep(30000), rate = 100000 } end,
    function(url)
      local r = curl("-o", "/dev/null", "-w", "%{size_download} %{time_total}", url)
      local size, seconds = r.out:match "(%S+) (%S+)"
      lu.assertEquals(size, "30000")
      lu.assertTrue(tonumber(seconds) > 0.2, seconds)
    end)
end

function T.test_a_truncated_body_promises_more_than_it_sends()
  local path = temp_file(("y"):rep(70000))
  local results = {}
  with({}, function(req)
    local cut = tonumber(req.query.n)
    if req.path == "/file" then
      results[#results + 1] = req:respond { file = path, truncate = cut }
    else
      results[#results + 1] = req:respond { body = ("x"):rep(1000), truncate = cut }
    end
  end, function(url)
    local function get(p)
      local r = curl("-w", " %{size_download}", url .. p)
      return r.code, r.out:match "(%d+)$"
    end
    lu.assertEquals({ get "/?n=0" }, { 18, "0" })
    lu.assertEquals({ get "/?n=400" }, { 18, "400" })
    lu.assertEquals({ get "/file?n=50000" }, { 18, "50000" })
  end)
  lu.assertEquals(results, { true, true, true })
  os.remove(path)
end

function T.test_abort_resets_or_closes()
  with({}, function(req) req:abort(req.query.how) end, function(url)
    lu.assertEquals(curl(url).code, 56)
    lu.assertEquals(curl(url .. "/?how=close").code, 52)
  end)
end

function T.test_a_stream_can_be_aborted()
  with({}, function(req)
    local w = assert(req:stream {})
    lu.assertTrue(w:write "begin")
    req:abort()
    local ok, e = w:write "more"
    lu.assertNil(ok)
    lu.assertEquals(e.code, "network")
  end, function(url)
    lu.assertEquals(curl(url), { code = 56, out = "begin" })
  end)
end

function T.test_a_stream_is_written_piece_by_piece()
  with({}, function(req)
    local w = assert(req:stream { headers = { ["Content-Type"] = "text/plain" } })
    for i = 1, 3 do lu.assertTrue(w:write(i .. "\n")) end
    lu.assertTrue(w:close())
  end, function(url)
    local r = curl("-i", url)
    lu.assertEquals(header(r.out, "transfer-encoding"), "chunked")
    lu.assertStrContains(r.out, "1\n2\n3\n")
  end)
end

function T.test_a_task_learns_that_its_client_has_gone()
  local e
  with({}, function(req)
    local w = assert(req:stream {})
    repeat e = select(2, w:write(("x"):rep(100000))) until e
  end, function(url)
    lu.assertEquals(curl("--max-time", "0.2", "-o", "/dev/null", url).code, 28)
  end)
  lu.assertEquals(e.code, "network")
end

function T.test_a_handler_that_fails_is_a_500()
  local complaints = {}
  with({ on_error = function(_, e) complaints[#complaints + 1] = e end }, function(req)
    if req.path == "/raise" then error "boom" end
  end, function(url)
    lu.assertEquals(curl("-o", "/dev/null", "-w", "%{http_code}", url .. "/raise").out, "500")
    lu.assertEquals(curl("-o", "/dev/null", "-w", "%{http_code}", url .. "/silent").out, "500")
  end)
  lu.assertEquals(#complaints, 1)
  lu.assertStrContains(tostring(complaints[1]), "boom")
end

function T.test_a_handler_has_a_deadline()
  local complaint
  with({ deadline = 0.05, on_error = function(_, e) complaint = e end },
    function() task.sleep(30) end, function(url)
      lu.assertEquals(curl("-o", "/dev/null", "-w", "%{http_code}", url).out, "500")
    end)
  lu.assertEquals(complaint.code, "timeout")
end

function T.test_one_answer_per_request()
  with({}, function(req)
    req:respond { body = "one" }
    local ok, e = task.try(req.respond, req, { body = "two" })
    lu.assertNil(ok)
    lu.assertEquals(e.code, "network") -- it is over by now
  end, function(url) lu.assertEquals(curl(url).out, "one") end)
end

function T.test_a_header_cannot_carry_another()
  with({}, function(req)
    local ok, e = req:respond { headers = { ["X-A"] = "b\r\nX-C: d" } }
    lu.assertNil(ok)
    lu.assertEquals(e.code, "invalid")
    req:respond { status = 204 }
  end, function(url)
    lu.assertEquals(curl("-w", "%{http_code}", url).out, "204")
  end)
end

function T.test_close_answers_the_running_requests_and_then_refuses()
  local server = assert(httpd.listen {})
  local url = "http://127.0.0.1:" .. server.port
  local got
  task.scope(function(s)
    s:spawn(function()
      server:serve(function(req)
        s:spawn(function() server:close() end)
        task.sleep(0.05)
        req:respond { body = "late" }
      end)
    end)
    got = curl(url)
  end)
  lu.assertEquals(got, { code = 0, out = "late" })
  lu.assertEquals(curl(url).code, 7)
end

function T.test_close_cuts_what_takes_too_long()
  local server = assert(httpd.listen {})
  task.scope(function(s)
    s:spawn(function()
      server:serve(function()
        s:spawn(function()
          server:close(0.05)
          s:cancel()
        end)
        task.sleep(30)
      end)
    end)
    lu.assertEquals(curl("http://127.0.0.1:" .. server.port).code, 52)
  end)
end

function T.test_a_port_that_is_taken()
  local server = assert(httpd.listen {})
  local again, e = httpd.listen { port = server.port }
  lu.assertNil(again)
  lu.assertEquals(e.code, "busy")
  lu.assertStrContains(e.message, tostring(server.port))
  server:close()
  lu.assertErrorMsgContains("did you mean \"port\"", httpd.listen, { prt = 1 })
end

function T.test_a_program_ends_with_its_servers_open()
  local fs, proc, sys = require "rt.fs", require "rt.proc", require "rt.c.sys"
  local dir = assert(fs.tempdir())
  assert(fs.write(dir .. "/open.lua", [[
    package.loaded.kept = assert(require "rt.httpd".listen {})
    print "ended"]]))
  local r = task.timeout(20, proc.run, { sys.exe(), "run", dir .. "/open.lua" })
  fs.remove(dir, { recursive = true })
  lu.assertEquals(r, { code = 0, stdout = "ended\n", stderr = "" })
end

function T.test_many_at_once()
  local n = 0
  with({}, function(req)
    n = n + 1
    task.yield()
    req:respond { body = "." }
  end, function(url)
    local r = curl("-Z", "--parallel-max", "100", url .. "/[1-1000]")
    lu.assertEquals(#r.out, 1000)
  end)
  lu.assertEquals(n, 1000)
end

return T
