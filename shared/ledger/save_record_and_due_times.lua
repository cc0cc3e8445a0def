-- Closes the race of two workers that read the same record and both write it: only the worker that read the latest
-- version may. The version is the fencing token: it grows with every write, so a worker that was paused, cut off or
-- just slower can't write over a newer record.
--
-- The record's times in the due-set, and its places in the indexes (sorted sets), are written in the same step, so that
-- none of them can be there without the others. A member that gets a time has its counts of claims reset.
--
-- KEYS: record, due-set, claims, index..., history (where it has one).
-- ARGV: expected version ('0': no record yet), expiry (epoch ms), record, most lines of a history, number of members,
-- number of places in indexes, member, time (epoch ms, '' takes the member out)..., member, score ('' takes it out) for
-- each index..., history entry...
-- Returns the new version, or -1 if another write came first.
local version = redis.call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[1] then
  return -1
end
local following = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[1], 'record', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
local members_end = 6 + 2 * tonumber(ARGV[5])
for i = 7, members_end, 2 do
  if ARGV[i + 1] == '' then
    redis.call('ZREM', KEYS[2], ARGV[i])
  else
    redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i])
  end
  redis.call('HDEL', KEYS[3], ARGV[i], 'begun ' .. ARGV[i])
end
local indexes = tonumber(ARGV[6])
for i = 1, indexes do
  local member, score = ARGV[members_end + 2 * i - 1], ARGV[members_end + 2 * i]
  if score == '' then
    redis.call('ZREM', KEYS[3 + i], member)
  else
    redis.call('ZADD', KEYS[3 + i], score, member)
  end
end
local history = KEYS[4 + indexes]
if history then
  for i = members_end + 2 * indexes + 1, #ARGV do
    redis.call('RPUSH', history, ARGV[i])
  end
  redis.call('LTRIM', history, -ARGV[4], -1)
  redis.call('PEXPIREAT', history, ARGV[2])
end
return following
