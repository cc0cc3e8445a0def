-- Closes the race of a worker that puts a finished member at its next time, and a prompt that comes in that moment: the
-- prompt would be lost. So a member with another time than when the work began keeps it.
--
-- KEYS: due-set, claims.  ARGV: member, its score when the work began ('' if none), next time (epoch ms; '' takes it
-- out).
-- Returns 1 if it was put, 0 if it had another time.
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if tonumber(score or '') ~= tonumber(ARGV[2]) then
  return 0
end
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
end
redis.call('HDEL', KEYS[2], ARGV[1], 'begun ' .. ARGV[1])
return 1
