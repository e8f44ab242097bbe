-- What happens to tasks: leases, verdicts, ends; and how a queue stands.

local function put_lease(task, seat, lease)
  local member = seat .. '|' .. task.id
  task.leases[seat] = lease
  redis.call('HSET', P .. 'task:' .. task.id, 'l:' .. seat, table.concat({
    int(lease.expiry), lease.number, lease.epoch, lease.pending, int(lease.final_at), lease.person }, '|'))
  redis.call('ZADD', P .. 'leases', int(lease.expiry), member)
  redis.call('ZADD', P .. 'held:' .. lease.person, int(lease.expiry), member)
end

local function drop_lease(task, seat)
  local lease, member = task.leases[seat], seat .. '|' .. task.id
  redis.call('ZREM', P .. 'leases', member)
  if lease then
    redis.call('ZREM', P .. 'held:' .. lease.person, member)
    redis.call('HDEL', P .. 'task:' .. task.id, 'l:' .. seat)
    task.leases[seat] = nil
  end
end

-- A new lease, which begins now. Its number is never given again within an epoch.
local function lease(task, seat, person)
  local given = { expiry = NOW + task.lease_ms, number = int(redis.call('HINCRBY', META, 'lease', 1)),
                  epoch = redis.call('HGET', META, 'epoch'), pending = '', final_at = 0, person = person }
  put_lease(task, seat, given)
  refresh(task)
  return given
end

-- A task is over, for one reason in words: nobody is asked any more, and what comes late is told why. With `rest`, people
-- have decided its text: copies that wait go on waiting for so many ms, for the router to close them.
local function close(id, why, rest)
  local task = read(id)
  for seat in pairs(task.leases) do drop_lease(task, seat) end
  withhold(id)
  forget_cluster(id)
  redis.call('ZREM', P .. 'early', id)
  redis.call('ZREM', P .. 'expiring', id)
  redis.call('HDEL', P .. 'body', id)
  if task.item then redis.call('HDEL', P .. 'item:' .. task.item, id) end
  redis.call('DEL', P .. 'task:' .. id)
  if redis.call('ZADD', P .. 'gone', 'NX', int(NOW), 't|' .. id) == 1 then
    redis.call('HSET', P .. 'why', 't|' .. id, why)
  end
  if task.text then
    leave(task)
    if rest and (ready() or redis.call('EXISTS', group(task.text)) == 1) then rest_for(task.text, rest) end
    arrange(task.text)
  end
end

-- Leases that have run out are nobody's: their tasks are offered again. And what time brings for texts.
local function sweep(limit)
  local members = redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', int(NOW), 'LIMIT', 0, limit)
  for _, member in ipairs(members) do
    local seat, id = string.match(member, '^(%d+)|(.*)$')
    local task = read(id)
    drop_lease(task, seat)
    refresh(task)
  end
  wake(limit)
end

-- What a person gets who is given a task: last, how many open copies of it wait for the answer, and what is like it.
local function handout(task, seat, given)
  return { 'ok', task.id, seat, given.epoch, given.number, int(given.expiry), int(NOW),
           redis.call('HGET', P .. 'body', task.id) or '',
           task.text and math.max(redis.call('ZCARD', group(task.text)) - 1, 0) or 0,
           likeness(task.id, given.person) }
end

-- One verdict or retraction, as Kafka has it; from the feed with its offset, from the API without. Any order will do.
local function complete(change)
  local id, known = change.verdict_id, change.task_id
  local gone = redis.call('HEXISTS', P .. 'why', 't|' .. known) == 1
  local task = read(known)
  if change.retraction then
    redis.call('HSET', P .. 'taken_back', id, int(change.at))
    if gone then return end
    redis.call('HSET', P .. 'task:' .. known, 'x:' .. id, '1')
    task.back[id] = true
  else
    if redis.call('HSETNX', P .. 'verdicts', id, change.record) == 1 then
      local history = P .. 'history:' .. change.reviewer
      redis.call('ZADD', history, int(change.final_at), id)
      local old = redis.call('ZRANGE', history, 0, -HISTORY - 1)
      for _, verdict in ipairs(old) do
        redis.call('ZREM', history, verdict)
        redis.call('HDEL', P .. 'verdicts', verdict)
        redis.call('HDEL', P .. 'taken_back', verdict)
      end
    end
    if gone then return end
    local seat, seen = int(change.seat), task.verdicts[id]
    local offset = change.offset and int(change.offset) or '-'
    if not seen or change.offset then
      if seen and seen.offset ~= math.huge then offset = int(math.min(seen.offset, change.offset)) end
      redis.call('HSET', P .. 'task:' .. known, 'v:' .. id,
        table.concat({ seat, int(change.final_at), offset, change.reviewer }, '|'))
    end
    task.verdicts[id] = { id = id, seat = seat, person = change.reviewer, final_at = change.final_at,
                          offset = offset == '-' and math.huge or tonumber(offset) }
    if not seen and not task.back[id] then drop_lease(task, seat) end
  end
  if task.deadline then refresh(task) else redis.call('ZADD', P .. 'early', 'NX', int(NOW), known) end
end

-- How the queue stands: state, epoch, paused, open, leased, tasks, copies that wait, oldest acceptance, now.
local function standing()
  local oldest = redis.call('ZRANGE', P .. 'ages', 0, 0, 'WITHSCORES')
  return { redis.call('HGET', META, 'state') or '', redis.call('HGET', META, 'epoch') or '',
           redis.call('HGET', META, 'paused') or '0', redis.call('ZCARD', P .. 'open'),
           redis.call('ZCOUNT', P .. 'leases', int(NOW), '+inf'), redis.call('HLEN', P .. 'body'),
           redis.call('SCARD', P .. 'waiting'), oldest[2] and int(tonumber(oldest[2])) or '', int(NOW) }
end
