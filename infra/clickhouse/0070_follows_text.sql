-- Whether a question may wait for the answer to a copy's, of which review shows one at a time.

ALTER TABLE sluicegate.review_requested ADD COLUMN IF NOT EXISTS follows_text Bool;
