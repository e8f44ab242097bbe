-- What every script of this folder begins with: the state of one queue, all of it in one hash slot.
-- KEYS[1] is review:{queue}:meta; the other keys are named from it. Times are Redis's own, in ms.
--
-- meta             state (ready, rebuilding, wanted), epoch, paused, lease (counter of leases)
-- offsets          topic/partition -> the next offset to be applied
-- body             task -> what a person is shown, JSON
-- task:<id>        deadline, expires, wanted, lease_ms, item, revision, accepted once it was requested; needs, where it
--                  needs anything of who is given it: skill,skill|language,language
--                  l:<seat> = expiry|number|epoch|pending verdict|its final_at|person
--                  v:<verdict> = seat|final_at|offset or -|person; x:<verdict> where it was taken back
-- item:<key>       task -> revision: the open tasks of an item
-- open, ages       tasks with a free seat, by deadline and by time of acceptance
-- leases           seat|task by expiry; held:<person> the same of one person; skipped:<person> task by until when
-- gone, why        t|task or i|item -> when it was closed, and why (an item: revision|why)
-- expiring         tasks by when the policy's fallback decides
-- early            tasks that had a verdict before their request, by when
-- verdicts         verdict -> JSON; taken_back; history:<person> verdicts by final_at
local P = string.sub(KEYS[1], 1, -5)
local META = KEYS[1]
local TIME = redis.call('TIME')
local NOW = TIME[1] * 1000 + math.floor(TIME[2] / 1000)
local HISTORY = 50

local function int(number) return string.format('%.0f', number) end
local function ready() return redis.call('HGET', META, 'state') == 'ready' end

-- The state of a task; deadline is nil while it was not requested.
local function read(id)
  local task = { id = id, leases = {}, verdicts = {}, back = {} }
  local raw = redis.call('HGETALL', P .. 'task:' .. id)
  for i = 1, #raw, 2 do
    local field, value = raw[i], raw[i + 1]
    local kind, rest = string.sub(field, 1, 2), string.sub(field, 3)
    if kind == 'l:' then
      local expiry, number, epoch, pending, final_at, person =
        string.match(value, '^(%d+)|(%d+)|(%d+)|([^|]*)|(%d+)|(.*)$')
      task.leases[rest] = { expiry = tonumber(expiry), number = number, epoch = epoch, pending = pending,
                            final_at = tonumber(final_at), person = person }
    elseif kind == 'v:' then
      local seat, final_at, offset, person = string.match(value, '^(%d+)|(%d+)|([-%d]+)|(.*)$')
      task.verdicts[rest] = { id = rest, seat = seat, final_at = tonumber(final_at),
                              offset = offset == '-' and math.huge or tonumber(offset), person = person }
    elseif kind == 'x:' then
      task.back[rest] = true
    else
      task[field] = tonumber(value) or value
    end
  end
  return task
end

-- The verdict that has a seat: the lowest offset of those not taken back.
local function verdict_on(task, seat)
  local first
  for id, verdict in pairs(task.verdicts) do
    if verdict.seat == seat and not task.back[id] then
      if not first or verdict.offset < first.offset
        or (verdict.offset == first.offset and verdict.id < first.id) then first = verdict end
    end
  end
  return first
end

local function lease_on(task, seat)
  local lease = task.leases[seat]
  if lease and lease.expiry > NOW then return lease end
end

local function voted(task, person)
  for id, verdict in pairs(task.verdicts) do
    if verdict.person == person and not task.back[id] then return true end
  end
  return false
end

local function holds(task, person)
  for seat, lease in pairs(task.leases) do
    if lease.person == person and lease.expiry > NOW then return seat end
  end
end

local function free_seat(task)
  for number = 0, (task.wanted or 0) - 1 do
    local seat = int(number)
    if not verdict_on(task, seat) and not lease_on(task, seat) then return seat end
  end
end

-- Puts a task where it belongs in `open`.
local function refresh(task)
  if task.deadline and free_seat(task) then
    redis.call('ZADD', P .. 'open', int(task.deadline), task.id)
    redis.call('ZADD', P .. 'ages', int(task.accepted), task.id)
  else
    redis.call('ZREM', P .. 'open', task.id)
    redis.call('ZREM', P .. 'ages', task.id)
  end
end

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

-- A task is over, for one reason in words: nobody is asked any more, and what comes late is told why.
local function close(id, why)
  local task = read(id)
  for seat in pairs(task.leases) do drop_lease(task, seat) end
  redis.call('ZREM', P .. 'open', id)
  redis.call('ZREM', P .. 'ages', id)
  redis.call('ZREM', P .. 'early', id)
  redis.call('ZREM', P .. 'expiring', id)
  redis.call('HDEL', P .. 'body', id)
  if task.item then redis.call('HDEL', P .. 'item:' .. task.item, id) end
  redis.call('DEL', P .. 'task:' .. id)
  if redis.call('ZADD', P .. 'gone', 'NX', int(NOW), 't|' .. id) == 1 then
    redis.call('HSET', P .. 'why', 't|' .. id, why)
  end
end

-- Leases that have run out are nobody's: their tasks are offered again.
local function sweep(limit)
  local members = redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', int(NOW), 'LIMIT', 0, limit)
  for _, member in ipairs(members) do
    local seat, id = string.match(member, '^(%d+)|(.*)$')
    local task = read(id)
    drop_lease(task, seat)
    refresh(task)
  end
  return #members
end

-- What a person gets who is given a task.
local function handout(task, seat, given)
  return { 'ok', task.id, seat, given.epoch, given.number, int(given.expiry), int(NOW),
           redis.call('HGET', P .. 'body', task.id) or '' }
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

-- How the queue stands: state, epoch, paused, open, leased, tasks, oldest acceptance, now.
local function standing()
  local oldest = redis.call('ZRANGE', P .. 'ages', 0, 0, 'WITHSCORES')
  return { redis.call('HGET', META, 'state') or '', redis.call('HGET', META, 'epoch') or '',
           redis.call('HGET', META, 'paused') or '0', redis.call('ZCARD', P .. 'open'),
           redis.call('ZCOUNT', P .. 'leases', int(NOW), '+inf'), redis.call('HLEN', P .. 'body'),
           oldest[2] and int(tonumber(oldest[2])) or '', int(NOW) }
end
