-- Closes the race of two `web` that refuse the same message, or of one that keeps a refusal while another makes room:
-- when a refusal came first, when it came last, and what is forgotten are written in one step, so that the list never
-- grows past its bound and both keys name the same refusals.
--
-- KEYS: refusals by when they came last, refusals with when they came first.
-- ARGV: the refusal, now (epoch seconds), the oldest moment that is kept (epoch seconds), how many are kept, life (s).
redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[3])
local too_many = redis.call('ZCARD', KEYS[1]) - #gone - tonumber(ARGV[4])
if too_many > 0 then
  for _, each in ipairs(redis.call('ZRANGE', KEYS[1], #gone, #gone + too_many - 1)) do
    gone[#gone + 1] = each
  end
end
for _, each in ipairs(gone) do
  redis.call('ZREM', KEYS[1], each)
  redis.call('HDEL', KEYS[2], each)
end
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return #gone
