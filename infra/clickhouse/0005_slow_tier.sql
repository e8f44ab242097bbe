-- The slow tier: until when its scores are waited for, whose scores a summary counts, and whether they came in time.

ALTER TABLE sluicegate.content_classified ADD COLUMN IF NOT EXISTS slow_until Nullable(DateTime64(3, 'UTC'));

ALTER TABLE sluicegate.content_uncertain ADD COLUMN IF NOT EXISTS slow_until Nullable(DateTime64(3, 'UTC'));

ALTER TABLE sluicegate.scores_summarized ADD COLUMN IF NOT EXISTS tier LowCardinality(Nullable(String));

ALTER TABLE sluicegate.content_decided MODIFY COLUMN circumstances Tuple(
        automation Bool,
        alarms Array(LowCardinality(String)),
        capped Bool,
        draw Nullable(Float64),
        counters Nullable(String),
        slow LowCardinality(Nullable(String)),
        fast_model_version LowCardinality(Nullable(String))
    );
