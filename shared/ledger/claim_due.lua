-- Closes the race of two sweeps that claim the same member: a claimed member is moved `lease` into the future in the
-- same step. So no other sweep sees it as due, and it is due again when the lease ends, if its worker was killed.
--
-- If a member is claimed again and again and never put at a time, its work kills the worker. So claims in a row are
-- counted, and each doubles the lease: such a member stops workers ever more rarely.
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
