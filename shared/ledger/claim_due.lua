-- Closes the race of two sweeps that claim the same member: a claimed member is moved `lease` into the future in the
-- same step. So no other sweep sees it as due, and it is due again when the lease ends, if its worker was killed.
--
-- A member that is claimed again and again and never put at a time is late, or its work kills the worker. Claims in a row
-- are counted, and each doubles the lease: so late work isn't asked for ever more often, and a killer stops workers ever
-- more rarely. Only work that was begun can kill (begin_due.lua).
--
-- KEYS: due-set, claims.  ARGV: now (epoch ms), lease (ms), limit, most doublings.
-- Returns the claimed members, each followed by how often its work was begun after an earlier claim in this row.
local claimed = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local times = redis.call('HINCRBY', KEYS[2], member, 1)
  redis.call('ZADD', KEYS[1], ARGV[1] + ARGV[2] * 2 ^ math.min(times - 1, ARGV[4]), member)
  table.insert(claimed, member)
  local begun = tonumber(redis.call('HGET', KEYS[2], 'begun ' .. member) or 0)
  table.insert(claimed, math.min(times - 1, begun))
end
return claimed
