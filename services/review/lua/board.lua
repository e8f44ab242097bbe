-- What every script of this folder begins with: the state of one queue, all of it in one hash slot.
-- KEYS[1] is review:{queue}:meta; the other keys are named from it. Times are Redis's own, in ms.
--
-- meta             state (ready, rebuilding, wanted), epoch, paused, lease (counter of leases)
-- offsets          topic/partition -> the next offset to be applied
-- body             task -> what a person is shown, JSON
-- task:<id>        deadline, expires, wanted, lease_ms, item, revision, accepted once it was requested; needs, where it
--                  needs anything of who is given it: skill,skill|language,language; text, while one of its text
--                  is shown at a time (texts.lua has the keys of that)
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
