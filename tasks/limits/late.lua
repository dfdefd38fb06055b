-- Moves slots to the time at which their mails really went out, so that the next of each chain comes
-- a window after that. KEYS: a log for each. ARGV: the slot and its new time for each.

for i, log in ipairs(KEYS) do
  local place = redis.call('LPOS', log, ARGV[2 * i - 1])
  if place then
    redis.call('LSET', log, place, ARGV[2 * i])
  end
end
