-- KEYS: ends, began, facts. ARGV: the holder, then names.
local names = {}
for i = 2, #ARGV do
  names[#names + 1] = ARGV[i]
end
local mine = {}
for i, fact in ipairs(redis.call('HMGET', KEYS[3], unpack(names))) do
  if holder(fact or '') == ARGV[1] then
    mine[#mine + 1] = names[i]
  end
end
forget(KEYS[1], KEYS[2], KEYS[3], mine)
return #mine
