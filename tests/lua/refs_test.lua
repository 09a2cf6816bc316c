local lu = require "luaunit"
local err = require "rt.err"
local fs = require "rt.fs"
local hash = require "rt.hash"
local proc = require "rt.proc"
local refs = require "rt.refs"
local task = require "rt.task"

local T = {}

local in_dir = require("lua.folder").in_dir

local function refused(code, words, ok, e)
  lu.assertNil(ok)
  lu.assertTrue(err.is(e), tostring(e))
  lu.assertEquals(e.code, code, tostring(e))
  for _, word in ipairs(words) do lu.assertStrContains(tostring(e), word) end
end

--- Let ffmpeg draw files of this size.
local function draw(dir, size, names, more)
  local args = { "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=" .. size .. ":r=5",
    cwd = dir }
  for _, name in ipairs(names) do
    for _, arg in ipairs(more or { "-frames:v", "1" }) do args[#args + 1] = arg end
    args[#args + 1] = name
  end
  local r, e = proc.run(args)
  if not r then lu.skip(tostring(e)) end
  lu.assertEquals(r.code, 0, r.stderr)
end

--- A PNG head; `salt` makes other bytes of the same size.
local function png(width, height, salt)
  return "\x89PNG\r\n\x1a\n" .. (">I4c4I4I4"):pack(13, "IHDR", width, height)
    .. (salt or "salt")
end

local function register(registry, more)
  local spec = { kind = "character", name = "hero" }
  for k, v in pairs(more) do spec[k] = v end
  return registry:register(spec)
end

T.test_a_reference_is_known_by_its_bytes = in_dir(function(dir)
  local registry = refs.open()
  assert(fs.write(fs.join(dir, "hero.png"), png(1280, 720)))
  local ref = assert(register(registry, { image = "hero.png", base = dir, strength = 0.85,
    notes = "red coat" }))
  lu.assertEquals({ ref.kind, ref.name, ref.tag, ref.strength, ref.version, ref.notes },
    { "character", "hero", "hero", 0.85, 1, "red coat" })
  local image = ref.images[1]
  lu.assertEquals({ image.path, image.type, image.width, image.height, image.bytes },
    { fs.join(dir, "hero.png"), "image/png", 1280, 720, 28 })
  lu.assertEquals(image.hash, hash.sha256(png(1280, 720)))
  lu.assertEquals(ref.hash, image.hash)
  lu.assertNil(ref.warnings)
end)

T.test_versions = in_dir(function(dir)
  local registry = refs.open()
  local path = fs.join(dir, "a.png")
  local function version(text)
    assert(fs.write(path, text))
    return assert(register(registry, { image = path })).version
  end
  lu.assertEquals(version(png(1000, 1000, "one")), 1)
  lu.assertEquals(version(png(1000, 1000, "one")), 1)
  lu.assertEquals(version(png(1000, 1000, "two")), 2)
  lu.assertEquals(version(png(1000, 1000, "one")), 1, "the old bytes are the old version")
  local later = refs.open { { kind = "character", name = "hero", version = 7,
    hash = hash.sha256(png(1000, 1000, "one")) } }
  registry = later
  lu.assertEquals(version(png(1000, 1000, "one")), 7)
  lu.assertEquals(version(png(1000, 1000, "new")), 8)
end)

T.test_several_views_and_urls = in_dir(function(dir)
  local registry = refs.open()
  assert(fs.write(fs.join(dir, "a.png"), png(800, 800)))
  local url = "https://example.com/b.jpg?token=secret"
  local ref = assert(register(registry, { images = { "a.png", url }, base = dir }))
  lu.assertEquals(ref.images[2], { url = url, hash = hash.sha256(url) })
  lu.assertNotEquals(ref.hash, ref.images[1].hash)
  local other = assert(register(registry, { images = { url, "a.png" }, base = dir }))
  lu.assertEquals(other.version, 2, "their order counts")
  refused("not_found", { "none.png" },
    register(registry, { images = { "a.png", "none.png" }, base = dir }))
  refused("invalid", { "IP address" },
    register(registry, { image = "https://127.0.0.1/a.png" }))
  refused("invalid", { "only those are fetched" },
    register(registry, { image = "http://example.com/a.png" }))
end)

T.test_bad_values_are_sentences = in_dir(function(dir)
  local registry = refs.open()
  local path = fs.join(dir, "a.png")
  assert(fs.write(path, png(3000, 1000)))
  refused("invalid", { "strength", "hero", "1.5", "0 to 1" },
    register(registry, { image = path, strength = 1.5 }))
  refused("invalid", { "a-b", "3 to 16", "\"a_b\"" },
    register(registry, { image = path, tag = "a-b" }))
  refused("invalid", { path, "too wide", "ratio = {min, max}" },
    register(registry, { image = path }))
  lu.assertEquals(assert(register(registry, { image = path, ratio = { 0.25, 4 } })).version, 1)
  assert(fs.write(path, "GIF89a\1\1\1\1..."))
  refused("unsupported", { path, "GIF", "convert it to PNG, JPEG or WebP" },
    register(registry, { image = path }))
  refused("invalid", { "number" }, register(registry, { images = { 1 } }))
end)

T.test_small_pictures_and_huge_ones_are_warned_of = in_dir(function(dir)
  local path = fs.join(dir, "a.png")
  assert(fs.write(path, png(9000, 9000)))
  local ref = assert(register(refs.open(), { image = path }))
  lu.assertStrContains(ref.warnings[1], "8000")
end)

T.test_assets_may_be_any_media = in_dir(function(dir)
  local registry = refs.open()
  local path = fs.join(dir, "a.mp4")
  assert(fs.write(path, "\0\0\0\x18ftypisom...."))
  local ref = assert(registry:register { kind = "asset", name = path, image = path })
  lu.assertEquals(ref.images[1].type, "video/mp4")
  lu.assertNil(ref.tag)
  lu.assertNil(ref.warnings)
  refused("invalid", { "MP4 video, but a character needs a picture" },
    register(registry, { image = path }))
  lu.assertEquals(assert(refs.inspect(path)).type, "video/mp4")
end)

T.test_what_ffmpeg_makes_is_sized_right = in_dir(function(dir)
  draw(dir, "64x48", { "a.png", "a.jpg", "a.webp" })
  draw(dir, "64x48", { "lossless.webp" }, { "-frames:v", "1", "-lossless", "1" })
  draw(dir, "64x48", { "alpha.webp" }, { "-frames:v", "1", "-pix_fmt", "yuva420p" })
  draw(dir, "64x48", { "v.mp4", "v.mov", "v.mkv" },
    { "-t", "0.4", "-c:v", "mpeg4", "-f", "mp4" })
  for _, name in ipairs { "a.png", "a.jpg", "a.webp", "lossless.webp", "alpha.webp" } do
    local image = assert(refs.inspect(fs.join(dir, name)))
    lu.assertEquals({ name, image.width, image.height }, { name, 64, 48 })
  end
  lu.assertEquals(assert(refs.inspect(fs.join(dir, "v.mkv"))).type, "video/mp4",
    "by its bytes, not its name")
end)

T.test_resolve_takes_the_cheapest_form = in_dir(function(dir)
  local registry = refs.open()
  local path = fs.join(dir, "a.png")
  assert(fs.write(path, png(1000, 1000) .. ("x"):rep(5000000)))
  local image = assert(register(registry, { image = path })).images[1]
  lu.assertEquals(registry:resolve(image, { data_max = 7000000 }),
    { form = "data", type = "image/png", path = path })
  refused("too_large", { path, "4.8 MB", "3.8 MB at most" }, registry:resolve(image))
  lu.assertEquals(registry:resolve(image, { upload = "studio" }), { form = "needs_upload" })
  registry:uploaded(image, "studio", "runway://abc", 86400)
  lu.assertEquals(registry:resolve(image, { upload = "studio" }),
    { form = "upload", uri = "runway://abc" })
  lu.assertEquals(registry:resolve(image, { upload = "other" }), { form = "needs_upload" })
  registry:uploaded(image, "studio", "runway://old", 0)
  lu.assertEquals(registry:resolve(image, { upload = "studio" }), { form = "needs_upload" })
  lu.assertEquals(registry:resolve({ url = "https://example.com/a" }),
    { form = "url", uri = "https://example.com/a" })
end)

T.test_bytes_that_changed_since_are_not_sent = in_dir(function(dir)
  local registry = refs.open()
  local path = fs.join(dir, "a.png")
  assert(fs.write(path, png(1000, 1000, "one")))
  local image = assert(register(registry, { image = path })).images[1]
  assert(fs.write(path, png(1000, 1000, "one"))) -- another time, the same bytes
  lu.assertEquals(assert(registry:resolve(image)).form, "data")
  assert(fs.write(path, png(1000, 1000, "two")))
  refused("invalid", { path, "has changed" }, registry:resolve(image))
  image.mtime = nil -- as it comes from a journal
  refused("invalid", { path, "has changed" }, registry:resolve(image))
  assert(fs.remove(path))
  refused("not_found", { path }, registry:resolve(image))
end)

function T.test_tags_are_unique_in_a_request()
  lu.assertTrue(refs.check_tags { { name = "a", tag = "hero" }, { name = "b", tag = "her" },
    { name = "c" }, { name = "d" } })
  refused("invalid", { "\"a\" and \"b\"", "HERO" },
    refs.check_tags { { name = "a", tag = "hero" }, { name = "b", tag = "HERO" } })
end

T.test_the_loop_goes_on_while_files_are_hashed = in_dir(function(dir)
  local path = fs.join(dir, "a.png")
  assert(fs.write(path, png(1000, 1000) .. ("x"):rep(60000000)))
  local turns, done = 0, false
  task.scope(function(s)
    s:spawn(function()
      assert(register(refs.open(), { image = path }))
      done = true
    end)
    while not done do
      task.sleep(0.001)
      turns = turns + 1
    end
  end)
  lu.assertTrue(turns > 5, ("only %d turns meanwhile"):format(turns))
end)

function T.test_bugs_of_the_caller_raise()
  local registry = refs.open()
  local function raises(words, spec)
    lu.assertErrorMsgContains(words, function() registry:register(spec) end)
    local _, e = pcall(function() registry:register(spec) end)
    lu.assertStrContains(e, "refs_test.lua")
  end
  raises("kind must be character", { kind = "hero", name = "a", image = "b" })
  raises("needs one of image and images", { kind = "prop", name = "a" })
  raises("needs a name", { kind = "prop", image = "a" })
  raises("did you mean \"strength\"", { kind = "prop", name = "a", image = "b", strenght = 1 })
  raises("strength must be a number", { kind = "prop", name = "a", image = "b", strength = "1" })
end

return T
