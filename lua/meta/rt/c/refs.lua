---@meta rt.c.refs
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- check_tag(tag) -> true | nil, err
function M.check_tag(tag) end

--- check_url(url) -> true | nil, err
function M.check_url(url) end

--- make_tag(name) -> tag
function M.make_tag(name) end

--- measure(path, kind, any_media, ratio_min, ratio_max)
--- -> op -> {path, hash, type, bytes, mtime, width?, height?}, warning?
function M.measure(path, kind, any_media, ratio_min, ratio_max) end

--- open() -> registry
function M.open() end

M.ratio_max = nil

M.ratio_min = nil

--- resolve(registry, path, hash, type, bytes, data_max, account | nil)
--- -> "data" | "upload", uri | "needs_upload" | nil, err
function M.resolve(registry, path, hash, type, bytes, data_max, account) end

--- restore(registry, kind, name, version, hash) -> it fits what is known
function M.restore(registry, kind, name, version, hash) end

--- unchanged(path, hash, bytes, mtime) -> op
function M.unchanged(path, hash, bytes, mtime) end

--- uploaded(registry, hash, account, uri, seconds)
function M.uploaded(registry, hash, account, uri, seconds) end

--- version(registry, kind, name, hash) -> integer
function M.version(registry, kind, name, hash) end

return M
