--- rushes models: what can be asked for, and what it costs, from the catalogue.
local catalogs = require "rushes.catalog"
local facts = require "rushes.cli.model_facts"
local suggest = require "rt.suggest"
local tables = require "rushes.cli.table"
local text = require "rushes.cli.text"

local M = {
  name = "models",
  summary = "models, what they take and what they cost",
  usage = "rushes models [--json] [--provider NAME] [MODEL]",
  examples = {
    { "rushes models", "a line for each model" },
    { "rushes models gen4.5", "all that one model takes" },
    { "rushes models --json", "for a program" },
  },
}

local NOT_FOUND = 3

function M.parser(p)
  p:argument "model" :args "?" :description "a model's name"
  p:option "--provider" :argname "NAME" :description "only this provider's"
  p:flag "--json" :description "JSON instead of a table"
end

--- The default provider first.
local function provider_names()
  local names = { "runway" }
  for _, module in ipairs(require("rt.c.embed").names()) do
    local name = module:match "^rushes%.provider%.([%w_]+)$"
    if name and name ~= "runway" then names[#names + 1] = name end
  end
  return names
end

local function all_catalogs(only)
  local list = {}
  for _, name in ipairs(provider_names()) do
    if not only or only == name then
      local provider = require("rushes.provider." .. name)
      if provider.catalog then list[#list + 1] = provider end
    end
  end
  return list
end

-- ---- the table ----

local COLUMNS = { { title = "model" }, { title = "makes" }, { title = "from" },
  { title = "credits" }, { title = "seconds" }, { title = "ratios" }, { title = "refs" } }

local function short_ratios(ratios)
  if #ratios < 2 then return ratios[1] or "" end
  return ("%s +%d"):format(ratios[1], #ratios - 1)
end

local function cells(row)
  return { row.model, table.concat(row.makes, ", "), table.concat(row.from, ", "),
    row.price .. (#row.unconfirmed > 0 and " *" or ""), row.seconds,
    short_ratios(row.ratios), row.references }
end

local function print_table(rows, paint)
  local lines = tables.lines(COLUMNS, rows, { paint = paint,
    width = require("rt.c.sys").window(1) })
  io.stdout:write(table.concat(lines, "\n"), "\n")
end

local function overview(list, paint)
  local starred = false
  for _, provider in ipairs(list) do
    local rows = {}
    for _, model in ipairs(catalogs.models(provider.catalog)) do
      local row = facts.of(provider.catalog, model)
      starred = starred or #row.unconfirmed > 0
      rows[#rows + 1] = cells(row)
    end
    io.stdout:write(paint("bold", provider.name), (" (as of %s)\n"):format(
      provider.catalog.as_of))
    print_table(rows, paint)
    for alias, model in require("rushes").sorted(provider.aliases or {}) do
      io.stdout:write("  ", alias, " means ", model, "\n")
    end
    io.stdout:write "\n"
  end
  if starred then
    io.stdout:write "* something is not confirmed; rushes models MODEL says what\n"
  end
end

-- ---- one model ----

local function field_lines(fields)
  local names, wide = suggest.keys(fields), 0
  for _, name in ipairs(names) do wide = math.max(wide, #name) end
  table.sort(names, function(a, b)
    local x, y = fields[a].required and 0 or 1, fields[b].required and 0 or 1
    return x == y and a < b or x < y
  end)
  local columns = require("rt.c.sys").window(1) or 100
  for _, name in ipairs(names) do
    local spec = fields[name]
    local line = ("    %-" .. wide .. "s  %s  %s"):format(name,
      spec.required and "required" or "optional", facts.allowed(spec))
    io.stdout:write(text.cut(line, math.max(columns, 60)), "\n")
  end
end

local function details(provider, model, paint)
  local row = facts.of(provider.catalog, model)
  io.stdout:write(paint("bold", model), " at ", provider.name, " (as of ",
    provider.catalog.as_of, ")\n")
  for i, endpoint in ipairs(row.endpoints) do
    local entry = provider.catalog.endpoints[endpoint].models[model]
    local makes, from = facts.makes(endpoint)
    io.stdout:write(("\n  %s: %s from %s; credits: %s\n"):format(endpoint, makes, from,
      facts.price(row.rates[i])))
    field_lines(entry.fields)
  end
  if #row.unconfirmed > 0 then io.stdout:write "\n" end
  for _, note in ipairs(row.unconfirmed) do
    io.stdout:write("  not confirmed: ", note, "\n")
  end
end

local function find(list, model)
  local found, names = {}, {}
  for _, provider in ipairs(list) do
    local own = provider.aliases and provider.aliases[model] or model
    for _, name in ipairs(catalogs.models(provider.catalog)) do
      names[#names + 1] = name
      if name == own then found[#found + 1] = { provider, own } end
    end
  end
  return found, names
end

local function why_not(list, model, names)
  for _, provider in ipairs(list) do
    local catalog = provider.catalog
    for _, known in ipairs { catalog.retired or {}, catalog.left_out or {} } do
      if known[model] then return catalogs.why_not(catalog, model) end
    end
  end
  return ("there is no model %q%s; see rushes models"):format(model,
    suggest.hint(model, names))
end

local LISTS = { "makes", "from", "endpoints", "ratios", "rates", "unconfirmed" }

local function as_json(list, model)
  local json = require "rt.json"
  local rows = json.array {}
  for _, provider in ipairs(list) do
    local own = provider.aliases and provider.aliases[model] or model
    for _, name in ipairs(catalogs.models(provider.catalog)) do
      if not model or name == own then
        local row = facts.of(provider.catalog, name)
        for _, key in ipairs(LISTS) do json.array(row[key]) end
        rows[#rows + 1] = row
      end
    end
  end
  io.stdout:write(json.encode { schema = 1, models = rows }, "\n")
  return #rows > 0 and 0 or NOT_FOUND
end

local function complain(sentence, status)
  io.stderr:write("rushes models: ", sentence, "\n")
  return status
end

---@param opts {model?: string, provider?: string, json?: boolean}
---@return integer status
function M.main(opts)
  local list = all_catalogs(opts.provider)
  if #list == 0 then
    return complain(("there is no provider %q%s"):format(opts.provider,
      suggest.hint(opts.provider, provider_names())), 2)
  end
  if opts.json then return as_json(list, opts.model) end
  local paint = text.painter(text.colour(1))
  if not opts.model then
    overview(list, paint)
    return 0
  end
  local found, names = find(list, opts.model)
  if #found == 0 then return complain(why_not(list, opts.model, names), NOT_FOUND) end
  for _, pair in ipairs(found) do details(pair[1], pair[2], paint) end
  return 0
end

return M
