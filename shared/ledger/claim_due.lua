-- Closes the race of two sweeps that take the same member: what one claims is moved `lease` into the future in the
-- same step, so that no other sees it as due, and it comes back by itself if its worker dies.
--
-- A member that is claimed again and again without ever being put at a time kills the worker that takes it. So each
-- claim is counted, and doubles the lease: it can't take the others with it for ever.
--
-- KEYS: due-set, claims.  ARGV: now (epoch ms), lease (ms), limit, most doublings.
-- Returns the claimed members, each followed by how often it was claimed in a row.
local claimed = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local times = redis.call('HINCRBY', KEYS[2], member, 1)
  redis.call('ZADD', KEYS[1], ARGV[1] + ARGV[2] * 2 ^ math.min(times - 1, ARGV[4]), member)
  table.insert(claimed, member)
  table.insert(claimed, times)
end
return claimed
