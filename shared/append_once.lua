-- Closes the race of two deliveries of one message (Svix repeats until it hears a 2xx, and may not hear ours): the
-- mark "seen" and the entry are written in one step, so that a message is in the stream once. The entry comes first:
-- an append that fails (wrong type, no memory) ends the script, and must leave no mark that says it was done.
-- Takes many messages in one call: a durable write for all that waits costs what one does.
--
-- KEYS: stream, seen mark…  ARGV: life of a mark (s), field, received_at ('' for none), then for each mark: message, and
-- then, for all marks or for none: its value ('1'). A message was seen if its mark has this value; another one is replaced.
-- Returns a text with a letter for each mark: 1 (appended) or 0 (seen before).
local answers = {}
local received_at = ARGV[3]
for i = 2, #KEYS do
  local message = ARGV[i + 2]
  local value = ARGV[i + 1 + #KEYS] or '1'
  if redis.call('GET', KEYS[i]) ~= value then
    if received_at == '' then
      redis.call('XADD', KEYS[1], '*', ARGV[2], message)
    else
      redis.call('XADD', KEYS[1], '*', ARGV[2], message, 'received_at', received_at)
    end
    redis.call('SET', KEYS[i], value, 'EX', ARGV[1])
    answers[i - 1] = '1'
  else
    answers[i - 1] = '0'
  end
end
return table.concat(answers)
