-- Closes the race of many workers that each see room at a door: queueing, counting and taking are one step. There are
-- two limits: creates in the last minute (a sliding window: Seam counts the last 60 seconds), and codes that the lock
-- can hold. Those who ask are queued by check-in. One is admitted if there is room for everybody in front of it, too.
--
-- KEYS: spent (moments of creates), queue (by check-in), asked (until when each keeps its place)
-- ARGV: now (ms), window (ms), most a window, member, check-in (ms), room (-1: unlimited), patience (ms), life (s),
--       a unique mark for `spent`, when the codes that `room` leaves out were counted (ms), rivals: how many who arrive
--       earlier are being decided right now, and may not be in the queue yet
-- Returns {'admitted'}, {'full'}, or {'later', milliseconds}.
local spent, queue, asked = KEYS[1], KEYS[2], KEYS[3]
local now, window, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local member, room, patience = ARGV[4], tonumber(ARGV[6]), tonumber(ARGV[7])

-- One who didn't come back at its time (cancelled, ended) must not hold up the others.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', asked, '-inf', now)) do
  redis.call('ZREM', queue, gone)
end
redis.call('ZREMRANGEBYSCORE', asked, '-inf', now)
redis.call('ZREMRANGEBYSCORE', spent, '-inf', now - window)

redis.call('ZADD', queue, ARGV[5], member)
local place = redis.call('ZRANK', queue, member)
local used = redis.call('ZCARD', spent)
-- Creates that were admitted after the door's codes were counted also take room.
if room >= 0 then
  room = math.max(0, room - redis.call('ZCOUNT', spent, ARGV[10], '+inf'))
end

local rivals, after_the_others = tonumber(ARGV[11]), 5000
if room > 0 and rivals >= room then
  redis.call('ZREM', queue, member)
  redis.call('ZREM', asked, member)
  return {'later', after_the_others}
end

local function stay_until(moment)
  redis.call('ZADD', asked, moment, member)
  for _, key in ipairs(KEYS) do
    redis.call('EXPIRE', key, ARGV[8])
  end
end

if room >= 0 and place >= room then
  stay_until(now + patience)
  return {'full'}
end
if place < most - used then
  redis.call('ZADD', spent, now, ARGV[9])
  redis.call('ZREM', queue, member)
  redis.call('ZREM', asked, member)
  redis.call('EXPIRE', spent, ARGV[8])
  return {'admitted'}
end

local oldest = redis.call('ZRANGE', spent, 0, 0, 'WITHSCORES')
local next_room = oldest[2] and (oldest[2] + window - now) or 1000
local wait = next_room + math.floor((place - (most - used)) / most) * window
stay_until(now + wait + 30000)
return {'later', math.max(wait, 1)}
