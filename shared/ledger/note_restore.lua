-- Notes that the ledger was restored from a backup: writes since then are missing for certain, and creates pause. One
-- step.
--
-- KEYS: the note (`note_primary.lua`).  ARGV: the pause (ms), and from when on writes are missing (epoch ms; '' for the
-- last note in the backup).
-- Returns the rollback's id, from when on, and now (both epoch ms); an empty list if that isn't known.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local noted = redis.call('HMGET', KEYS[1], 'noted_at', 'since', 'done')
local since = tonumber(ARGV[2]) or tonumber(noted[1] or '')
if not since then
  return {}
end
-- If the backup holds a rollback that the worker hadn't dealt with, writes are missing since that one.
if noted[2] and noted[3] == '0' then
  since = math.min(since, tonumber(noted[2]))
end
local id = 'restored-' .. string.format('%.0f', now)
redis.call('HSET', KEYS[1], 'id', id, 'restored', id, 'since', string.format('%.0f', since), 'noticed_at',
  string.format('%.0f', now), 'settled_at', string.format('%.0f', now + tonumber(ARGV[1])), 'done', '0', 'certain', '1')
return { id, string.format('%.0f', since), string.format('%.0f', now) }
