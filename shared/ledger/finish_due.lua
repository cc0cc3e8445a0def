-- Closes the race of who is done with a member and puts it at its next time, and who prompts it in that moment: the
-- prompt would be lost. A member that has moved since the work on it began stays as it is.
--
-- KEYS: due-set, claims.  ARGV: member, its score when the work began ('' if none), next time (epoch ms; '' takes it out).
-- Returns 1 where it was put, 0 where it had moved.
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if tonumber(score or '') ~= tonumber(ARGV[2]) then
  return 0
end
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
end
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
