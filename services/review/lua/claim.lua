-- Gives a person a task: one that they hold but do not have at hand, else the one with the earliest deadline.
-- ARGV: person, how many they may hold, then the tasks that they have at hand.
local person = ARGV[1]
if not ready() then return { 'rebuilding' } end
sweep(100)
local at_hand, held = {}, 0
for i = 3, #ARGV do at_hand[ARGV[i]] = true end
for _, member in ipairs(redis.call('ZRANGE', P .. 'held:' .. person, 0, -1)) do
  local seat, id = string.match(member, '^(%d+)|(.*)$')
  local task = read(id)
  local mine = lease_on(task, seat)
  if mine and mine.person == person then
    if mine.pending == '' then
      if not at_hand[id] then return handout(task, seat, mine) end
      held = held + 1
    end
  else
    redis.call('ZREM', P .. 'held:' .. person, member)
  end
end
if redis.call('HGET', META, 'paused') == '1' then return { 'paused' } end
if held >= tonumber(ARGV[2]) then return { 'enough' } end
redis.call('ZREMRANGEBYSCORE', P .. 'skipped:' .. person, '-inf', int(NOW))
local from = 0
while true do
  local ids = redis.call('ZRANGE', P .. 'open', from, from + 49)
  for _, id in ipairs(ids) do
    local task = read(id)
    if task.expires > NOW and not voted(task, person) and not holds(task, person)
      and not redis.call('ZSCORE', P .. 'skipped:' .. person, id) then
      local seat = free_seat(task)
      return handout(task, seat, lease(task, seat, person))
    end
  end
  if #ids < 50 then return { 'empty' } end
  from = from + 50
end
