-- Closes the race of two who replay the same parked message: whoever takes it off the list puts it into its stream, and
-- nobody else does. A kill before leaves it parked, a kill after finds it replayed. The replay is noted in the same step,
-- so that its alert isn't closed before the message is done, and people find what became of it.
--
-- KEYS: parked list, stream, replays, note.
-- ARGV: id on the list, what is kept in the replays, what is kept in the note, the note's life (seconds), then the
-- entry's fields and values in turn.
-- Returns 1 where it was replayed, 0 where it was gone already.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then
  return 0
end
local entry_id = redis.call('XADD', KEYS[2], '*', unpack(ARGV, 5))
redis.call('HSET', KEYS[3], entry_id .. ' ' .. KEYS[2], ARGV[2])
redis.call('HSET', KEYS[4], 'entry_id', entry_id, 'stream', KEYS[2], 'told', ARGV[3])
redis.call('EXPIRE', KEYS[4], ARGV[4])
return 1
