-- Of the open tasks of one text people are given one at a time: the first by deadline, or those that somebody has begun
-- (with a lease or a verdict). The others wait: when it is decided, the router decides and closes them; when it ends
-- otherwise, the next is shown. A task takes part while it has `text`, and until it expires.
--
-- text:<text>      the open tasks of a text, by deadline; begun:<text> those of them that somebody has begun
-- leads            text -> the task that is shown though nobody has begun it
-- waiting          tasks that are not shown
-- wake             t|task by when it expires; x|text by when a text that was decided has rested
local function group(text) return P .. 'text:' .. text end

-- Puts a task where it belongs in `open`.
local function place(task, shown)
  if shown and task.deadline and free_seat(task) then offer(task) else withhold(task.id) end
end

local function hide(id)
  withhold(id)
  redis.call('SADD', P .. 'waiting', id)
end

local function begun(task)
  for seat in pairs(task.leases) do
    if lease_on(task, seat) then return true end
  end
  for id in pairs(task.verdicts) do
    if not task.back[id] then return true end
  end
  return false
end

-- Chooses which task of a text is shown, where nobody has begun any.
local function arrange(text)
  local before, now = redis.call('HGET', P .. 'leads', text), nil
  if redis.call('EXISTS', P .. 'begun:' .. text) == 0 and not redis.call('ZSCORE', P .. 'wake', 'x|' .. text) then
    now = redis.call('ZRANGE', group(text), 0, 0)[1]
  end
  if now and now == before then return end
  if before then
    redis.call('HDEL', P .. 'leads', text)
    if redis.call('ZSCORE', group(text), before) and redis.call('SISMEMBER', P .. 'begun:' .. text, before) == 0 then
      hide(before)
    end
  end
  if now then
    redis.call('HSET', P .. 'leads', text, now)
    redis.call('SREM', P .. 'waiting', now)
    place(read(now), true)
  end
end

-- A task takes part in its text, if it has time.
local function join(task)
  if task.text and task.expires > NOW then
    redis.call('ZADD', group(task.text), int(task.deadline), task.id)
    redis.call('ZADD', P .. 'wake', int(task.expires), 't|' .. task.id)
  end
end

-- And no more; `arrange` is for the caller.
local function leave(task)
  redis.call('ZREM', group(task.text), task.id)
  redis.call('ZREM', P .. 'wake', 't|' .. task.id)
  redis.call('SREM', P .. 'begun:' .. task.text, task.id)
  redis.call('SREM', P .. 'waiting', task.id)
end

-- Puts a task where it belongs, after whatever has changed it; and with it its text.
local function refresh(task)
  if not task.text then return place(task, true) end
  if not redis.call('ZSCORE', group(task.text), task.id) then return place(task, false) end
  if begun(task) then
    redis.call('SADD', P .. 'begun:' .. task.text, task.id)
    redis.call('SREM', P .. 'waiting', task.id)
    place(task, true)
    return arrange(task.text)
  end
  redis.call('SREM', P .. 'begun:' .. task.text, task.id)
  arrange(task.text)
  if redis.call('HGET', P .. 'leads', task.text) == task.id then place(task, true) else hide(task.id) end
end

-- A text was decided: for so many ms nothing of it is shown that nobody has begun.
local function rest_for(text, ms)
  redis.call('ZADD', P .. 'wake', int(NOW + ms), 'x|' .. text)
end

-- A task that has expired waits for nothing and lets others wait no more. Tasks that the router has not closed while their
-- text rested are shown each by itself: it keeps them (the switch, a cap, a policy for which copies do not count).
local function wake(limit)
  local left = limit
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', P .. 'wake', '-inf', int(NOW), 'LIMIT', 0, limit)) do
    local kind, name = string.match(member, '^(.)|(.*)$')
    if left <= 0 then return end
    left = left - 1
    if kind == 't' then
      local task = read(name)
      leave(task)
      refresh(task)
      arrange(task.text)
    else
      local ids = redis.call('ZRANGE', group(name), 0, left)
      for _, id in ipairs(ids) do
        local task = read(id)
        leave(task)
        redis.call('HDEL', P .. 'task:' .. id, 'text')
        task.text = nil
        refresh(task)
      end
      if #ids <= left then redis.call('ZREM', P .. 'wake', member) end
      left = left - #ids
    end
  end
end
