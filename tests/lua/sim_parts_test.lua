--- The simulator's parts that need no server.
local bill = require "rushes.sim.bill"
local clock = require "rushes.sim.clock"
local faults = require "rushes.sim.faults"
local lanes = require "rushes.sim.lanes"
local lu = require "luaunit"
local plan = require "rushes.sim.plan"
local runway = require "rushes.catalog.runway"
local sniff = require "rushes.sim.sniff"
local task = require "rt.task"

local T = {}

function T.test_clock_runs_things_in_order_and_at_their_time()
  local c, seen = clock.new(0), {}
  local start = c:now()
  local function note(name)
    return function() seen[#seen + 1] = ("%s %.0f"):format(name, c:now() - start) end
  end
  c:after(20, note "b")
  c:after(10, function()
    note "a"()
    c:after(15, note "late")
  end)
  c:after(20, note "c")
  c:after(99, note "never")
  c:advance(30)
  lu.assertEquals(seen, { "a 10", "b 20", "c 20", "late 25" })
  lu.assertAlmostEquals(c:now() - start, 30, 1e-6)
end

function T.test_clock_keeps_order_among_many()
  local c, seen = clock.new(0), {}
  for i = 1, 500 do
    local t = i * 7919 % 500
    c:after(t, function() seen[#seen + 1] = t end)
  end
  c:advance(500)
  lu.assertEquals(#seen, 500)
  for i = 2, 500 do lu.assertTrue(seen[i] >= seen[i - 1]) end
end

function T.test_clock_runs_by_itself_at_its_speed()
  local c, ran = clock.new(0), {}
  task.scope(function(s)
    s:spawn(function() c:run() end)
    c:after(500, function() ran[#ran + 1] = "first" end)
    task.yield()
    lu.assertEquals(ran, {})
    c:after(1000, function()
      ran[#ran + 1] = "last"
      s:cancel()
    end)
    c:set_speed(100000)
  end)
  lu.assertEquals(ran, { "first", "last" })
end

function T.test_clock_writes_times_as_the_api_does()
  lu.assertEquals(clock.iso(1700000000.25), "2023-11-14T22:13:20.250Z")
  lu.assertEquals(clock.day(1700000000.25), "2023-11-14")
end

function T.test_lanes_are_first_come_first_served()
  local l = lanes.new(function() return 2 end)
  local started = {}
  local function start(who) started[#started + 1] = who.name end
  local list = {}
  for i = 1, 5 do
    list[i] = { name = i }
    lu.assertEquals(l:enter("m", list[i], start), i <= 2)
  end
  l:forget("m", list[3])
  l:leave "m"
  l:leave "m"
  lu.assertEquals(started, { 1, 2, 4, 5 })
  l:leave "m"
  l:leave "m"
  lu.assertEquals(l:show().m, { running = 0, waiting = 0 })
  lu.assertTrue(l:enter("m", list[3], start))
end

function T.test_another_user_of_the_account_takes_slots()
  local l, started = lanes.new(function() return 2 end), 0
  local function start() started = started + 1 end
  l:occupy("m", 1)
  for i = 1, 3 do lu.assertEquals(l:enter("m", { i }, start), i == 1) end
  lu.assertEquals(l:show().m, { running = 1, waiting = 2, others = 1 })
  l:occupy("m", 2) -- now there is one too many
  l:leave "m"
  lu.assertEquals({ started, l:show().m.running }, { 1, 0 })
  l:occupy("m", 0)
  lu.assertEquals({ started, l:show().m }, { 3, { running = 2, waiting = 0 } })
end

function T.test_bill_checks_a_budget_as_it_bills()
  local b = bill.new(1000)
  b:watch(100)
  b:open(0, "m", 60000)
  b:open(0, "m", 40000)
  lu.assertEquals(b:show().budget, { credits = 100, peak = 100, overruns = 0 })
  b:close(1, "m", 60000, 0, "failed")
  b:open(2, "n", 60000) -- what was given back may be used again
  lu.assertEquals(b.overruns, 0)
  b:open(3, "n", 1)
  b:open(3, "n", 1)
  lu.assertEquals(b:show().budget, { credits = 100, peak = 100.002, overruns = 2 })
  b:close(4, "n", 1, 1, "succeeded") -- what is charged is used for good
  lu.assertEquals(b.used, 100002)
  lu.assertStrContains(b:text(), "at most 100.002 of 100 credits")
  b:watch(100)
  lu.assertEquals(b:show().budget, { credits = 100, peak = 100.002, overruns = 1 })
  b:others(5, "m", 3, 500000) -- not ours: only the account sees it
  lu.assertEquals({ b.used, b:today(5, "m"), b.balance }, { 100002, 5, 399998 })
end

function T.test_bill_holds_charges_and_gives_back()
  local b = bill.new(100)
  b:open(0, "m", 60000)
  b:open(10, "m", 2500)
  lu.assertEquals(b.balance, 37500)
  b:close(86400, "m", 60000, 0, "failed")
  b:close(86400, "m", 2500, 2500, "succeeded")
  local all = b:show()
  lu.assertEquals(all.balance, 97.5)
  lu.assertEquals(all.total, { created = 2, succeeded = 1, failed = 1, cancelled = 0,
    reserved = 0, charged = 2.5, refunded = 60 })
  lu.assertEquals(all.days, { ["1970-01-01"] = { m = 62.5 }, ["1970-01-02"] = { m = -60 } })
  lu.assertEquals(b:usage("1970-01-02", "1970-01-03"),
    { { date = "1970-01-02", model = "m", amount = -60 } })
  lu.assertEquals({ b:today(86405, "m"), b:today(86411, "m") }, { 1, 0 })
  lu.assertStrContains(b:text(), "97.5 credits left")
end

function T.test_faults_are_read()
  local rules = faults.parse "429:0.1, fail:SAFETY.INPUT.TEXT:x2,slow_body:5000,http:503:0.5"
  local got = {}
  for i, r in ipairs(rules) do got[i] = { r.name, r.arg, r.chance, r.times } end
  lu.assertEquals(got, { { "429", true, 0.1 }, { "fail", "SAFETY.INPUT.TEXT", nil, 2 },
    { "slow_body", 5000, 1 }, { "http", 503, 0.5 } })
  for spec, words in pairs { ["4299"] = 'did you mean "429"', ["fail"] = "argument",
    ["expired_url:7"] = "takes no argument", ["http:200"] = "cannot have",
    ["http:503:0.5:x"] = "too many parts", ["503:once"] = "before there is a task" } do
    local ok, why = faults.parse(spec)
    lu.assertNil(ok)
    lu.assertStrContains(why, words)
  end
end

function T.test_faults_come_as_often_as_they_should_and_again_with_the_seed()
  local function run(seed)
    local f, out = faults.new(faults.parse "429:0.25", seed), {}
    for i = 1, 2000 do out[i] = f:at("create")["429"] and 1 or 0 end
    return table.concat(out)
  end
  lu.assertEquals(run(1), run(1))
  lu.assertNotEquals(run(1), run(2))
  local _, n = run(1):gsub("1", "")
  lu.assertTrue(n > 400 and n < 600, n)
  local twice = faults.new(faults.parse "expired_url:x2", 1)
  local hits = 0
  for _ = 1, 5 do hits = hits + (twice:at("link").expired_url and 1 or 0) end
  lu.assertEquals(hits, 2)
end

function T.test_faults_come_at_their_turn_or_once_for_each_task()
  local f = faults.new(faults.parse "429:7:@2,503:x2@4,expired_url:once", 1)
  local seen = {}
  for i = 1, 6 do
    local at = f:at("create")
    seen[i] = at["429"] or at["503"] or false
  end
  lu.assertEquals(seen, { false, 7, false, true, true, false })
  local a, b, hits = { marks = {} }, { marks = {} }, {}
  for i, t in ipairs { a, a, b, a, b } do hits[i] = f:at("link", t.marks, t).expired_url or false end
  lu.assertEquals(hits, { true, false, true, false, false })
end

function T.test_prompts_ask_for_faults()
  lu.assertEquals(faults.marks "a [[fail:INTERNAL.BAD_OUTPUT.01]] b [[slow:0.5]] [[nonsense]]",
    { fail = "INTERNAL.BAD_OUTPUT.01", slow = 0.5 })
  lu.assertEquals(faults.marks(nil), {})
end

function T.test_files_are_known_by_their_bytes()
  local png = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR" .. (">I4I4"):pack(640, 360) .. "\8\2\0\0\0"
  local found = sniff.sniff(png)
  lu.assertEquals({ found.type, found.width, found.height }, { "image/png", 640, 360 })
  local jpeg = "\xFF\xD8\xFF\xE0\0\x10JFIF" .. ("\0"):rep(10)
    .. "\xFF\xC0\0\x11\8" .. (">I2I2"):pack(480, 854) .. ("\0"):rep(20)
  found = sniff.sniff(jpeg)
  lu.assertEquals({ found.type, found.width, found.height }, { "image/jpeg", 854, 480 })
  local webp = "RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0" .. ("<I3I3"):pack(99, 49) .. "\0"
  found = sniff.sniff(webp)
  lu.assertEquals({ found.type, found.width, found.height }, { "image/webp", 100, 50 })
  lu.assertEquals(sniff.sniff("\0\0\0\x18ftypisom").type, "video/mp4")
  lu.assertNil(sniff.sniff "GIF89a")
  lu.assertNil(sniff.sniff "")
  lu.assertNil(sniff.sniff(png:sub(1, 20)))
end

local function order(endpoint, body, inputs)
  return { endpoint = endpoint, body = body, inputs = inputs or {}, seed = 5,
    entry = runway.endpoints[endpoint].models[body.model], names = { shot = "roof" } }
end

local function options(endpoint, body, inputs)
  local pieces, seconds = plan.make(order(endpoint, body, inputs))
  local o = pieces[1].options
  return { pieces[1].kind, pieces[1].ext, o.width, o.height, o.frames, seconds, #pieces }
end

function T.test_plans_have_the_right_size_and_length()
  local hero = { media = "image", file = "/h.png", width = 1000, height = 500, hash = "h" }
  lu.assertEquals(options("image_to_video", { model = "gen4.5", ratio = "1584:672",
    duration = 5 }, { hero }), { "clip", "mp4", 1584, 672, 120, 5, 1 })
  lu.assertEquals(options("image_to_video", { model = "gen4_turbo", ratio = "720:1280" },
    { hero }), { "clip", "mp4", 720, 1280, 240, 10, 1 })
  lu.assertEquals(options("image_to_video", { model = "happyhorse_1_0", duration = 3, promptImage = "x",
    resolution = "1080p" },
    { hero }), { "clip", "mp4", 2160, 1080, 72, 3, 1 })
  lu.assertEquals(options("text_to_video", { model = "hailuo3", duration = 6, ratio = "21:9",
    resolution = "768p" }), { "clip", "mp4", 1792, 768, 144, 6, 1 })
  lu.assertEquals(options("text_to_image", { model = "gpt_image_2", ratio = "1920:1080",
    outputCount = 3 }, { hero }), { "still", "png", 1920, 1080, nil, nil, 3 })
  local clip = { media = "video", file = "/c.mp4", width = 1280, height = 720, seconds = 4,
    hash = "c" }
  lu.assertEquals(options("video_to_video", { model = "aleph2", targetAspectRatio = "9:16" },
    { clip }), { "clip", "mp4", 720, 1280, 96, 4, 1 })
  lu.assertEquals(options("image_upscale", { model = "magnific_precision_upscaler_v2",
    scaleFactor = 4 }, { hero }), { "scaled", "png", 4000, 2000, nil, nil, 1 })
end

function T.test_several_references_become_the_first_frame()
  local function input(path, tag)
    return { media = "image", file = path, width = 10, height = 10, hash = path,
      item = { tag = tag } }
  end
  local pieces = plan.make(order("text_to_video", { model = "seedance2", duration = 4,
    ratio = "1280:720" }, { input("/a", "hero"), input "/b" }))
  lu.assertEquals({ #pieces[1].figures, pieces[1].figures[1].tag }, { 2, "hero" })
  lu.assertNil(pieces[1].options.image)
  local o = plan.make(order("text_to_video", { model = "seedance2", duration = 4 },
    { input "/a" }))[1].options
  lu.assertEquals({ o.width, o.height, o.image }, { 1280, 720, "/a" })
end

return T
