---@meta rt.c.net
-- Made by tools/meta.lua: do not edit.

-- A module of the host in C; scripts should use lua/rt.
local M = {}

--- answer_meta(metatable): what answers get.
function M.answer_meta(metatable) end

--- body{"text" | {path, base64}, ...} -> body | nil, err
function M.body(opts) end

--- size(body) -> bytes that will be sent
function M.body_size(...) end

--- client{base, headers, secret, slots, timeout, max_body, insecure_http}
function M.client(opts) end

--- counted(counter) -> bytes, total | nil
function M.counted(counter) end

--- counter() -> counter, for one download
function M.counter() end

--- download(client, url, path, max_bytes, sha256, slots, counter, attempts)
--- -> op
function M.download(client, url, path, max_bytes, sha256, slots, counter, attempts) end

--- exchange(client, request, "submit" | "request", data, is_json) -> op
function M.exchange(client, request, n, data, is_json) end

--- headers(meta) -> {name in lower case = value}
--- In C, because patterns took 100,000 instructions for a dozen lines.
function M.headers(meta) end

--- mark(secret, salt) -> hex
function M.mark(secret, salt) end

--- poll(client, request, {first, every, deadline, seen} | nil) -> op
function M.poll(client, request, n, every, deadline, seen) end

--- secret{env | value, header, scheme, origins} -> secret | nil, err
function M.secret(opts) end

--- stats() -> {submits, polls, requests, downloads, connections}
function M.stats() end

return M
