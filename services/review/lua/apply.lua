-- Feeds changes of one partition into one queue, and notes how far it came, at once.
-- ARGV: epoch, topic/partition, next offset, changes (msgpack, by offset), ms for which a text rests that was decided.
-- Answers: applied, or -1: another epoch.
if redis.call('HGET', META, 'epoch') ~= ARGV[1] then return -1 end
local before = tonumber(redis.call('HGET', P .. 'offsets', ARGV[2]) or 0)
local applied = 0

local apply = {}

function apply.requested(change)
  local id = change.task_id
  if redis.call('HEXISTS', P .. 'why', 't|' .. id) == 1 then return end
  if redis.call('HEXISTS', P .. 'body', id) == 1 then return end
  local closed = redis.call('HGET', P .. 'why', 'i|' .. change.item)
  if closed and change.revision <= tonumber(string.match(closed, '^(%d+)|')) then
    return close(id, string.match(closed, '|(.*)$'))
  end
  redis.call('HSET', P .. 'task:' .. id, 'deadline', int(change.deadline), 'expires', int(change.expires),
    'wanted', int(change.wanted), 'lease_ms', int(change.lease_ms), 'item', change.item,
    'revision', int(change.revision), 'accepted', int(change.accepted))
  if change.needs then redis.call('HSET', P .. 'task:' .. id, 'needs', change.needs) end
  if change.text then redis.call('HSET', P .. 'task:' .. id, 'text', change.text) end
  redis.call('HSET', P .. 'body', id, change.body)
  redis.call('ZADD', P .. 'expiring', int(change.expires), id)
  redis.call('HSET', P .. 'item:' .. change.item, id, int(change.revision))
  redis.call('ZREM', P .. 'early', id)
  redis.call('ZREM', P .. 'unmet', id)
  local task = read(id)
  join(task)
  refresh(task)
end

apply.completed = complete

function apply.clustered(change) note_cluster(change.task_id, change.cluster) end

function apply.ended(change) close(change.task_id, change.why, change.decided and tonumber(ARGV[5])) end

-- The item itself: every revision up to this one.
function apply.withdrawn(change)
  local member = 'i|' .. change.item
  local closed = redis.call('HGET', P .. 'why', member)
  if not closed or tonumber(string.match(closed, '^(%d+)|')) < change.revision then
    redis.call('HSET', P .. 'why', member, int(change.revision) .. '|' .. change.why)
  end
  redis.call('ZADD', P .. 'gone', int(NOW), member)
  local tasks = redis.call('HGETALL', P .. 'item:' .. change.item)
  for i = 1, #tasks, 2 do
    if tonumber(tasks[i + 1]) <= change.revision then close(tasks[i], change.why) end
  end
end

function apply.paused(change) redis.call('HSET', META, 'paused', change.paused and '1' or '0') end

for _, change in ipairs(cmsgpack.unpack(ARGV[4])) do
  if change.offset >= before then
    apply[change.kind](change)
    applied = applied + 1
  end
end
if tonumber(ARGV[3]) > before then redis.call('HSET', P .. 'offsets', ARGV[2], ARGV[3]) end
return applied
