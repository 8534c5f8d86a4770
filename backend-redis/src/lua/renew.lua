-- KEYS: ends, began, facts, sites. ARGV: the site, then name, milliseconds and fact of each lease; no name twice.
-- Returns the places, from 0, of those that another holder has.
purge(KEYS[1], KEYS[2], KEYS[3])
local names = {}
for i = 2, #ARGV, 3 do
  names[#names + 1] = ARGV[i]
end
local ends = redis.call('ZMSCORE', KEYS[1], unpack(names))
local facts = redis.call('HMGET', KEYS[3], unpack(names))
local refused, renewed, begun, said, silent = {}, {}, {}, {}, {}
for i, name in ipairs(names) do
  local lasts, new, old = ARGV[i * 3], ARGV[i * 3 + 1], facts[i] or ''
  local alive = ends[i] and tonumber(ends[i]) > now
  if alive and holder(old) ~= holder(new) then
    refused[#refused + 1] = i - 1
  else
    renewed[#renewed + 1] = now + lasts
    renewed[#renewed + 1] = name
    if not alive then
      begun[#begun + 1] = now
      begun[#begun + 1] = name
    end
    if new ~= old then
      if new == '' then
        silent[#silent + 1] = name
      else
        said[#said + 1] = name
        said[#said + 1] = new
      end
    end
  end
end
if #renewed > 0 then redis.call('ZADD', KEYS[1], unpack(renewed)) end
if #begun > 0 then redis.call('ZADD', KEYS[2], unpack(begun)) end
if #said > 0 then redis.call('HSET', KEYS[3], unpack(said)) end
if #silent > 0 then redis.call('HDEL', KEYS[3], unpack(silent)) end
redis.call('SADD', KEYS[4], ARGV[1])
return refused
