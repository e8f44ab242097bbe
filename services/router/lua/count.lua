-- Adds what a batch counts, unless it was added before, and answers sums over windows.
-- KEYS[1] is the beginning of all keys here, with a hash tag. ARGV[1] is a map in msgpack:
--   groups  {space, first offset, its time, last offset, adds, its time}: of one partition, whose place is kept beside the counts
--   adds    added whatever happens
--   lists   subjects
--   reads   {counter, bucket, how many buckets before it, which of the lists, from 0}
-- where adds are {counter, bucket, seconds to keep, {subject = n}}. Answers {places, sums}: for each group -1 where it was
-- added now, else the offset up to which the partition was added before; for each read the sums of its subjects, or
-- nothing where nobody has any.
local P = KEYS[1]
local job = cmsgpack.unpack(ARGV[1])

local function add(adds)
  for _, each in ipairs(adds) do
    local key = P .. each[1] .. ':' .. each[2]
    for subject, n in pairs(each[4]) do redis.call('HINCRBY', key, subject, n) end
    redis.call('EXPIRE', key, each[3])
  end
end

local places = {}
for i, group in ipairs(job.groups) do
  local key = P .. 'place:' .. group[1]
  local place = redis.call('HMGET', key, 'offset', 'time')
  local offset = tonumber(place[1] or -1)
  -- A topic made anew begins at 0 again, but later: what is newer than the place is new.
  if group[2] > offset or group[3] > tonumber(place[2] or -1) then
    add(group[5])
    redis.call('HSET', key, 'offset', group[4], 'time', group[6])
    redis.call('EXPIRE', key, 15 * 86400)
    places[i] = -1
  else
    places[i] = offset
  end
end
add(job.adds)

local sums = {}
for i, read in ipairs(job.reads) do
  local subjects, sum = job.lists[read[4] + 1], {}
  for bucket = read[2] - read[3], read[2] do
    local key = P .. read[1] .. ':' .. string.format('%d', bucket)
    if redis.call('EXISTS', key) == 1 then
      local first = #sum == 0
      for from = 1, #subjects, 1000 do
        local to = math.min(from + 999, #subjects)
        for at, n in ipairs(redis.call('HMGET', key, unpack(subjects, from, to))) do
          local place, count = from + at - 1, n and tonumber(n) or 0
          sum[place] = first and count or sum[place] + count
        end
      end
    end
  end
  sums[i] = sum
end
return cmsgpack.pack({ places, sums })
