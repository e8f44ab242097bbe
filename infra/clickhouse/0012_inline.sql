-- Verdicts in line, as ingest signed them; what they decided is in content_decided like any other decision.

ALTER TABLE sluicegate.content_submitted ADD COLUMN IF NOT EXISTS inline Nullable(String);

ALTER TABLE sluicegate.content_classified ADD COLUMN IF NOT EXISTS inline Nullable(String);
