-- Closes the race of two workers that read a changed door at once: the change is stored by the one that replaces the old
-- fingerprint, and only by that one.
--
-- KEYS: fingerprint, history.  ARGV: fingerprint now, entry, most entries, life (ms).
-- Returns the fingerprint of before; false if there was none.
local before = redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[4], 'GET')
if before and before ~= ARGV[1] then
  redis.call('LPUSH', KEYS[2], ARGV[2])
  redis.call('LTRIM', KEYS[2], 0, ARGV[3] - 1)
end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return before
