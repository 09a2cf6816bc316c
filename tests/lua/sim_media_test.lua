--- Real files by ffmpeg: small ones, so that the test is quick.
local fs = require "rt.fs"
local hash = require "rt.hash"
local json = require "rt.json"
local lu = require "luaunit"
local media = require "rushes.sim.media"
local proc = require "rt.proc"
local simulator = require "lua.simulator"
local task = require "rt.task"

local T = {}

local function in_folder(fn)
  local dir = assert(fs.tempdir())
  fn(dir, media.new(dir, { preset = "ultrafast" }))
  assert(fs.remove(dir, { recursive = true }))
end

local function probe(path)
  local r = assert(proc.run { "ffprobe", "-v", "error", "-count_frames", "-show_entries",
    "stream=codec_name,width,height,nb_read_frames", "-of", "json", path })
  local s = json.decode(r.stdout).streams[1]
  return { s.codec_name, s.width, s.height, tonumber(s.nb_read_frames) }
end

local function clip(more)
  local options = { width = 320, height = 180, fps = 24, frames = 12, seed = 3,
    model = "gen4.5", prompt = "rain, 50 % 'night': \\ :", shot = "roof", take = 1 }
  for k, v in pairs(more or {}) do options[k] = v end
  return { kind = "clip", ext = "mp4", options = options }
end

function T.test_equal_requests_give_equal_bytes()
  in_folder(function(dir, m)
    local first = assert(m:make { clip() })[1]
    lu.assertEquals(probe(first), { "h264", 320, 180, 12 })
    local digest = hash.sha256_file(first)
    lu.assertEquals(m:make { clip() }, { first })
    local other = assert(m:make { clip { seed = 4 } })[1]
    lu.assertNotEquals(hash.sha256_file(other), digest)
    os.remove(first)
    lu.assertEquals(hash.sha256_file(assert(m:make { clip() })[1]), digest)
    lu.assertEquals(#fs.glob(dir, "*.part*"), 0)
  end)
end

function T.test_without_media_each_request_has_a_small_file_of_its_own()
  local dir = assert(fs.tempdir())
  local m = media.new(dir, { none = true })
  local function still(seed)
    return assert(m:make { { kind = "still", ext = "png", options = { width = 320, height = 180,
      seed = seed, prompt = "night", references = {} } } })[1]
  end
  local first = assert(m:make { clip() })[1]
  lu.assertEquals(probe(first), { "h264", 64, 36, 24 })
  lu.assertNotEquals(hash.sha256_file(m:make { clip { seed = 4 } }[1]), hash.sha256_file(first))
  lu.assertEquals(m:make { clip() }[1], first)
  lu.assertNotEquals(hash.sha256_file(still(1)), hash.sha256_file(still(2)))
  local r = assert(proc.run { "ffmpeg", "-v", "error", "-err_detect", "crccheck+explode", "-i",
    still(1), "-f", "null", "-" })
  lu.assertEquals({ r.code, r.stderr }, { 0, "" })
  assert(fs.remove(dir, { recursive = true }))
end

function T.test_the_same_at_once_is_made_once()
  in_folder(function(dir, m)
    local results = task.all { function() return m:make { clip() } end,
      function() return m:make { clip() } end }
    lu.assertEquals(results[1], results[2])
    lu.assertEquals(#fs.list(dir), 1)
  end)
end

function T.test_stills_then_a_clip_from_references()
  in_folder(function(_, m)
    local still = assert(m:make { { kind = "still", ext = "png", options = { width = 320,
      height = 180, seed = 1, prompt = "night", references = {} } } })[1]
    lu.assertEquals({ table.unpack(probe(still), 1, 3) }, { "png", 320, 180 })
    local piece = clip()
    piece.figures = { { path = still, hash = "a", kind = "character", tag = "hero" },
      { path = still, hash = "b", kind = "style" } }
    local composed = assert(m:make { piece })[1]
    lu.assertEquals(probe(composed), { "h264", 320, 180, 12 })
    local again = assert(m:make { clip { video = composed } })[1]
    lu.assertEquals(probe(again), { "h264", 320, 180, 12 })
    local scaled = assert(m:make { { kind = "scaled", ext = "png",
      options = { image = still, width = 640, height = 360 } } })[1]
    lu.assertEquals({ table.unpack(probe(scaled), 1, 3) }, { "png", 640, 360 })
  end)
end

function T.test_what_ffmpeg_cannot_make_is_an_error_and_leaves_nothing()
  in_folder(function(dir, m)
    local broken = dir .. "/broken.png"
    assert(fs.write(broken, "no picture"))
    local paths, e = m:make { clip { image = broken } }
    lu.assertNil(paths)
    lu.assertEquals(e.code, "provider")
    lu.assertEquals(#fs.list(dir), 1)
  end)
end

function T.test_without_ffmpeg_it_says_what_to_install()
  lu.assertTrue(media.check())
  local real = proc.run
  proc.run = function() return nil, require("rt.err").new("not_found", "no such file") end
  local ok, e = media.check()
  proc.run = function() return { code = 1, stderr = "Unknown encoder\nmore" } end
  local broken, e2 = media.check()
  proc.run = real
  lu.assertNil(ok)
  lu.assertEquals(e.message, "the simulator makes its clips with ffmpeg, which is not"
    .. " installed; install it: apt install ffmpeg fonts-dejavu-core")
  lu.assertNil(broken)
  lu.assertStrContains(e2.message, "Unknown encoder")
end

function T.test_a_task_ends_when_its_file_is_there()
  simulator.with({ media = true, preset = "ultrafast" }, function(c)
    local id = c:create({ duration = 2 }, "text_to_video")
    c.sim.clock:advance(100)
    lu.assertEquals(c.sim.tasks:find(id).state, "RUNNING") -- ffmpeg has only begun
    c:advance(0)
    local t = c:task(id)
    lu.assertEquals(t.status, "SUCCEEDED")
    local file = os.tmpname()
    assert(fs.write(file, c:get(t.output[1]).text))
    lu.assertEquals(probe(file), { "h264", 1280, 720, 48 })
    os.remove(file)
  end)
end

function T.test_a_file_that_cannot_be_made_fails_the_task()
  simulator.with({ media = true }, function(c)
    c.sim.media.make = function()
      return nil, require("rt.err").new("provider", "ffmpeg failed: on purpose")
    end
    local sink = require "rt.log".set_sink(function() end)
    local id = c:create()
    c:advance(100)
    require "rt.log".set_sink(sink)
    local t = c:task(id)
    lu.assertEquals({ t.status, t.failureCode, t.cost.credits }, { "FAILED", "INTERNAL", 0 })
  end)
end

return T
