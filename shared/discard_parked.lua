-- Takes a parked message off the list for good. Of a replay and a discard that come together the first one counts: only
-- who takes the message off the list notes that it was done, and in the same step.
--
-- KEYS: parked list, note.
-- ARGV: id on the list, what is kept of the order, the note's life (seconds).
-- Returns 1 where it was discarded, 0 where it was gone already.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[2], 'told', ARGV[2], 'at', redis.call('TIME')[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return 1
