-- Writes a sign of life with the data server's time, so that the machines' clocks don't matter. The same step removes
-- processes that have long been silent, and the oldest beyond the limit: in a crash loop each start leaves an entry.
--
-- KEYS: signs of life.  ARGV: member, kept for (s), most members.
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
