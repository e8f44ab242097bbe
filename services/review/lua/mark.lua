-- Kafka has a verdict: what the feed will see is applied at once. While a queue is rebuilt, Kafka alone tells.
-- ARGV: the change (msgpack). Answers the verdict that has the seat; empty where nobody knows yet.
if not ready() then return '' end
local change = cmsgpack.unpack(ARGV[1])
complete(change)
local winner = verdict_on(read(change.task_id), int(change.seat))
return winner and winner.id or ''
