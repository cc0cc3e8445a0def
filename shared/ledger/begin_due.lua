-- Closes the race of a task that begins work on a member, and one that puts the member at a time: a count of work begun
-- must not outlive the count of claims. So it is counted only while the member is claimed.
--
-- KEYS: claims.  ARGV: member.
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'begun ' .. ARGV[1], 1)
end
