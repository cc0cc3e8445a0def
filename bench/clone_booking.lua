-- Makes many bookings of one: every key that the ledger wrote for a real booking is written again under other ids, so
-- that a ledger of a million bookings is as the service itself would have left it. For benchmarks alone.
--
-- ARGV: first number, last number, bookings a door, the template (JSON): ids (texts to be replaced), how far apart
-- members of a shared set lie, and entries, each {kind, key, content, expiry (epoch ms, 0: none)}
local first, last, a_door = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local template = cjson.decode(ARGV[4])
local ids = {template.booking, template.code, template.door}

-- A text with ids in it becomes a format and which id stands where: cut once, filled in for each booking.
local function cut(text)
  local format, order, at = {}, {}, 1
  while true do
    local from, to, which
    for number, id in ipairs(ids) do
      local a, b = text:find(id, at, true)
      if a and (not from or a < from) then
        from, to, which = a, b, number
      end
    end
    if not from then
      break
    end
    format[#format + 1] = text:sub(at, from - 1):gsub('%%', '%%%%') .. '%s'
    order[#order + 1] = which
    at = to + 1
  end
  format[#format + 1] = text:sub(at):gsub('%%', '%%%%')
  return {table.concat(format), order}
end

local entries = {}
for _, entry in ipairs(template.entries) do
  local kind, key, content = entry[1], entry[2], entry[3]
  local made = {kind = kind, key = cut(key), expiry = entry[4], spread = template.spread[key] or 0, parts = {}}
  if kind == 'string' then
    made.parts[1] = {cut(content)}
  else
    for name, value in pairs(content) do
      made.parts[#made.parts + 1] = kind == 'zset' and {cut(name), value} or {cut(value), name}
    end
  end
  entries[#entries + 1] = made
end

local now = {}
local function filled(piece)
  local values = {}
  for at, which in ipairs(piece[2]) do
    values[at] = now[which]
  end
  return string.format(piece[1], unpack(values))
end

for number = first, last do
  now[1] = string.format('G%09d', number)
  now[2] = string.format('c0de0000-0000-4000-8000-%012d', number)
  now[3] = string.format('d0000000-0000-4000-8000-%012d', math.floor(number / a_door))
  for _, entry in ipairs(entries) do
    local key = filled(entry.key)
    for _, part in ipairs(entry.parts) do
      local text = filled(part[1])
      if entry.kind == 'string' then
        redis.call('SET', key, text)
      elseif entry.kind == 'hash' then
        redis.call('HSET', key, part[2], text)
      elseif entry.kind == 'list' then
        redis.call('RPUSH', key, text)
      else
        -- Apart from one another, as bookings of a year would be: none of them is due now.
        redis.call('ZADD', key, string.format('%.0f', part[2] + entry.spread * number), text)
      end
    end
    if entry.expiry > 0 then
      redis.call('PEXPIREAT', key, string.format('%.0f', entry.expiry))
    end
  end
end
