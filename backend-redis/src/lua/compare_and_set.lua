-- KEYS: record, marker. ARGV: 'create' or 'replace', the bytes to be replaced, the new bytes, channel, hint.
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'none' and kind ~= 'string' then
  return { 'foreign', kind }
end
local present = redis.call('GET', KEYS[1])
if present then
  if ARGV[1] == 'create' or present ~= ARGV[2] then
    return { 'present', present }
  end
elseif redis.call('EXISTS', KEYS[2]) == 1 then
  return { 'vanished', '' }
elseif ARGV[1] == 'replace' then
  return { 'nothing', '' }
end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], '1')
-- The record counts even where this user may not publish; the others poll.
redis.pcall('PUBLISH', ARGV[4], ARGV[5])
return { 'stored', '' }
