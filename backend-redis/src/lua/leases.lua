-- The beginning of every script about leases: the server's clock, and ending what has ended.
--
-- A kind of leases of one site is three keys: when each ends (sorted set), when each began (sorted set),
-- and who holds it and what it says (hash; leases that everybody holds and that say nothing are not in it).
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function forget(ends, began, facts, names)
  if #names > 0 then
    redis.call('ZREM', ends, unpack(names))
    redis.call('ZREM', began, unpack(names))
    redis.call('HDEL', facts, unpack(names))
  end
end

-- Bounded, so that no call holds the server up; what is left over is never counted and goes next time.
local function purge(ends, began, facts)
  forget(ends, began, facts, redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 1000))
end

local function holder(fact)
  return fact == '' and string.rep('0', 32) or string.sub(fact, 1, 32)
end
