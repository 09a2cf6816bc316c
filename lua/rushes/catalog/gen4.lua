--- The gen4 dialect as data. There is no reference for it: the paths and fields are those
--- of the tutorials that still use it, and the limits and prices are this house's own
--- definition (gen4 costs what gen4.5 costs, gen4-turbo what gen4_turbo costs).

local function model(credits)
  return { class = "video", closed = true,
    fields = {
      prompt = { type = "string", min = 1, max = 1000, unit = "utf16", required = true },
      duration = { type = "integer", min = 2, max = 10, required = true,
        says = "seconds" },
      fps = { enum = { 24, 25, 30 } },
      visual_references = { type = "array", max = 3, says = "references", items = {
        type = "object", closed = true, fields = {
          image_url = { type = "uri", media = "image", required = true,
            without = { ["runway://"] = true } },
          type = { enum = { "character", "style", "location" }, required = true },
          strength = { type = "number", min = 0, max = 1 } } } },
      generation_options = { type = "object", closed = true, says = "options", fields = {
        motion_physics = { enum = { "realistic", "stylized" } },
        world_consistency = { type = "boolean" },
        prompt_adherence = { enum = { "low", "medium", "high" } } } },
    },
    price = { unit = "second", rate = credits, seconds = { field = "duration" } } }
end

local MIB = 1024 * 1024

local catalog = {
  provider = "gen4",
  as_of = "2026-09-23",
  source = "house definition; the dialect has no specification",
  house = true,
  endpoints = { gen4 = { path = "/v1/gen4", models = {
    gen4 = model(12),
    ["gen4-turbo"] = model(5),
  } } },
  inputs = { image = { https = 16 * MIB, data_chars = 5242880,
    types = { "image/jpeg", "image/jpg", "image/png", "image/webp" } } },
  tiers = { as_of = "2026-09-23", { video = { at_once = 3, daily = 1000 } } },
}

for name, entry in pairs(catalog.endpoints.gen4.models) do entry.lane = name end

return catalog
