-- Moves a slot to the time at which its mail really went out, so that the next of its chain comes a
-- window after that. KEYS: logs. ARGV: the slot; for each log its new time.

for i, log in ipairs(KEYS) do
  local place = redis.call('LPOS', log, ARGV[1])
  if place then
    redis.call('LSET', log, place, ARGV[i + 1])
  end
end
