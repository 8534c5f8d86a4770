-- KEYS: record, marker, where the old record goes. ARGV: what was seen in the record's place ('none', 'string' or
-- another type), its bytes if it is a string, the new bytes, channel, hint.
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= ARGV[1] or (kind == 'string' and redis.call('GET', KEYS[1]) ~= ARGV[2]) then
  return 'changed'
end
if kind ~= 'none' then
  if redis.call('RENAMENX', KEYS[1], KEYS[3]) == 0 then
    return 'taken'
  end
  redis.call('PERSIST', KEYS[3])
end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], '1')
redis.pcall('PUBLISH', ARGV[4], ARGV[5])
return 'stored'
