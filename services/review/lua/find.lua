-- Whether a person may take a verdict back now. ARGV: verdict, person, ms before its final_at at which it is too late.
if not ready() then return { 'rebuilding' } end
local recorded = redis.call('HGET', P .. 'verdicts', ARGV[1])
if not recorded then return { 'unknown' } end
local verdict = cjson.decode(recorded)
if verdict.reviewer ~= ARGV[2] then return { 'unknown' } end
if redis.call('HEXISTS', P .. 'taken_back', ARGV[1]) == 1 then return { 'taken_back', recorded, int(NOW) } end
if verdict.final_at_ms - tonumber(ARGV[3]) <= NOW then return { 'final' } end
local why = redis.call('HGET', P .. 'why', 't|' .. verdict.task_id)
if why then return { 'gone', why } end
return { 'ok', recorded, int(NOW) }
