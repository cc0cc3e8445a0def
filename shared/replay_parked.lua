-- Closes the race of two who replay the same parked message: whoever takes it off the list puts it into its stream, and
-- nobody else does. A kill before leaves it parked, a kill after finds it replayed.
--
-- KEYS: parked list, stream.  ARGV: id on the list, then the entry's fields and values in turn.
-- Returns 1 where it was replayed, 0 where it was gone already.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('XADD', KEYS[2], '*', unpack(ARGV, 2))
return 1
