-- Appends an entry and marks it as seen, in one step. The entry comes first: an append that fails (wrong type, no memory)
-- ends the script, and must leave no mark that says it was done. In MULTI the mark would be set all the same.
--
-- KEYS: stream, seen mark.  ARGV: life of the mark (s), its value, then the entry: field, value…
-- Returns the entry's id.
local entry_id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[1])
return entry_id
