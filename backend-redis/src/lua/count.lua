-- KEYS: ends, began and facts of each site. Returns how many live.
local count = 0
for i = 1, #KEYS, 3 do
  purge(KEYS[i], KEYS[i + 1], KEYS[i + 2])
  count = count + redis.call('ZCOUNT', KEYS[i], string.format('(%.0f', now), '+inf')
end
return count
