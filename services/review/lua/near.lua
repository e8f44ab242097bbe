-- Near copies: who was given one is given more of its cluster, one after another, up to a number of them.
--
-- near             task -> its cluster, while the task is not over or its request is awaited
-- near:<cluster>   the tasks of a cluster that can be given out, by deadline
-- unmet            tasks whose cluster was told before their request came, by when
-- run:<person>     the near copies that a person was last given in a row: cluster, count, t:<task> = its place
local RUN_RESTS = 3600000 -- ms without a task after which a run is over

-- A task can be given out.
local function offer(task)
  redis.call('ZADD', P .. 'open', int(task.deadline), task.id)
  redis.call('ZADD', P .. 'ages', int(task.accepted), task.id)
  local cluster = redis.call('HGET', P .. 'near', task.id)
  if cluster then redis.call('ZADD', P .. 'near:' .. cluster, int(task.deadline), task.id) end
end

-- And no more.
local function withhold(id)
  redis.call('ZREM', P .. 'open', id)
  redis.call('ZREM', P .. 'ages', id)
  local cluster = redis.call('HGET', P .. 'near', id)
  if cluster then redis.call('ZREM', P .. 'near:' .. cluster, id) end
end

-- The cluster of a task, which may be over or not yet requested. What was told first stands.
local function note_cluster(id, cluster)
  if redis.call('HEXISTS', P .. 'why', 't|' .. id) == 1 then return end
  if redis.call('HSETNX', P .. 'near', id, cluster) == 0 then return end
  local deadline = redis.call('ZSCORE', P .. 'open', id)
  if deadline then
    redis.call('ZADD', P .. 'near:' .. cluster, deadline, id)
  elseif redis.call('HEXISTS', P .. 'body', id) == 0 then
    redis.call('ZADD', P .. 'unmet', 'NX', int(NOW), id)
  end
end

-- A task is over, and cannot be given out any more.
local function forget_cluster(id)
  redis.call('HDEL', P .. 'near', id)
  redis.call('ZREM', P .. 'unmet', id)
end

-- Clusters of tasks that were never requested, or are over for so long that nobody knows.
local function forget_unmet(before)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'unmet', '-inf', before, 'LIMIT', 0, 1000)) do
    forget_cluster(id)
  end
end

-- The cluster that a person's run goes on with; nil where there is none, or it has had `most` tasks.
local function run_of(person, most)
  local run = redis.call('HMGET', P .. 'run:' .. person, 'cluster', 'count')
  if run[1] and tonumber(run[2]) < most then return run[1] end
end

local function end_run(person) redis.call('DEL', P .. 'run:' .. person) end

-- A person is given a task: it is the next of their run, or begins one, or ends it.
local function note_run(person, id, goes_on)
  local key, cluster = P .. 'run:' .. person, redis.call('HGET', P .. 'near', id)
  if not goes_on then end_run(person) end
  if not cluster then return end
  redis.call('HSET', key, 'cluster', cluster, 't:' .. id, redis.call('HINCRBY', key, 'count', 1))
  redis.call('PEXPIRE', key, RUN_RESTS)
end

-- `place|of`: a task is the first, second, … of a person's run, which has so many with what can be given out now; empty
-- where nothing is like it.
local function likeness(id, person)
  local cluster = redis.call('HGET', P .. 'near', id)
  if not cluster then return '' end
  local key = P .. 'near:' .. cluster
  local others = redis.call('ZCARD', key) - (redis.call('ZSCORE', key, id) and 1 or 0)
  local run = redis.call('HMGET', P .. 'run:' .. person, 't:' .. id, 'count')
  local of = others + (run[1] and tonumber(run[2]) or 1)
  return of > 1 and (run[1] or '1') .. '|' .. int(of) or ''
end
