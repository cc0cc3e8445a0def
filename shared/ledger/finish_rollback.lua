-- Closes the race of a worker that has dealt with a rollback, and a process that notices another one in that moment: only
-- the rollback that was dealt with is marked as done.
--
-- KEYS: the note (`note_primary.lua`).  ARGV: the rollback's id.
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'done', '1')
end
