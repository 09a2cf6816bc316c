--- Who takes part. Each client is a command that understands the options of
--- docs/internals/bench.md and ends with one line of JSON; another one is a line here.
---@class bench.Client
---@field name string
---@field argv string[]
---@field needs string[]  files without which it is left out
---@field only? table<string, boolean>  options it does not share are not given to it

local M = {}

---@param build string  where the binaries are
---@return table<string, bench.Client>
function M.list(build)
  local floor = build .. "/bench/floor"
  local sdk = build .. "/bench/sdk/sdk.mjs"
  local package = build .. "/bench/sdk/node_modules/@runwayml/sdk/package.json"
  local rushes = build .. "/rushes"
  local takes, jobs = "tests/bench/takes.lua", "tests/bench/jobs.lua"
  return {
    floor = { name = "floor", argv = { floor }, needs = { floor } },
    -- what the product must do beside the requests
    floor_full = {
      name = "floor, hash+fsync",
      argv = { floor, "--sha256", "--fsync", "--thread" },
      needs = { floor },
    },
    floor_thread = {
      name = "floor, thread", argv = { floor, "--thread" }, needs = { floor },
    },
    rushes = {
      name = "rushes",
      argv = { rushes, "run", "--no-progress", takes, "--" },
      needs = { rushes, takes },
    },
    -- without what the product does beside the requests
    rushes_plain = {
      name = "rushes, no hash",
      argv = { rushes, "run", "--no-progress", takes, "--", "--no-sha256" },
      needs = { rushes, takes },
    },
    -- with what a script's take costs before it is sent
    rushes_jobs = {
      name = "rushes, provider jobs",
      argv = { rushes, "run", "--no-progress", jobs, "--" },
      needs = { rushes, jobs },
    },
    -- the same calls, each in a journal
    rushes_journal = {
      name = "rushes, journaled jobs",
      argv = { rushes, "run", "--no-progress", jobs, "--", "--journal", "1" },
      needs = { rushes, jobs },
    },
    sdk_best = {
      name = "SDK, own poll",
      argv = { "node", sdk, "--mode", "best", "--window", "1000" },
      needs = { sdk, package },
    },
    sdk_shipped = {
      name = "SDK as shipped",
      argv = { "node", sdk, "--mode", "shipped", "--window", "1000" },
      needs = { sdk, package },
    },
  }
end

return M
