-- Asks for leave to connect. Times are milliseconds.
--
-- KEYS: a hash of failures, until and length; the lock of who probes.
-- ARGV: failures that open the circuit; how long a probe may take.
-- Returns 0: closed; 1: open, or somebody probes; 2: this caller probes.

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local state = redis.call('HMGET', KEYS[1], 'failures', 'until')
if tonumber(state[1] or 0) < tonumber(ARGV[1]) then
  return 0
end
if now < tonumber(state[2] or 0) then
  return 1
end
return redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2]) and 2 or 1
