-- A lease begins anew, also one that ran out while the seat stayed free. ARGV: task, seat, person, number, epoch.
if not ready() then return { 'rebuilding' } end
local why = redis.call('HGET', P .. 'why', 't|' .. ARGV[1])
if why then return { 'gone', why } end
local task = read(ARGV[1])
if not task.deadline then return { 'unknown' } end
if task.expires <= NOW then return { 'gone', 'expired' } end
local seat, person = ARGV[2], ARGV[3]
if voted(task, person) then return { 'voted' } end
if verdict_on(task, seat) then return { 'seat_taken' } end
local current = lease_on(task, seat)
local mine = current and current.person == person and current.number == ARGV[4] and current.epoch == ARGV[5]
if (current and not mine) or (not mine and holds(task, person)) then return { 'seat_held' } end
local pending, final_at = '', 0
if mine then pending, final_at = current.pending, current.final_at end
if task.leases[seat] then drop_lease(task, seat) end
local expiry = NOW + task.lease_ms
put_lease(task, seat, { expiry = expiry, number = ARGV[4], epoch = ARGV[5], pending = pending,
                        final_at = final_at, person = person })
refresh(task)
return { 'ok', int(expiry), int(NOW) }
