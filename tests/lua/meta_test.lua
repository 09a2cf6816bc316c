--- Every public name has a stub in lua/meta, so that an editor knows it.
local lu = require "luaunit"
local fs = require "rt.fs"

local T = {}

local REMEDY = "\nrun `make meta` for rt.*, write the others into lua/meta/rushes.lua"

local function names(dir)
  local list = {}
  for _, entry in ipairs(assert(fs.list(dir))) do
    list[#list + 1] = entry.name:match "^([%w_]+)%.lua$"
  end
  return list
end

--- Does the stub's text declare `owner.key`?
local function declares(text, owner, key)
  return text:find(("function %s[.:]%s%%("):format(owner, key))
    or text:find(("\n%s%%.%s ="):format(owner, key))
end

local function check(module, missing)
  local path = "lua/meta/" .. module:gsub("%.", "/") .. ".lua"
  local text = fs.read(path) or ""
  if not text:find("---@meta " .. module, 1, true) then missing[#missing + 1] = path end
  for key in pairs(require(module)) do
    if type(key) == "string" and key:match "^%l" and not declares(text, "M", key)
      and not key:match "_meta$" and key ~= "mark" then
      missing[#missing + 1] = module .. "." .. key
    end
  end
end

function T.test_the_runtime()
  local missing, inner = {}, { boot = true, require = true, sched = true, net_body = true,
    sync = true }
  for _, name in ipairs(names "lua/rt") do
    if not inner[name] then check("rt." .. name, missing) end
  end
  for module in assert(fs.read "src/linit.c"):gmatch '"(rt%.c%.[%w_]+)"' do
    check(module, missing)
  end
  lu.assertEquals(missing, {}, REMEDY)
end

function T.test_rushes()
  local text, missing = assert(fs.read "lua/meta/rushes.lua"), {}
  lu.assertStrContains(text, "---@meta rushes")
  for key in pairs(require "rushes") do
    if not declares(text, "rushes", key) and not text:find("---@field " .. key .. " ", 1, true)
    then
      missing[#missing + 1] = "rushes." .. key
    end
  end
  lu.assertEquals(missing, {}, REMEDY)
end

--- Every field that show{…} and shot{…} take, from the list that refuses the others.
function T.test_the_fields_of_shows_and_shots()
  local text, missing = assert(fs.read "lua/meta/rushes.lua"), {}
  for name, class in pairs { show = "ShowSpec", shot = "ShotSpec" } do
    local source = assert(fs.read("lua/rushes/studio/" .. name .. ".lua"))
    local stub = assert(text:match("%-%-%-@class rushes%." .. class .. "\n(.-)\n\n"))
    for field in assert(source:match 'SPEC = object%.set%s+"([^"]+)"'):gmatch "%S+" do
      if not stub:find("@field " .. field .. "%??%s") then
        missing[#missing + 1] = class .. "." .. field
      end
    end
  end
  lu.assertEquals(missing, {}, REMEDY)
end

-- What the studio calls itself; the script has show:shot and show:shoot for it.
local INNER = { ["Job:release"] = true, ["Job:submit"] = true, ["Take:fail"] = true,
  ["Job:links"] = true, ["Take:plan"] = true, ["Take:count"] = true, ["Take:shoot"] = true,
  ["Take:decided"] = true, ["Take:call_off"] = true, ["Take:to_buy"] = true,
  ["Take:abandon"] = true }

function T.test_the_methods_of_its_classes()
  local text, missing, seen = assert(fs.read "lua/meta/rushes.lua"), {}, 0
  for _, dir in ipairs { "lua/rushes/studio", "lua/rushes/take" } do
    for _, name in ipairs(names(dir)) do
      local source = assert(fs.read(fs.join(dir, name .. ".lua")))
      for owner, method in source:gmatch "\nfunction (%u%w*):(%l[%w_]*)" do
        if text:find("\nlocal " .. owner .. " = {}", 1, true) then
          seen = seen + 1
          local public = source:find("\n%-%-%-[^\n]*\nfunction " .. owner .. ":" .. method)
          local name_of = owner .. ":" .. method
          if public and not INNER[name_of] and not declares(text, owner, method) then
            missing[#missing + 1] = name_of
          end
        end
      end
    end
  end
  lu.assertTrue(seen > 5)
  lu.assertEquals(missing, {}, REMEDY)
end

return T
