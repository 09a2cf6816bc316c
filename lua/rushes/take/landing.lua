--- How the file of a call lands: its name, what happens to what lies there already (a
--- killed run has left it, or somebody has put it there), what is said if it cannot land.
local err = require "rt.err"
local fs = require "rt.fs"
local hash = require "rt.hash"
local log = require "rt.log"
local stop = require "rushes.stop"

local M = {}

--- A file that is not the one that landed is kept beside it, under another name.
local function set_aside(path)
  local n = 1
  while fs.exists(("%s.changed-%d"):format(path, n)) do n = n + 1 end
  local aside = ("%s.changed-%d"):format(path, n)
  local ok, e = fs.rename(path, aside)
  if not ok then return nil, e end
  log.warn("%s is not the file that landed there; it is kept as %s", path, aside)
  return true
end

-- What keeps this clip from being saved keeps the next one, too.
local OF_THE_FOLDER = { no_space = true, denied = true, io = true }

--- A clip could not be saved: if it is the folder's fault, buy nothing more that could
--- not be saved either.
local function failed(folder, e)
  if not OF_THE_FOLDER[e.code] or stop.requested() then return end
  stop.request "a folder that takes no more clips"
  log.error("a clip could not be saved in %s: %s. Nothing more is submitted; what is paid"
    .. " for is known, and the next run downloads it", folder, e.message)
end

--- Download an output to `path`. What lies there is compared with it and kept if it is
--- another file; if it is the same, a run was killed before it could note the landing.
--- At each moment one of the two is at `path` or beside it.
local function download(account, output, path, opts)
  if not fs.exists(path) then return account:download(output, path, opts) end
  local fresh = path .. ".again"
  local file, e = account:download(output, fresh, opts)
  if not file then return nil, e end
  local ok = true
  if hash.sha256_file(path) ~= file.sha256 then ok, e = set_aside(path) end
  if ok then ok, e = fs.rename(fresh, path) end
  if not ok then return nil, e end
  file.path = path
  return file
end

local EXTENSIONS = { ["video/mp4"] = "mp4", ["video/quicktime"] = "mov",
  ["image/png"] = "png", ["image/jpeg"] = "jpg", ["image/webp"] = "webp",
  ["application/zip"] = "zip" }

--- The ending that an output's link or type tells.
local function extension(output, default)
  local path = (output.url or ""):match "^[^?#]*"
  local ending = path:match "%.(%w%w%w%w?)$"
  return EXTENSIONS[output.mime] or ending and ending:lower() or default
end

--- The name of the call's file in the show's folder, which an earlier landing has fixed.
local function file_name(call)
  if call.known and call.known.path then return call.known.path end
  local about, motion = call.ctx.about, call.stage == "motion"
  if not about.shot then -- made by hand, and no script says where
    return ("call_%d.%s"):format(call.known.id, extension(call.job.outputs[1], "mp4"))
  end
  return ("%s_%s%s.%s"):format(about.shot, about.take, motion and "" or "_" .. call.stage,
    extension(call.job.outputs[1], motion and "mp4" or "png"))
end

--- What was paid for and could not be saved is still at the provider.
local function not_saved(call, e)
  local way_out = "running the script again downloads it"
  local gone = err.is(e, "expired") and e.final -- the task; a link can be had anew
  if gone then
    way_out = "it is gone there" .. (call.spec and ("; --force --only %s buys it anew")
      :format(call.ctx.about.shot) or "")
  end
  return err.new(e.code, ("the %s has been made and paid for (%s credits, task %s), but"
    .. " could not be saved: %s; %s"):format(
    call.stage == "still" and "still" or "clip", call.job.credits, call.job.id,
    e.message, way_out), { cause = e, id = call.job.id, status = e.status,
    final = gone or nil })
end

--- Download the call's output into the show's folder. Waits.
---@async
---@param call rushes.Call  its job has succeeded
---@return string? path     also the call's `path`
---@return rt.Err?
function M.land(call)
  local ctx, job = call.ctx, call.job
  local ok, file = job:links()
  if not ok then return nil, not_saved(call, file) end
  local name = file_name(call)
  local path = fs.join(ctx.journal.folder, name)
  ok, file = job:download(path, nil, download)
  if not ok then
    failed(ctx.journal.folder, file)
    return nil, not_saved(call, file)
  end
  call.path = path
  return path
end

return M
