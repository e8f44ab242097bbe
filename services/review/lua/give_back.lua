-- Kafka has a retraction: the task is the person's again. ARGV: the change (msgpack), seat, person.
if not ready() then return { 'rebuilding' } end
local change = cmsgpack.unpack(ARGV[1])
complete(change)
local why = redis.call('HGET', P .. 'why', 't|' .. change.task_id)
if why then return { 'gone', why } end
local task, seat = read(change.task_id), ARGV[2]
if not task.deadline then return { 'unknown' } end
local held = holds(task, ARGV[3])
if held then return handout(task, held, task.leases[held]) end
if verdict_on(task, seat) or lease_on(task, seat) then return { 'seat_taken' } end
return handout(task, seat, lease(task, seat, ARGV[3]))
