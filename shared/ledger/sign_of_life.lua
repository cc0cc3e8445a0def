-- A sign of life by the data server's clock, so that machines whose clocks differ are judged alike. In the same step what
-- is long silent is taken out, and the oldest beyond the most that are kept: a crash loop leaves a process a start.
--
-- KEYS: signs of life.  ARGV: member, kept for (s), most members.
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
