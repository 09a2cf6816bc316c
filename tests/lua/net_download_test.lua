--- Downloads from tests/fixtures/faultd: whole files or none.
local faultd = require "lua.faultd"
local fs = require "rt.fs"
local hash = require "rt.hash"
local lu = require "luaunit"
local net = require "rt.net"
local task = require "rt.task"

local T = {}

local base, client, hits, key = faultd.base, faultd.client, faultd.hits, faultd.key

--- What the server sends: byte i is i * 31 % 251, which repeats after 251.
local function content(n)
  local cycle = {}
  for i = 0, 250 do cycle[i + 1] = string.char(i * 31 % 251) end
  return table.concat(cycle):rep(n // 251 + 1):sub(1, n)
end

--- fn(dir) in a folder of its own that is gone afterwards.
local function in_folder(fn)
  local dir = assert(fs.tempdir())
  local ok, e = pcall(fn, dir)
  assert(fs.remove(dir, { recursive = true }))
  if not ok then error(e, 0) end
end

local function names(dir)
  local list = {}
  for _, entry in ipairs(assert(fs.list(dir))) do
    list[#list + 1] = type(entry) == "table" and entry.name or entry
  end
  table.sort(list)
  return list
end

--- A download that must fail and leave nothing.
local function fails(code, url, opts)
  local err
  in_folder(function(dir)
    local file, e = net.download(client(), base .. url, dir .. "/a.mp4", opts)
    lu.assertNil(file)
    lu.assertEquals(e.code, code)
    lu.assertEquals(names(dir), {})
    lu.assertNotStrContains(e.message, "geheim")
    err = e
  end)
  return err
end

function T.test_a_file_arrives_whole_with_its_hash()
  in_folder(function(dir)
    local path = dir .. "/clip.mp4"
    local file = assert(net.download(client(), base .. "/file/" .. key() .. "/300000", path))
    lu.assertEquals(file.path, path)
    lu.assertEquals(file.bytes, 300000)
    lu.assertEquals(file.type, "video/mp4")
    lu.assertEquals(file.sha256, hash.sha256(content(300000)))
    lu.assertEquals(assert(fs.read(path)), content(300000))
    lu.assertEquals(names(dir), { "clip.mp4" })
  end)
end

function T.test_hashing_can_be_left_out()
  in_folder(function(dir)
    local file = assert(net.download(client(), base .. "/bytes/10", dir .. "/a",
      { sha256 = false }))
    lu.assertNil(file.sha256)
    lu.assertEquals(file.bytes, 10)
  end)
end

function T.test_an_empty_file_is_a_file()
  in_folder(function(dir)
    lu.assertEquals(assert(net.download(client(), base .. "/bytes/0", dir .. "/a")).bytes, 0)
    lu.assertEquals(names(dir), { "a" })
  end)
end

function T.test_a_cut_is_resumed_where_it_was()
  in_folder(function(dir)
    local k = key()
    local file = assert(net.download(client(),
      ("%s/file/%s/300000?cut=100000&sig=geheim"):format(base, k), dir .. "/a"))
    lu.assertEquals(file.sha256, hash.sha256(content(300000)))
    lu.assertEquals(hits(k), 3)
  end)
end

function T.test_a_server_that_cannot_resume_is_read_again_from_the_start()
  in_folder(function(dir)
    local k = key()
    -- each answer is cut at 100,000 bytes; only a Range could ever reach the end
    local file, e = net.download(client(),
      ("%s/file/%s/150000?cut=100000&norange"):format(base, k), dir .. "/a",
      { attempts = 2 })
    lu.assertNil(file)
    lu.assertEquals(e.code, "network")
    lu.assertTrue(e.retryable)
    lu.assertEquals(names(dir), {})
  end)
end

function T.test_without_a_validator_nothing_is_pieced_together()
  local e = fails("network", ("/file/%s/150000?cut=100000&noetag"):format(key()),
    { attempts = 2 })
  lu.assertTrue(e.retryable)
end

function T.test_a_server_that_is_busy_is_asked_again()
  in_folder(function(dir)
    local k = key()
    local file = assert(net.download(client(), ("%s/flaky/%s/2/503"):format(base, k), dir .. "/a"))
    lu.assertEquals(file.bytes, 4)
    lu.assertEquals(hits(k), 3)
  end)
end

function T.test_a_url_that_is_over_asks_for_a_fresh_one()
  for _, status in ipairs { 403, 404, 410 } do
    local e = fails("expired", ("/status/%d?sig=geheim"):format(status))
    lu.assertEquals(e.status, status)
    lu.assertFalse(e.retryable)
    lu.assertStrContains(e.message, "fresh URL")
  end
end

function T.test_a_url_that_is_over_in_the_middle_leaves_nothing()
  fails("expired", ("/file/%s/300000?cut=100000&gone"):format(key()))
end

function T.test_other_answers_are_errors_with_their_number()
  lu.assertEquals(fails("http", "/status/401").status, 401)
  lu.assertEquals(fails("http", "/status/204").status, 204)
end

function T.test_a_limit_is_kept()
  local e = fails("too_large", "/bytes/1001", { max_bytes = 1000 })
  lu.assertStrContains(e.message, "1000 bytes")
  fails("too_large", "/chunked", { max_bytes = 10 }) -- no length was announced
end

function T.test_a_redirect_is_followed()
  in_folder(function(dir)
    local file = assert(net.download(client(), base .. "/redirect/302?to=/bytes/10", dir .. "/a"))
    lu.assertEquals(file.bytes, 10)
  end)
  fails("http", "/redirect/302?to=http://example.com/")
end

function T.test_a_secret_goes_to_its_origins_only()
  local secret = assert(net.secret { value = "sk-geheim", origins = { base } })
  local c = client { secret = secret }
  in_folder(function(dir)
    local other = base:gsub("127.0.0.1", "localhost")
    assert(net.download(c, base .. "/echo", dir .. "/mine"))
    assert(net.download(c, other .. "/echo", dir .. "/other"))
    lu.assertStrContains(assert(fs.read(dir .. "/mine")), "Bearer sk-geheim")
    lu.assertNotStrContains(assert(fs.read(dir .. "/other")), "geheim")
    local file, e = net.download(c, base .. "/redirect/302?to=" .. other .. "/echo", dir .. "/c")
    lu.assertNil(file)
    lu.assertEquals(e.status, 302)
  end)
end

function T.test_what_is_no_url_is_refused()
  for _, url in ipairs { "ftp://127.0.0.1/a", "nonsense", "http://example.com/?sig=geheim" } do
    in_folder(function(dir)
      local file, e = net.download(client(), url, dir .. "/a")
      lu.assertNil(file)
      lu.assertEquals(e.code, "invalid")
      lu.assertNotStrContains(e.message, "geheim")
      lu.assertEquals(names(dir), {})
    end)
  end
end

function T.test_nobody_at_the_other_end()
  in_folder(function(dir)
    local done, e = task.timeout(0.3, net.download, client(), faultd.nobody .. "/a", dir .. "/a")
    lu.assertNil(done) -- it is tried again for some seconds
    lu.assertEquals(e.code, "timeout")
    lu.assertEquals(names(dir), {})
  end)
end

function T.test_where_nothing_can_be_written()
  local file, e = net.download(client(), base .. "/bytes/10", "/no/such/folder/a")
  lu.assertNil(file)
  lu.assertEquals(e.code, "not_found")
  lu.assertStrContains(e.message, "/no/such/folder/a")
  file, e = net.download(client(), base .. "/bytes/10", "/proc/a")
  lu.assertNil(file)
  lu.assertNotNil(e.message:find "/proc/a")
end

function T.test_a_full_disk_is_told_and_nothing_stays()
  in_folder(function(dir)
    if not os.execute("mount -t tmpfs -o size=64k rushes-test " .. dir .. " 2>/dev/null") then
      lu.skip "only root can make a small disk"
    end
    local file, e = net.download(client(), base .. "/bytes/200000", dir .. "/a.mp4")
    local left = names(dir)
    os.execute("umount " .. dir)
    lu.assertNil(file)
    lu.assertEquals(e.code, "no_space")
    lu.assertStrContains(e.message, dir .. "/a.mp4")
    lu.assertEquals(left, {})
  end)
end

function T.test_a_part_of_a_dead_program_is_replaced()
  in_folder(function(dir)
    assert(fs.write(dir .. "/a.part", "old and longer than what comes"))
    lu.assertEquals(assert(net.download(client(), base .. "/bytes/10", dir .. "/a")).bytes, 10)
    lu.assertEquals(assert(fs.read(dir .. "/a")), content(10))
    lu.assertEquals(names(dir), { "a" })
  end)
end

function T.test_cancelling_leaves_nothing()
  in_folder(function(dir)
    local done, e = task.timeout(0.1, net.download, client(),
      ("%s/file/%s/10000000?slow=20"):format(base, key()), dir .. "/a")
    lu.assertNil(done)
    lu.assertEquals(e.code, "timeout")
    lu.assertEquals(names(dir), {})
  end)
end

function T.test_cancelling_what_still_waits_in_line()
  in_folder(function(dir)
    local c = client { downloads = 1 }
    task.scope(function(s)
      for i = 1, 20 do
        s:spawn(function()
          net.download(c, ("%s/file/%s/1000000?slow=20"):format(base, key()), dir .. "/" .. i)
        end)
      end
      task.sleep(0.05)
      s:cancel()
    end)
    lu.assertEquals(names(dir), {})
    assert(net.download(c, base .. "/bytes/10", dir .. "/a"))
  end)
end

function T.test_many_at_once()
  in_folder(function(dir)
    local c = client { downloads = 4 }
    task.scope(function(s)
      for i = 1, 100 do
        s:spawn(function()
          local file = assert(net.download(c, ("%s/bytes/%d"):format(base, i * 100),
            ("%s/%d"):format(dir, i)))
          lu.assertEquals(file.bytes, i * 100)
        end)
      end
    end)
    lu.assertEquals(#names(dir), 100)
  end)
end

function T.test_many_into_a_folder_that_is_not_there()
  local c, failed = client { downloads = 2 }, 0
  task.scope(function(s)
    for i = 1, 2000 do
      s:spawn(function()
        local _, e = net.download(c, base .. "/bytes/10", "/no/such/folder/" .. i)
        if e.code == "not_found" then failed = failed + 1 end
      end)
    end
  end)
  lu.assertEquals(failed, 2000)
end

function T.test_progress_is_reported()
  in_folder(function(dir)
    local seen = {}
    local file = assert(net.download(client(),
      ("%s/file/%s/1000000?slow=60"):format(base, key()), dir .. "/a",
      { on_progress = function(bytes, total)
        seen[#seen + 1] = bytes
        lu.assertEquals(total, 1000000)
      end }))
    lu.assertEquals(file.bytes, 1000000)
    lu.assertTrue(#seen >= 1)
    for i = 2, #seen do lu.assertTrue(seen[i] >= seen[i - 1]) end
  end)
end

function T.test_an_error_in_on_progress_ends_the_download()
  in_folder(function(dir)
    local _, e = task.try(net.download, client(),
      ("%s/file/%s/1000000?slow=100"):format(base, key()), dir .. "/a",
      { on_progress = function() error "enough" end })
    lu.assertStrContains(tostring(e), "enough")
    lu.assertEquals(names(dir), {})
  end)
end

return T
