-- Keeps a seat for a verdict that is on its way to Kafka, so that nobody else is given it; or says what happened.
-- ARGV: task, seat, person, lease number, epoch, verdict, ms to be kept, ms in which it may be taken back.
local id, seat, person, verdict = ARGV[1], ARGV[2], ARGV[3], ARGV[6]
if not ready() then return { 'rebuilding' } end
local recorded = redis.call('HGET', P .. 'verdicts', verdict)
if redis.call('HEXISTS', P .. 'taken_back', verdict) == 1 then return { 'taken_back' } end
if recorded then return { 'recorded', recorded } end
local why = redis.call('HGET', P .. 'why', 't|' .. id)
if why then return { 'gone', why } end
local task = read(id)
if not task.deadline then return { 'unknown' } end
if task.expires <= NOW then return { 'gone', 'expired' } end
if voted(task, person) then return { 'voted' } end
if verdict_on(task, seat) then return { 'seat_taken' } end
local current = lease_on(task, seat)
local mine = current and current.person == person and current.number == ARGV[4] and current.epoch == ARGV[5]
if current and not mine then return { 'seat_held' } end
if not mine and holds(task, person) then return { 'seat_held' } end
local final_at = NOW + tonumber(ARGV[8])
if mine and current.pending == verdict and current.final_at > NOW then final_at = current.final_at end
local expiry = math.max(NOW + tonumber(ARGV[7]), mine and current.expiry or 0)
if not mine and task.leases[seat] then drop_lease(task, seat) end
put_lease(task, seat, { expiry = expiry, number = ARGV[4], epoch = ARGV[5], pending = verdict,
                        final_at = final_at, person = person })
refresh(task)
return { 'ok', int(NOW), int(final_at), mine and '0' or '1', redis.call('HGET', P .. 'body', id) or '' }
