-- Notes which primary the ledger is on, and notices a primary that may lack the last writes: a replica that was
-- promoted, or a ledger with an older note than the caller has seen. It is one step on one server, so that identity
-- (INFO), clock and note can't come from two servers.
--
-- KEYS: the note, the ledger's epoch (`shared.ledger.data_loss`).
-- ARGV: pause after such a change (ms), how often it is noted (ms), and what the caller saw last: the note's count, the
-- replication id, the offset ('0', '', '0' where it has seen nothing).
-- Returns count, replication id, offset, rest of the pause (ms), then of the last such change: its id ('' for none),
-- the last note before it, when it was noticed (both epoch ms), whether something is missing for certain, whether it
-- was dealt with, whether a person said that the ledger was restored from a backup ('1' or '0'); then the epoch, false
-- if there is none.
local info = redis.call('INFO', 'replication')
local function said(name)
  return string.match(info, '\n' .. name .. ':([^\r\n]*)') or ''
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local replid, replid2 = said('master_replid'), said('master_replid2')
local offset, second = tonumber(said('master_repl_offset')) or 0, tonumber(said('second_repl_offset')) or -1

local key = KEYS[1]
local noted = redis.call('HMGET', key, 'replid', 'noted_at', 'count', 'id', 'since', 'done', 'certain', 'restored')
local count, seen_count = tonumber(noted[3] or '0'), tonumber(ARGV[3])
-- A replica that was promoted keeps the id of the primary that it followed, and up to where (Valkey docs,
-- "Replication").
local promoted = noted[1] and noted[1] ~= replid and string.match(replid2, '[^0]') ~= nil
local older = noted[1] and count < seen_count
local lacks = ARGV[4] ~= '' and ARGV[4] == replid2 and second - 1 < tonumber(ARGV[5])

if promoted or older then
  local since, id = noted[2], replid .. '-' .. now
  local restored = noted[4] and noted[6] == '0' and noted[8] == noted[4]
  if noted[4] and noted[6] == '0' then
    since = math.min(since, noted[5])
  end
  if restored then
    -- A server that has read a snapshot looks like a replica that was promoted.
    redis.call('HSET', key, 'restored', id)
  end
  redis.call('HSET', key, 'id', id, 'since', string.format('%.0f', since), 'noticed_at', now,
    'settled_at', now + tonumber(ARGV[1]), 'done', '0', 'certain',
    (older or lacks or restored) and '1' or '0')
  count = math.max(count, seen_count)
elseif lacks and noted[4] and noted[6] == '0' and noted[7] == '0' then
  redis.call('HSET', key, 'certain', '1')
end
if promoted or older or noted[1] ~= replid or math.abs(now - tonumber(noted[2])) >= tonumber(ARGV[2]) then
  count = count + 1
  redis.call('HSET', key, 'replid', replid, 'noted_at', now, 'count', count)
end
local last = redis.call('HMGET', key, 'id', 'since', 'noticed_at', 'settled_at', 'certain', 'done', 'restored')
return {
  count, replid, offset, math.max(0, tonumber(last[4] or '0') - now),
  last[1] or '', tonumber(last[2] or '0'), tonumber(last[3] or '0'), last[5] or '0', last[6] or '0',
  (last[7] and last[7] == last[1]) and '1' or '0', redis.call('GET', KEYS[2])
}
