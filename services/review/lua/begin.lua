-- A rebuild begins: nothing is handed out, no verdict is taken until `ready`. ARGV: epoch.
-- Answers 0 where a rebuild of this epoch or a later one has begun already.
local epoch = redis.call('HGET', META, 'epoch')
if epoch and tonumber(epoch) >= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', META)
redis.call('HSET', META, 'state', 'rebuilding', 'epoch', ARGV[1], 'paused', '0')
return 1
