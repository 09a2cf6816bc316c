--- Makes the files: ffmpeg as child processes, at most one per processor, each result
--- kept under the hash of all it was made from. Equal requests get equal bytes.
local animatic = require "rushes.sim.animatic"
local burnin = require "rushes.sim.burnin"
local err = require "rt.err"
local fs = require "rt.fs"
local hash = require "rt.hash"
local json = require "rt.json"
local proc = require "rt.proc"
local still = require "rushes.sim.still"
local task = require "rt.task"
local tiny = require "rushes.sim.tiny"

local M = {}

local LONGEST = 600 -- seconds that one ffmpeg may take
local TRIAL_TIME = 20 -- seconds, for the smallest one

local RECIPE = 1 -- part of every hash; raise it when the same request looks different

---@class rushes.sim.Media
---@field private dir string
---@field private slots rt.Semaphore
---@field private making table<string, rt.Task[]>  key -> who waits for it
---@field private preset? string
---@field private none? boolean          deliver the tiny files
local Media = {}
Media.__index = Media

--- How many processors we may use.
---@return integer
local function processors()
  local f = io.open "/proc/self/status"
  local list = f and f:read("a"):match "Cpus_allowed_list:%s*(%S+)"
  if f then f:close() end
  local n = 0
  for first, last in (list or "0"):gmatch "(%d+)%-?(%d*)" do
    n = n + (last ~= "" and math.tointeger(last) - math.tointeger(first) + 1 or 1)
  end
  return math.max(1, n)
end

---@param dir string  an existing folder
---@param o? {preset?: string, none?: boolean, at_once?: integer}
---@return rushes.sim.Media
function M.new(dir, o)
  o = o or {}
  return setmetatable({ dir = dir, slots = task.semaphore(o.at_once or processors()),
    making = {}, preset = o.preset, none = o.none }, Media)
end

local INSTALL = "install it: apt install ffmpeg fonts-dejavu-core"

local TRIAL = { "ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-f", "lavfi", "-i",
  "color=s=64x64:d=0.1", "-vf", "drawtext=text=x:fontfile=" .. burnin.font,
  "-c:v", "libx264", "-f", "null", "-" }

--- Can this machine make clips?
---@async
---@return true?
---@return rt.Err? err  what is missing and how to get it
function M.check()
  local f = io.open(burnin.font, "rb")
  if not f then
    return nil, err.new("not_found",
      ("the simulator writes on its clips with the font %s, which is not there; %s")
        :format(burnin.font, INSTALL))
  end
  f:close()
  for _, argv in ipairs { TRIAL, { "ffprobe", "-version" } } do
    local r, e = task.timeout(TRIAL_TIME, proc.run, argv)
    if not r then
      local why = e.code == "not_found" and "is not installed"
        or "does not start: " .. e.message
      return nil, err.new("not_found",
        ("the simulator makes its clips with %s, which %s; %s"):format(argv[1], why,
          INSTALL))
    elseif r.code ~= 0 then
      return nil, err.new("provider",
        ("the simulator makes its clips with %s, which fails here (%s); %s"):format(
          argv[1], r.stderr:match "[^\n]+" or "exit status " .. r.code, INSTALL))
    end
  end
  return true
end

-- ---- running ffmpeg ----

local function last_frame(output)
  local n
  for line in output:gmatch "[^\n]+" do
    local progress = animatic.progress(line)
    if math.type(progress) == "integer" then n = progress end
  end
  return n
end

local function run(argv, frames)
  local r, e = task.timeout(LONGEST, proc.run, argv)
  if not r then return nil, e end
  if r.code ~= 0 then
    return nil, err.new("provider", ("ffmpeg failed: %s"):format(
      r.stderr:match "[^\n]+" or "exit status " .. r.code))
  end
  local made = frames and last_frame(r.stdout)
  if frames and made ~= frames then
    return nil, err.new("provider", ("ffmpeg made %s of %d frames"):format(made, frames))
  end
  return true
end

local function with(options, more)
  local copy = {}
  for k, v in pairs(options) do copy[k] = v end
  for k, v in pairs(more) do copy[k] = v end
  return copy
end

local function slate(self, path, text)
  if not fs.write(path, text) then return nil end
  self.scratch[#self.scratch + 1] = path
  return path
end

local MAKE = {}

function MAKE.still(self, piece, out)
  local o = with(piece.options, { out = out })
  if not piece.bare then o.slate = slate(self, out .. ".txt", still.slate(o)) end
  return run(still.args(o))
end

function MAKE.scaled(_, piece, out)
  local o = piece.options
  if not o.image then return run(still.args(with(o, { out = out }))) end
  return run { "ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-y", "-i",
    "file:" .. o.image, "-vf", ("scale=%d:%d:flags=lanczos"):format(o.width, o.height),
    "-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "file:" .. out }
end

--- The first frame of a clip that is composed of several references.
local function first_frame(self, piece)
  if not piece.figures then return piece.options.image end
  local o = piece.options
  local options = { width = o.width, height = o.height, seed = o.seed, prompt = o.prompt,
    references = piece.figures }
  return self:_piece { kind = "still", ext = "png", bare = true, options = options }
end

local function to_prores(from, out)
  return run { "ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-y", "-i",
    "file:" .. from, "-c:v", "prores_ks", "-profile:v", "2", "-f", "mov", "file:" .. out }
end

function MAKE.clip(self, piece, out)
  local o = with(piece.options, { out = out, preset = self.preset, image = self.image })
  if piece.prores then o.out = out .. ".mp4" end
  o.slate = slate(self, out .. ".txt", animatic.slate(o))
  local ok, e = run(animatic.args(o), o.frames)
  if ok and piece.prores then
    self.scratch[#self.scratch + 1] = o.out
    ok, e = to_prores(o.out, out)
  end
  return ok, e
end

-- ---- one piece ----

--- What a piece is made from, as text: paths give way to the hashes of what they hold.
local function recipe(self, piece)
  local o = with(piece.options, {})
  for _, name in ipairs { "image", "video" } do
    if o[name] then o[name] = assert(hash.sha256_file(o[name])) end
  end
  local function plain(list)
    local out = {}
    for i, figure in ipairs(list or {}) do
      out[i] = with(figure, {})
      out[i].path = nil
    end
    return out
  end
  o.references = plain(o.references)
  return json.encode { recipe = RECIPE, kind = piece.kind, ext = piece.ext, options = o,
    figures = plain(piece.figures), preset = self.preset or "",
    bare = piece.bare or false }
end

local function make(self, piece, path, key)
  if fs.exists(path) then return true end
  if self.none then return tiny.file(path, piece.ext, key) end
  local image, why = first_frame(self, piece)
  if why then return nil, why end
  local part = path .. ".part"
  local job = { preset = self.preset, scratch = {}, image = image }
  local slots = self.slots
  local ok, done, e = pcall(slots.with, slots, MAKE[piece.kind], job, piece, part)
  for _, name in ipairs(job.scratch) do os.remove(name) end
  if ok and done then
    done, e = fs.rename(part, path)
  else
    os.remove(part)
  end
  if not ok then error(done, 0) end
  return done, e
end

function Media:_piece(piece)
  local key = assert(hash.sha256(recipe(self, piece)))
  local path = ("%s/%s.%s"):format(self.dir, key, piece.ext)
  while self.making[path] do task.wait_on(self.making[path]) end
  local waiters = {}
  self.making[path] = waiters
  local ok, done, e = pcall(make, self, piece, path, key)
  self.making[path] = nil
  task.wake_all(waiters)
  if not ok then error(done, 0) end
  if not done then return nil, e end
  return path
end

--- Make every piece.
---@async
---@param pieces rushes.sim.Piece[]
---@return string[]? paths
---@return rt.Err? err
function Media:make(pieces)
  local paths, failed = {}, nil
  task.scope(function(s)
    for i, piece in ipairs(pieces) do
      s:spawn(function()
        local path, e = self:_piece(piece)
        paths[i], failed = path, failed or e
      end)
    end
  end)
  if failed then return nil, failed end
  return paths
end

return M
