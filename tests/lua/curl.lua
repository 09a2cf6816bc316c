--- A real HTTP client for tests of our server: curl as a background process that
--- tells a server of its own when it has ended, so that nothing here blocks.
local httpd = require "rt.httpd"
local task = require "rt.task"

local function quote(s) return "'" .. tostring(s):gsub("'", "'\\''") .. "'" end

local function slurp(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read "a"
  f:close()
  os.remove(path)
  return text
end

local COMMAND = "( curl -s --max-time 30 %s > %s; echo $? > %s; " ..
  "curl -s http://127.0.0.1:%d/ ) > /dev/null 2>&1 &"

--- Run `curl -s ARGS` and wait for its end: exit code and standard output.
---@async
---@param ... string
---@return {code: integer, out: string}
return function(...)
  local args = table.pack(...)
  for i = 1, args.n do args[i] = quote(args[i]) end
  local out, rc = os.tmpname(), os.tmpname()
  local done = assert(httpd.listen {})
  os.execute(COMMAND:format(table.concat(args, " "), out, rc, done.port))
  task.scope(function(s)
    s:spawn(function()
      done:serve(function(req)
        req:respond { status = 204 }
        s:cancel()
      end)
    end)
  end)
  done:close()
  return { code = tonumber(slurp(rc)), out = slurp(out) }
end
