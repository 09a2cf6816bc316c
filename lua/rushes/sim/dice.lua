--- Numbers that depend on a seed and on nothing else, the same on every machine.
--- (splitmix64; math.random would be one state shared by the whole program.)

---@param seed? integer  0 when absent
---@return fun(lo: integer, hi: integer): integer roll  lo..hi, both included
return function(seed)
  local state = math.tointeger(seed or 0) or 0
  return function(lo, hi)
    state = state + 0x9E3779B97F4A7C15
    local z = state
    z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ~ (z >> 27)) * 0x94D049BB133111EB
    z = z ~ (z >> 31)
    return lo + (z >> 33) % (hi - lo + 1)
  end
end
