-- KEYS: ends, began, facts. ARGV: how many to pass over, how many to look at.
-- Returns how many were looked at, then name, age, what is left, and fact of each that lives, oldest first.
local entries = redis.call('ZRANGE', KEYS[2], ARGV[1], ARGV[1] + ARGV[2] - 1, 'WITHSCORES')
local found, dead, names = { tostring(#entries / 2) }, {}, {}
for i = 1, #entries, 2 do
  names[#names + 1] = entries[i]
end
if #names == 0 then return found end
local ends = redis.call('ZMSCORE', KEYS[1], unpack(names))
local facts = redis.call('HMGET', KEYS[3], unpack(names))
for i, name in ipairs(names) do
  local left = ends[i] and tonumber(ends[i]) - now or 0
  if left > 0 then
    found[#found + 1] = name
    found[#found + 1] = string.format('%.0f', math.max(0, now - entries[i * 2]))
    found[#found + 1] = string.format('%.0f', left)
    found[#found + 1] = facts[i] or ''
  else
    dead[#dead + 1] = name
  end
end
forget(KEYS[1], KEYS[2], KEYS[3], dead)
return found
