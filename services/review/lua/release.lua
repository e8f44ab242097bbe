-- A person gives a task back and is not offered it again for a while, nor copies of it; once more does nothing.
-- ARGV: task, seat, person, number, epoch, ms for which it is not offered to them.
if not ready() then return { 'rebuilding' } end
local task = read(ARGV[1])
local current = task.leases[ARGV[2]]
if current and current.person == ARGV[3] and current.number == ARGV[4] and current.epoch == ARGV[5]
  and current.pending == '' then
  drop_lease(task, ARGV[2])
  redis.call('ZADD', P .. 'skipped:' .. ARGV[3], int(NOW + tonumber(ARGV[6])), ARGV[1])
  if task.text then
    redis.call('ZADD', P .. 'skipped:' .. ARGV[3], int(NOW + tonumber(ARGV[6])), 'x|' .. task.text)
  end
  end_run(ARGV[3])
  refresh(task)
end
return { 'ok' }
