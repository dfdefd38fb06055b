-- Gives mails their slots, or tells them when to come again. All times are microseconds.
--
-- A limit of `count` mails in a window has `count` chains of slots, each slot a window after the one
-- before: so no window ever holds more than `count` slots, in whatever order they were given.
--   log   a list of slots, the latest given first. The one at `count - 1` ends the chain that is next.
--   line  front: the next turn of mails that go first; back: the next turn of all others.
--
-- KEYS: log and line of each limit.
-- ARGV: the horizon, that of mails that go first, each, farthest, number of limits; count, reserve (for
-- mails that go first), window and interval of each limit; then of each mail its standing, how many
-- limits hold for it, and which.
-- Returns the time; then for each mail what it gets, how far away that is, the limit that it waits for,
-- and how far away the moment is from which on it may be begun.

local NEWCOMER, APPOINTED, FIRST = 0, 1, 2  -- standings
local SLOT, TURN, LONG_QUEUE = 0, 1, 2
-- Slots and turns are never so far beyond what they may be, unless the clock was set back.
local SKEW = 5000000
-- Redis forgets what nobody has asked about for so much longer than it matters.
local SPARE_MS = 60000

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local horizon, first_horizon = tonumber(ARGV[1]), tonumber(ARGV[2])
local each, farthest = tonumber(ARGV[3]), tonumber(ARGV[4])

local limits = {}
for i = 1, tonumber(ARGV[5]) do
  local limit = {
    log = KEYS[2 * i - 1],
    line = KEYS[2 * i],
    count = tonumber(ARGV[4 * i + 2]),
    reserve = tonumber(ARGV[4 * i + 3]),
    window = tonumber(ARGV[4 * i + 4]),
    interval = tonumber(ARGV[4 * i + 5]),
  }
  local newest = tonumber(redis.call('LINDEX', limit.log, 0) or 0)
  if newest > now + first_horizon + SKEW then
    redis.call('DEL', limit.log)
  end
  limit.length = redis.call('LLEN', limit.log)
  local turns = redis.call('HMGET', limit.line, 'front', 'back')
  for side, name in ipairs({'front', 'back'}) do
    local turn = tonumber(turns[side] or 0)
    limit[name] = turn > now + farthest + limit.interval + SKEW and 0 or turn
  end
  limits[i] = limit
end

-- When a chain is free; for all but those that go first, when some more are that they leave free.
local function free(limit, standing)
  local count = limit.count - (standing == FIRST and 0 or limit.reserve)
  if limit.length < count then
    return 0
  end
  return tonumber(redis.call('LINDEX', limit.log, count - 1)) + limit.window
end

local function give(limit, slot)
  redis.call('LPUSH', limit.log, string.format('%.0f', slot))
  limit.length = limit.length + 1
  limit.used = true
  if limit.length > limit.count then
    -- It is of no use any more, unless another worker has a higher limit.
    local oldest = tonumber(redis.call('LINDEX', limit.log, -1))
    if oldest + limit.window <= slot then
      redis.call('RPOP', limit.log)
      limit.length = limit.length - 1
    end
  end
end

local function turn_of(limit, standing)
  if standing == NEWCOMER then
    return math.max(free(limit, standing), limit.front, limit.back)
  end
  return math.max(free(limit, standing), limit.front)
end

local function latest(mine, time_of)
  local time, by = now, mine[1]
  for _, i in ipairs(mine) do
    local other = time_of(limits[i])
    if other > time then
      time, by = other, i
    end
  end
  return time, by
end

local function line_up(mine, standing, turn)
  for _, i in ipairs(mine) do
    local limit = limits[i]
    -- A turn long before this one is left to mails that this limit alone holds up.
    local place = math.max(turn_of(limit, standing), now)
    if place + limit.interval >= turn then
      limit.moved = true
      if standing == NEWCOMER then
        limit.back = place + limit.interval
      else
        limit.front = place + limit.interval
        if limit.back > now then
          limit.back = limit.back + limit.interval
        end
      end
    end
  end
end

local slots = 0
local function answer(standing, mine)
  local from, by = latest(mine, function(limit)
    return standing == NEWCOMER and turn_of(limit, standing) or free(limit, standing)
  end)
  -- The mails before it take their time; were it ready sooner, it need not wait for its slot.
  local earliest = now + slots * each
  local slot = math.max(from, earliest)
  if slot <= earliest + (standing == FIRST and first_horizon or horizon) then
    slots = slots + 1
    for _, i in ipairs(mine) do
      local limit = limits[i]
      give(limit, slot)
      if standing == NEWCOMER and limit.back > now then
        limit.back = limit.back + limit.interval
        limit.moved = true
      end
    end
    return {SLOT, slot - now, by, from - now}
  end
  local turn, by = latest(mine, function(limit) return turn_of(limit, standing) end)
  if turn > now + farthest then
    return {LONG_QUEUE, 0, by, 0}
  end
  line_up(mine, standing, turn)
  return {TURN, turn - now, by, 0}
end

local answers = {now}
local position = 6 + 4 * #limits
while position <= #ARGV do
  local standing, number = tonumber(ARGV[position]), tonumber(ARGV[position + 1])
  local mine = {}
  for i = 1, number do
    mine[i] = tonumber(ARGV[position + 1 + i])
  end
  position = position + 2 + number
  for _, value in ipairs(answer(standing, mine)) do
    answers[#answers + 1] = value
  end
end

for _, limit in ipairs(limits) do
  if limit.used then
    redis.call('PEXPIRE', limit.log, math.ceil(limit.window / 1000) + SPARE_MS)
  end
  if limit.moved then
    redis.call('HSET', limit.line, 'front', string.format('%.0f', limit.front),
      'back', string.format('%.0f', limit.back))
    local last = math.max(limit.front, limit.back, now) - now
    redis.call('PEXPIRE', limit.line, math.ceil(last / 1000) + SPARE_MS)
  end
end
return answers
