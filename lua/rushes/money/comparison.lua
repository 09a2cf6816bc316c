--- A journal's credits beside those of the account, per day and model. Pure; amounts are
--- thousandths of a credit.
local M = {}

---@class rushes.ComparedDay
---@field date? string   UTC day
---@field model? string
---@field journal integer
---@field account integer

---@class rushes.Comparison
---@field from string             the first day
---@field rows rushes.ComparedDay[]  in order of day and model
---@field total rushes.ComparedDay
---@field unattributed integer    charged on the account beyond the journal
---@field missing integer         counted by the journal beyond the account

--- Compare. Where an account charged and gave back on different days, the days differ by
--- as much in both directions: a model's difference is that of all its days together.
---@param own {date: string, model: string, credits: integer}[]
---@param account {date: string, model: string, credits: integer}[]
---@param span {from: string, before: string}
---@return rushes.Comparison
function M.of(own, account, span)
  local by_key, rows = {}, {}
  local models, total = {}, { journal = 0, account = 0 }
  local function add(list, side)
    for _, item in ipairs(list) do
      if item.date >= span.from and item.date < span.before then
        local key = item.date .. "\0" .. item.model
        local row = by_key[key]
        if not row then
          row = { date = item.date, model = item.model, journal = 0, account = 0 }
          by_key[key], rows[#rows + 1] = row, row
        end
        row[side] = row[side] + item.credits
        total[side] = total[side] + item.credits
        local sign = side == "account" and 1 or -1
        models[item.model] = (models[item.model] or 0) + sign * item.credits
      end
    end
  end
  add(own, "journal")
  add(account, "account")
  table.sort(rows, function(a, b)
    return a.date == b.date and a.model < b.model or a.date < b.date
  end)
  local unattributed, missing = 0, 0
  for _, difference in pairs(models) do
    unattributed = unattributed + math.max(0, difference)
    missing = missing + math.max(0, -difference)
  end
  return { from = span.from, rows = rows, total = total, unattributed = unattributed,
    missing = missing }
end

return M
