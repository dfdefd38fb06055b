-- Pauses domains that asked for fewer mails. Times are milliseconds.
--
-- KEYS: a hash, domain → "end of the pause, its length".
-- ARGV: the first pause, the longest; the domains.
-- Returns for each domain how long it pauses from now, and the length of the pause.

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local first, longest = tonumber(ARGV[1]), tonumber(ARGV[2])

local function read(text)
  local ends, length = string.match(text, '^(%d+) (%d+)$')
  return tonumber(ends), tonumber(length)
end

-- A domain that kept quiet for twice as long as it had paused begins anew.
local function forgotten(ends, length)
  return now > ends + 2 * length
end

local known = redis.call('HGETALL', KEYS[1])
local pauses = {}
for i = 1, #known, 2 do
  local ends, length = read(known[i + 1])
  if forgotten(ends, length) then
    redis.call('HDEL', KEYS[1], known[i])
  else
    pauses[known[i]] = {ends, length}
  end
end

local answers = {}
for i = 3, #ARGV do
  local pause = pauses[ARGV[i]]
  if not pause then
    pause = {now + first, first}
  elseif now >= pause[1] then
    local length = math.min(2 * pause[2], longest)
    pause = {now + length, length}
  end
  -- Else the mail was on its way already when the pause began.
  pauses[ARGV[i]] = pause
  redis.call('HSET', KEYS[1], ARGV[i], string.format('%.0f %.0f', pause[1], pause[2]))
  answers[#answers + 1] = pause[1] - now
  answers[#answers + 1] = pause[2]
end
redis.call('PEXPIRE', KEYS[1], 4 * longest)
return answers
