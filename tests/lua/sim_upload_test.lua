local curl = require "lua.curl"
local lu = require "luaunit"
local simulator = require "lua.simulator"

local T = {}

local with = simulator.with

local function picture(size)
  local path = os.tmpname()
  local f = assert(io.open(path, "wb"))
  f:write("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", (">I4I4"):pack(640, 360), "\8\2\0\0\0")
  f:write(("\0"):rep(size - 29))
  f:close()
  return path
end

local function open(c)
  local r = c:post("/v1/uploads", { filename = "hero.png", type = "ephemeral" })
  lu.assertEquals(r.status, 200)
  return r.json
end

--- Send the form; `o` spoils it.
local function send(form, path, o)
  o = o or {}
  local args = { "-o", "/dev/null", "-w", "%{http_code}" }
  local function add(...)
    for _, word in ipairs { ... } do args[#args + 1] = word end
  end
  if o.header then add("-H", o.header) end
  if o.early then add("-F", "file=@" .. path) end
  for name, value in pairs(form.fields) do
    if name ~= o.without then add("--form-string", name .. "=" .. value) end
  end
  add("--form-string", "metadata=x")
  if not o.early then add("-F", "file=@" .. path .. ";type=image/png;filename=hero.png") end
  add(form.uploadUrl)
  return tonumber(curl(table.unpack(args)).out)
end

local MOTION = { model = "gen4_turbo", ratio = "1280:720" }

local function use(c, uri)
  MOTION.promptImage = uri
  return c:post("/v1/image_to_video", MOTION)
end

function T.test_an_upload_is_stored_used_and_forgotten()
  local path = picture(2000000)
  with({}, function(c)
    local form = open(c)
    lu.assertStrMatches(form.runwayUri, "runway://%x+%-.*")
    lu.assertEquals(use(c, form.runwayUri).status, 400)
    lu.assertEquals(send(form, path), 204)
    lu.assertEquals(use(c, form.runwayUri).status, 200)
    lu.assertEquals(use(c, form.runwayUri).status, 200)
    c:advance(86401)
    local r = use(c, form.runwayUri)
    lu.assertEquals(r.status, 400)
    lu.assertStrContains(r.json.issues[1].message, "expired")
  end)
  os.remove(path)
end

function T.test_the_storage_is_strict()
  local path, small = picture(600), picture(100)
  with({}, function(c)
    lu.assertEquals(send(open(c), path, { early = true }), 400)
    lu.assertEquals(send(open(c), path, { without = "Policy" }), 403)
    lu.assertEquals(send(open(c), path, { header = "Authorization: Bearer x" }), 400)
    lu.assertEquals(send(open(c), small), 400)
    local unknown = open(c)
    unknown.uploadUrl = unknown.uploadUrl:gsub("%x%x$", "zz")
    lu.assertEquals(send(unknown, path), 405)
    unknown.uploadUrl = c.sim.url .. "/_storage/00000000-0000-4000-8000-000000000000"
    lu.assertEquals(send(unknown, path), 404)
    local late = open(c)
    c:advance(3700)
    lu.assertEquals(send(late, path), 403)
  end)
  os.remove(path)
  os.remove(small)
end

function T.test_a_form_is_asked_for_properly()
  with({}, function(c)
    for _, body in ipairs { {}, { filename = "ab", type = "ephemeral" },
      { filename = "hero", type = "ephemeral" }, { filename = "hero.png" },
      { filename = ("a"):rep(260) .. ".png", type = "ephemeral" } } do
      lu.assertEquals(c:post("/v1/uploads", body).status, 400)
    end
  end)
end

return T
