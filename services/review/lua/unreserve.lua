-- Kafka did not take a verdict: the lease is the person's as before, and as long as if it began now.
-- ARGV: task, seat, verdict.
if not ready() then return 0 end
local task = read(ARGV[1])
local current = task.leases[ARGV[2]]
if not current or current.pending ~= ARGV[3] then return 0 end
current.pending, current.final_at, current.expiry = '', 0, math.max(current.expiry, NOW + task.lease_ms)
put_lease(task, ARGV[2], current)
refresh(task)
return 1
