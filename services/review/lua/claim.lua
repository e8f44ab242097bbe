-- Gives a person a task: one that they hold but do not have at hand, else the next near copy of what they were given
-- last, else the one with the earliest deadline.
-- ARGV: person, how many they may hold, their skills and languages (each with a comma before and after), how many near
-- copies they may be given in a row, then the tasks that they have at hand.
local person = ARGV[1]
if not ready() then return { 'rebuilding' } end
sweep(100)
local at_hand, held = {}, 0
for i = 6, #ARGV do at_hand[ARGV[i]] = true end
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
local function skipped(task)
  local at = P .. 'skipped:' .. person
  return redis.call('ZSCORE', at, task.id) or (task.text and redis.call('ZSCORE', at, 'x|' .. task.text))
end
local answers, lacking = {}, nil
local function able(needs)
  if not needs then return true end
  if answers[needs] == nil then
    local skills, languages = string.match(needs, '^([^|]*)|(.*)$')
    local may, reads = true, languages == ''
    for skill in string.gmatch(skills, '[^,]+') do
      may = may and string.find(ARGV[3], ',' .. skill .. ',', 1, true) ~= nil
    end
    for language in string.gmatch(languages, '[^,]+') do
      reads = reads or string.find(ARGV[4], ',' .. language .. ',', 1, true) ~= nil
    end
    answers[needs] = may and reads
  end
  lacking = not answers[needs] and (lacking or needs) or lacking
  return answers[needs]
end
-- A task, where it is one for this person.
local function fitting(id)
  local task = able(redis.call('HGET', P .. 'task:' .. id, 'needs')) and read(id)
  if task and task.expires > NOW and not voted(task, person) and not holds(task, person)
    and not skipped(task) then
    return task
  end
end
local function give(task, goes_on)
  note_run(person, task.id, goes_on)
  local seat = free_seat(task)
  return handout(task, seat, lease(task, seat, person))
end
local cluster = run_of(person, tonumber(ARGV[5]))
for _, id in ipairs(cluster and redis.call('ZRANGE', P .. 'near:' .. cluster, 0, 99) or {}) do
  local task = fitting(id)
  if task then return give(task, true) end
end
local from = 0
while true do
  local ids = redis.call('ZRANGE', P .. 'open', from, from + 49)
  for _, id in ipairs(ids) do
    local task = fitting(id)
    if task then return give(task, false) end
  end
  if #ids < 50 then return lacking and { 'unable', lacking } or { 'empty' } end
  from = from + 50
end
