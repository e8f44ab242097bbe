-- A rebuild has reached the end of the topics. ARGV: epoch.
if redis.call('HGET', META, 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', META, 'state', 'ready')
return 1
