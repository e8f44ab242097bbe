-- What people must have to be given a task.

ALTER TABLE sluicegate.review_requested ADD COLUMN IF NOT EXISTS skills Array(LowCardinality(String));

ALTER TABLE sluicegate.review_requested ADD COLUMN IF NOT EXISTS languages Array(LowCardinality(String));
