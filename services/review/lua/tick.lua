-- What time brings: leases run out, tasks expire, marks of what is over are forgotten.
-- ARGV: ms for which marks are kept.
local state = redis.call('HGET', META, 'state') or ''
if state == 'ready' then
  sweep(1000)
  local old = int(NOW - tonumber(ARGV[1]))
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'gone', '-inf', old, 'LIMIT', 0, 1000)) do
    redis.call('HDEL', P .. 'why', member)
    redis.call('ZREM', P .. 'gone', member)
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'early', '-inf', old, 'LIMIT', 0, 1000)) do
    close(id, 'forgotten')
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'expiring', '-inf', old, 'LIMIT', 0, 1000)) do
    close(id, 'expired')
  end
  forget_unmet(old)
end
return standing()
