-- Closes the race of two workers that read the same record and both write it: only the one that still holds the
-- latest version may. The version is the fencing token: it grows with every write, and a writer that was overtaken
-- (paused, cut off, or just slower) can't write any more.
--
-- The record's times in the due-set are written in the same step, so that neither can be without the other. A member
-- that gets a time has survived its claim: its claims are forgotten.
--
-- KEYS: record, due-set, claims, history (where it has one).
-- ARGV: expected version ('0': no record yet), expiry (epoch ms), record, most lines of a history, number of members,
-- member, time (epoch ms, '' takes the member out)..., history entry...
-- Returns the new version, or -1 where another write came first.
local version = redis.call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[1] then
  return -1
end
local following = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[1], 'record', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
local members_end = 5 + 2 * tonumber(ARGV[5])
for i = 6, members_end, 2 do
  if ARGV[i + 1] == '' then
    redis.call('ZREM', KEYS[2], ARGV[i])
  else
    redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i])
  end
  redis.call('HDEL', KEYS[3], ARGV[i])
end
if KEYS[4] then
  for i = members_end + 1, #ARGV do
    redis.call('RPUSH', KEYS[4], ARGV[i])
  end
  redis.call('LTRIM', KEYS[4], -ARGV[4], -1)
  redis.call('PEXPIREAT', KEYS[4], ARGV[2])
end
return following
