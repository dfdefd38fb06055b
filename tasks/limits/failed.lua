-- Counts a connection that could not be had, and opens the circuit. Times are milliseconds.
--
-- KEYS: a hash of failures, until and length; the lock of who probes.
-- ARGV: failures that open it, the first length, the longest, how long failures are remembered.
-- Returns the failures in a row, and how long the circuit stays open.

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local threshold, first, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
local state = redis.call('HMGET', KEYS[1], 'until', 'length')
local ends, length = tonumber(state[1] or 0), tonumber(state[2] or 0)
-- One that began before it opened tells nothing new.
if failures >= threshold and now >= ends then
  length = length == 0 and first or math.min(2 * length, longest)
  ends = now + length
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', ends), 'length', length)
  redis.call('DEL', KEYS[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {failures, math.max(ends - now, 0)}
