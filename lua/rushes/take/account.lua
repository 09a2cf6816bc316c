--- One account at one provider: the provider's pure functions joined to the network.
--- The only place that turns a provider's requests into calls.
local err = require "rt.err"
local net = require "rt.net"
local suggest = require "rt.suggest"
local embed = require "rt.c.embed"
local config = require "rushes.config"
local log = require "rt.log"
local task = require "rt.task"

local M = {}

---@class rushes.Account
---@field provider table  lua/rushes/provider/<name>.lua
---@field cfg table       {base}; never holds a key
---@field client table    rt.net client
---@field secret? userdata  its key, which C keeps
---@field loopback boolean  a simulator or a gateway on this machine
---@field speed? number     how many times as fast as ours the simulator's clock runs
---@field uploads table<string, {queue: rt.Queue, err?: rt.Err}>  under way, by hash
---@field unasked? rt.Err  why it cannot be asked: there is no key; for plans only
local Account = {}
Account.__index = Account

local open = {}  -- name -> account
local noted = {} -- models whose notes have been shown

local function provider_names()
  local names = {}
  for _, name in ipairs(embed.names()) do
    local short = name:match "^rushes%.provider%.([%w_]+)$"
    if short then names[#names + 1] = short end
  end
  return names
end

--- The provider's module; raises with a hint if there is none of that name.
---@param name string
---@param level? integer  as for `error`, counted from the caller
---@return table
function M.provider(name, level)
  local names = provider_names()
  for _, known in ipairs(names) do
    if known == name then return require("rushes.provider." .. name) end
  end
  error(("there is no provider %q%s; there is %s"):format(tostring(name),
    suggest.hint(name, names), table.concat(names, ", ")), (level or 1) + 1)
end

--- The account for a provider, with base and key from the configuration.
---@param name string
---@return rushes.Account?
---@return rt.Err?  code "auth" when the key is missing
function M.open(name)
  if open[name] then return open[name] end
  local provider = M.provider(name)
  local cfg, e = config.provider(provider)
  if not cfg then return nil, e end
  local secret
  secret, e = net.secret(cfg.secret)
  if not secret then
    e.code = "auth" -- the address has been looked at: it is the key that is wrong
    return nil, e
  end
  local client
  client, e = net.client { base = cfg.base, headers = provider.headers, secret = secret }
  if not client then return nil, e end
  open[name] = setmetatable({ name = name, provider = provider,
    cfg = { base = cfg.base }, client = client, secret = secret, uploads = {},
    -- the configuration lets plain http go to this machine only
    loopback = cfg.base:find "^http://" ~= nil }, Account)
  return open[name]
end

--- An account for planning without a key: nothing can be sent to it.
---@param name string
---@param why rt.Err
---@return rushes.Account
function M.unasked(name, why)
  return setmetatable({ name = name, provider = M.provider(name), cfg = {}, uploads = {},
    unasked = why }, Account)
end

--- A mark of the account's key, by which another key is told from it.
---@param salt string
---@return string
function Account:mark(salt) return net.mark(self.secret, salt) end

--- What a simulator on this machine writes on its slates; nobody else is told.
local function label(account, req, about)
  if not about or not account.loopback then return end
  req.headers = req.headers or {}
  req.headers["X-Rushes-Show"] = about.show
  req.headers["X-Rushes-Shot"] = about.shot
  req.headers["X-Rushes-Take"] = about.take
end

local SHORTEST = 0.2 -- seconds between two looks, however fast the simulator's clock

--- How fast the clock runs that tasks go by: a simulator on this machine says so in its
--- answers, anybody else's clock is ours.
local function learn_pace(account, resp)
  local speed = account.loopback and tonumber(resp.headers["x-sim-speed"])
  if speed and speed > 0 then account.speed = speed end
end

--- Seconds of the provider's clock in seconds of ours.
---@param seconds number
---@return number
function Account:pace(seconds)
  if not self.speed then return seconds end
  return math.min(seconds, math.max(SHORTEST, seconds / self.speed))
end

--- Send what must not be sent twice. Waits; may spend.
---@async
---@param req table
---@param files? table<string, table>  of `assets.fill`
---@param about? {show: string, shot: string, take: string}
function Account:submit(req, files, about)
  label(self, req, about)
  req.files = files and next(files) and files
  local resp, e = net.submit(self.client, req)
  if resp then learn_pace(self, resp) end
  return resp, e
end

--- Send what may be repeated. Waits; spends nothing.
---@async
---@param req table
---@param attempts? integer  5
function Account:request(req, attempts)
  local resp, e = net.request(self.client, req, { retry = { attempts = attempts } })
  if resp then learn_pace(self, resp) end
  return resp, e
end

--- Wait until the answer to a GET is not the one that `opts.seen` stands for.
---@async
function Account:poll(req, opts)
  return net.poll(self.client, req, opts)
end

--- Note once that a model was named by an alias.
---@param model string
---@return string  the model's own name
function Account:model(model)
  local own = self.provider.aliases and self.provider.aliases[model]
  if not own then return model end
  if not noted[model] then
    noted[model] = true
    log.info("%s is %s at %s", model, own, self.name)
  end
  return own
end

--- Log once each what the provider's notes say of a model's request: what is not sent.
---@param spec table
function Account:note(spec)
  if noted[spec.model] then return end
  noted[spec.model] = true
  local _, _, notes = self.provider.request(spec)
  for _, text in ipairs(notes or {}) do log.info("%s", text) end
end

--- Upload a file that other takes may be waiting for as well.
local function upload_for_all(account, registry, image)
  local going = { queue = {} }
  account.uploads[image.hash] = going
  local _ <close> = setmetatable({}, { __close = function()
    account.uploads[image.hash] = nil
    task.wake_all(going.queue)
  end })
  local uri, e = account:upload(registry, image)
  going.err = e
  return uri, e
end

--- Make a local picture or clip usable in a request: returns a URI string and, for a
--- data URI, the file behind the placeholder. Waits (hashing, an upload); does not spend.
---@async
---@param registry table  rt.refs registry
---@param image table     of a registered reference
---@param n integer       number of the placeholder within the request
---@return string? uri
---@return table|rt.Err?  {path, type} of a placeholder, or the error
function Account:asset(registry, image, n)
  while true do
    local form, e = registry:resolve(image, {
      data_max = self.provider.data_max or 5242880,
      upload = self.provider.upload and self.name or nil,
    })
    if not form then return nil, e end
    if form.form == "data" then
      local placeholder = ("data:%s;rushes=%d"):format(form.type, n)
      return placeholder, { placeholder = placeholder, path = form.path,
        type = form.type }
    end
    if form.form ~= "needs_upload" then return form.uri end
    local going = self.uploads[image.hash]
    if not going then return upload_for_all(self, registry, image) end
    task.wait_on(going.queue)
    if going.err then return nil, going.err end
  end
end

--- The provider's upload steps, one request after the other.
---@async
function Account:upload(registry, image)
  local file = { path = image.path, type = image.type, bytes = image.bytes }
  local step, resp = 1, nil
  while true do
    local req, e = self.provider.upload(file, self.cfg, step, resp)
    if not req then return nil, e end
    if req.uri then
      registry:uploaded(image, self.name, req.uri, req.expires)
      return req.uri
    end
    resp, e = self:request(req)
    if not resp then return nil, e end
    step = step + 1
  end
end

--- Download one output to `path`. Waits; spends nothing.
---@async
function Account:download(output, path, opts)
  local req = self.provider.fetch(output, self.cfg)
  return net.download(self.client, req.url, path, opts)
end

--- The account's error for an answer that is not a success.
function Account:error(resp)
  return self.provider.error(resp) or err.new("provider", ("%s answered with status %d")
    :format(self.name, resp.status), { status = resp.status })
end

return M
