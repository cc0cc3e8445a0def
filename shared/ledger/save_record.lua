-- Closes the race of two workers that read the same record and both write it: only the one that still holds the
-- latest version may. The version is the fencing token: it grows with every write, and a writer that was overtaken
-- (paused, cut off, or just slower) can't write any more.
--
-- KEYS: record, history (where it has one).  ARGV: expected version ('0': no record yet), expiry (epoch ms), record, most lines of a
-- history, history entry…
-- Returns the new version, or -1 where another write came first.
local version = redis.call('HGET', KEYS[1], 'version') or '0'
if version ~= ARGV[1] then
  return -1
end
local following = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[1], 'record', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
if KEYS[2] then
  for i = 5, #ARGV do
    redis.call('RPUSH', KEYS[2], ARGV[i])
  end
  redis.call('LTRIM', KEYS[2], -ARGV[4], -1)
  redis.call('PEXPIREAT', KEYS[2], ARGV[2])
end
return following
