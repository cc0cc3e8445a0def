-- Closes the race of many workers that each see room in a door's budget: counting and taking are one step. A window
-- that slides, not a bucket that refills at once: Seam counts creates over the last minute.
--
-- KEYS: budget.  ARGV: now (ms), window (ms), most, a unique member, life of the key (s)
-- Returns 0 (taken), or the milliseconds until there is room.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - ARGV[2])
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  return 0
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return oldest[2] + ARGV[2] - ARGV[1]
