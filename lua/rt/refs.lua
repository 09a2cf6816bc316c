--- The reference registry: pictures of characters, styles, places and props, known by
--- their content. What cannot be a reference is refused here, before it costs anything;
--- new bytes under an old name are a new version; each picture travels in the cheapest
--- form that the target takes.
local c = require "rt.c.refs"
local err = require "rt.err"
local fs = require "rt.fs"
local hash = require "rt.hash"
local suggest = require "rt.suggest"
local task = require "rt.task"

local await = task.await

local M = {}

---@class rt.refs.Image
---@field path? string     of a file
---@field url? string      https; never fetched by us
---@field hash string      SHA-256 of the bytes; of its text for a URL
---@field type? string     media type by content; of a file
---@field bytes? integer   of a file
---@field mtime? integer   of a file: nanoseconds since 1970
---@field width? integer   pixels as displayed; of a picture in a file
---@field height? integer

---@class rt.refs.Ref
---@field kind "character"|"style"|"location"|"prop"|"asset"
---@field name string
---@field tag? string        3 to 16 letters, digits, "_"; assets have one only if given
---@field strength? number   0 to 1
---@field notes? string
---@field version integer    from 1; grows when the bytes under this name change
---@field hash string        of the one image; of the list of hashes if there are more
---@field images rt.refs.Image[]
---@field warnings? string[] sentences about what may not work

---@class rt.refs.Spec
---@field kind string        an "asset" is any picture, video or sound without a tag
---@field name string
---@field image? string      a path or an https URL
---@field images? string[]   several views
---@field strength? number   0 to 1
---@field tag? string        made from the name if it is not given
---@field notes? string
---@field base? string       the folder that relative paths start in
---@field ratio? number[]    {min, max} of width / height, default {0.5, 2.358}

local KINDS = { character = true, style = true, location = true, prop = true,
  asset = true }
local TYPES = { kind = "string", name = "string", image = "string", images = "table",
  strength = "number", tag = "string", notes = "string", base = "string",
  ratio = "table" }

---@class rt.refs.Registry
---@field private c userdata
local Registry = {}
Registry.__index = Registry
Registry.__name = "rt.refs.Registry"

---@class rt.refs.Known
---@field kind string
---@field name string
---@field version integer
---@field hash string

--- A new registry. `known` are versions of earlier runs, so that numbers go on.
---@param known? rt.refs.Known[]
---@return rt.refs.Registry
function M.open(known)
  local registry = c.open()
  for _, k in ipairs(known or {}) do
    c.restore(registry, k.kind, k.name, k.version, k.hash)
  end
  return setmetatable({ c = registry }, Registry)
end

-- ---- registering ----

--- Mistakes of the program, not of the pictures: these raise.
local function check(spec)
  if type(spec) ~= "table" then
    error(("register takes a table, not a %s"):format(type(spec)), 3)
  end
  suggest.check_keys("register", spec, TYPES, 2)
  for k, wanted in pairs(TYPES) do
    local given = type(spec[k])
    if given ~= "nil" and given ~= wanted then
      error(("%s must be a %s, not a %s"):format(k, wanted, given), 3)
    end
  end
  if not KINDS[spec.kind] then
    error(("kind must be character, style, location, prop or asset, not %s")
      :format(tostring(spec.kind)), 3)
  end
  if not spec.name or spec.name == "" then error("a reference needs a name", 3) end
  local several = spec.images and spec.images[1] ~= nil or false
  if (spec.image ~= nil) == several then
    error(("reference %q needs one of image and images"):format(spec.name), 3)
  end
end

local function check_values(spec)
  local s = spec.strength
  if s and not (s >= 0 and s <= 1) then
    return nil, err.new("invalid", ("the strength of %q is %g; it goes from 0 to 1")
      :format(spec.name, s))
  end
  if spec.tag then return c.check_tag(spec.tag) end
  return true
end

--- One image of a spec as rt.refs.Image; or nil, err. And a warning, if there is one.
local function load(spec, given)
  if type(given) ~= "string" then
    return nil, err.new("invalid", ("an image of %q is a %s; it must be a path or an"
      .. " https URL"):format(spec.name, type(given)))
  end
  if given:find "^%a[%w+.-]*://" then
    local ok, e = c.check_url(given)
    if not ok then return nil, e end
    return { url = given, hash = hash.sha256(given) }
  end
  local ratio = spec.ratio or { c.ratio_min, c.ratio_max }
  local asset = spec.kind == "asset"
  local file, note = await(c.measure(spec.base and fs.join(spec.base, given) or given,
    spec.kind, asset, ratio[1], asset and not spec.ratio and 0 or ratio[2]))
  if file and asset then note = nil end -- what is good enough for it, its model knows
  return file, note
end

--- All images at once, and their warnings; or the first failure in the list's order.
local function load_all(spec)
  local given = spec.images or { spec.image }
  local images, notes, warnings = {}, {}, {}
  task.scope(function(s)
    for i = 1, #given do
      s:spawn(function() images[i], notes[i] = load(spec, given[i]) end)
    end
  end)
  for i = 1, #given do
    if not images[i] then return nil, notes[i] end
    warnings[#warnings + 1] = notes[i]
  end
  return images, warnings
end

local function hash_of(images)
  if #images == 1 then return images[1].hash end
  local hashes = {}
  for i, image in ipairs(images) do hashes[i] = image.hash .. "\n" end
  return hash.sha256(table.concat(hashes))
end

--- Register a reference: look at its files, hash them, give it its version. Waits for the
--- disk; fetches nothing and spends nothing. Registering a name again gives the same
--- version for the same bytes, and the next one for bytes not seen before.
---@async
---@param spec rt.refs.Spec
---@return rt.refs.Ref?
---@return rt.Err? err  not_found, denied, invalid, unsupported (GIF, HEIC …), too_large
function Registry:register(spec)
  check(spec)
  local ok, e = check_values(spec)
  if not ok then return nil, e end
  local images, warnings = load_all(spec)
  if not images then return nil, warnings end
  local digest = hash_of(images)
  local tag = spec.tag
  if not tag and spec.kind ~= "asset" then tag = c.make_tag(spec.name) end
  return { kind = spec.kind, name = spec.name, tag = tag, strength = spec.strength,
    notes = spec.notes, hash = digest, images = images,
    version = c.version(self.c, spec.kind, spec.name, digest),
    warnings = warnings[1] and warnings or nil }
end

--- Two references of one request may not have the same tag, in whatever case.
---@param refs {name: string, tag: string?}[]
---@return true?
---@return rt.Err? err
function M.check_tags(refs)
  local seen = {}
  for _, ref in ipairs(refs) do
    local key = ref.tag and ref.tag:lower()
    if key and seen[key] and seen[key] ~= ref then
      return nil, err.new("invalid", ("%q and %q both have the tag %q; give one of them"
        .. " another: tag = \"…\""):format(seen[key].name, ref.name, ref.tag))
    end
    if key then seen[key] = ref end
  end
  return true
end

-- ---- resolving ----

local DATA_MAX = 5242880 -- characters of a data URI

---@class rt.refs.Form
---@field form "url"|"data"|"upload"|"needs_upload"
---@field uri? string    of url and upload
---@field type? string   of data: the media type
---@field path? string   of data: the file whose bytes go into the request

---@class rt.refs.Target
---@field data_max? integer  characters that a data URI may have, default 5,242,880
---@field upload? string     the account, if it takes uploads

--- In which form an image goes into a request: its https URL as it is, a data URI if that
--- is short enough, an upload that still lives, or a new one. Waits for the disk: a file
--- that has changed since it was registered is refused.
---@async
---@param image rt.refs.Image
---@param opts? rt.refs.Target
---@return rt.refs.Form?
---@return rt.Err? err
function Registry:resolve(image, opts)
  opts = opts or {}
  if image.url then return { form = "url", uri = image.url } end
  local ok, e = await(c.unchanged(image.path, image.hash, image.bytes, image.mtime or 0))
  if not ok then return nil, e end
  local form, uri = c.resolve(self.c, image.path, image.hash, image.type, image.bytes,
    opts.data_max or DATA_MAX, opts.upload)
  if not form then return nil, uri end
  if form == "data" then return { form = form, type = image.type, path = image.path } end
  return { form = form, uri = uri }
end

--- Remember an upload, so that the same bytes are not sent to the account again while it
--- lives. A tenth of the time (an hour at most) is kept back.
---@param image rt.refs.Image
---@param account string
---@param uri string
---@param seconds? number  how long it is valid from now on, default 24 hours
function Registry:uploaded(image, account, uri, seconds)
  c.uploaded(self.c, image.hash, account, uri, seconds or 86400)
end

--- What a file is, hashed and sized as a reference would be, without registering it.
---@async
---@param path string
---@return rt.refs.Image?
---@return rt.Err? err
function M.inspect(path)
  local image, e = await(c.measure(path, "asset", true, 0, 0))
  if not image then return nil, e end
  return image
end

return M
