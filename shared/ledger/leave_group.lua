-- Closes the race of a worker that finds an alert resolved and takes it out of its group, and one that opens it again:
-- the alert's number grows with each change, so only an alert that hasn't changed since it was read leaves.
--
-- KEYS: members (hash {alert's key: number}).  ARGV: key, number, key, number…  Returns how many left.
local left = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    left = left + redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return left
