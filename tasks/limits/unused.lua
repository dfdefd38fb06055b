-- Takes back a slot without a mail: its chain ends where it did before, and is the next to be used.
-- KEYS: logs. ARGV: the slot; for each log the slot before it in its chain.

for i, log in ipairs(KEYS) do
  if redis.call('LREM', log, 1, ARGV[1]) == 1 then
    redis.call('RPUSH', log, ARGV[i + 1])
  end
end
