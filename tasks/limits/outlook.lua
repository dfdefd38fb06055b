-- Tells how many more mails the workers could send. Times are microseconds.
--
-- KEYS: the circuit and its probe's lock; log and line of the limit, where there is one.
-- ARGV: failures that open the circuit (0: nothing does); count and window of the limit.
-- Returns 0: closed, 1: open, 2: a probe is wanted; then how far ahead the turns of mails that go
-- first reach, and those of all others; then how many slots are free at once.

local CLOSED, OPEN, HALF_OPEN = 0, 1, 2

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

local function circuit()
  local threshold = tonumber(ARGV[1])
  local state = redis.call('HMGET', KEYS[1], 'failures', 'until')
  if threshold == 0 or tonumber(state[1] or 0) < threshold then
    return CLOSED
  end
  if now < tonumber(state[2] or 0) * 1000 or redis.call('EXISTS', KEYS[2]) == 1 then
    return OPEN
  end
  return HALF_OPEN
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

if #KEYS == 2 then
  return {circuit(), 0, 0, 0}
end
local count, window = tonumber(ARGV[2]), tonumber(ARGV[3])
local turns = redis.call('HMGET', KEYS[4], 'front', 'back')
local front, back = tonumber(turns[1] or 0), tonumber(turns[2] or 0)
return {
  circuit(),
  math.max(front - now, 0),
  math.max(front - now, back - now, 0),
  count - taken(KEYS[3], count, window),
}
