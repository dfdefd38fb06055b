-- Tells how many more mails the workers could send. Times are microseconds.
--
-- KEYS: each circuit and its probe's lock; log and line of the limit, where there is one.
-- ARGV: failures that open a circuit (0: nothing does), number of circuits; count and window of the
-- limit.
-- Returns 0: one circuit is closed, 1: all are open, 2: so, and a probe is wanted; then how far ahead the turns of mails that go
-- first reach, and those of all others; then how many slots are free at once.

local CLOSED, OPEN, HALF_OPEN = 0, 1, 2

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

local threshold, circuits = tonumber(ARGV[1]), tonumber(ARGV[2])

local function state_of(circuit, lock)
  local state = redis.call('HMGET', circuit, 'failures', 'until')
  if threshold == 0 or tonumber(state[1] or 0) < threshold then
    return CLOSED
  end
  if now < tonumber(state[2] or 0) * 1000 or redis.call('EXISTS', lock) == 1 then
    return OPEN
  end
  return HALF_OPEN
end

local function all_circuits()
  local all = OPEN
  for i = 1, 2 * circuits, 2 do
    local state = state_of(KEYS[i], KEYS[i + 1])
    if state == CLOSED then
      return CLOSED
    end
    if state == HALF_OPEN then
      all = HALF_OPEN
    end
  end
  return all
end

-- The log is nearly in order, the latest first: how many slots still count?
local function taken(log, count, window)
  local low, high = 0, math.min(redis.call('LLEN', log), count)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', log, middle)) + window > now then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

if #KEYS == 2 * circuits then
  return {all_circuits(), 0, 0, 0}
end
local log, line = KEYS[2 * circuits + 1], KEYS[2 * circuits + 2]
local count, window = tonumber(ARGV[3]), tonumber(ARGV[4])
local turns = redis.call('HMGET', line, 'front', 'back')
local front, back = tonumber(turns[1] or 0), tonumber(turns[2] or 0)
return {
  all_circuits(),
  math.max(front - now, 0),
  math.max(front - now, back - now, 0),
  count - taken(log, count, window),
}
