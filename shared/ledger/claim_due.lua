-- Closes the race of two sweeps that take the same member: what one claims is moved `lease` into the future in the
-- same step, so that no other sees it as due, and it comes back by itself if its worker dies.
--
-- KEYS: due-set.  ARGV: now (epoch ms), lease (ms), limit.  Returns the claimed members.
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, member in ipairs(due) do
  redis.call('ZADD', KEYS[1], ARGV[1] + ARGV[2], member)
end
return due
