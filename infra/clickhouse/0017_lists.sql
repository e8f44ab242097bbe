-- Lists: which of the policy's lists had the text of an item when it was decided, and which version of each.

ALTER TABLE sluicegate.content_decided MODIFY COLUMN circumstances Tuple(
        automation Bool,
        alarms Array(LowCardinality(String)),
        capped Bool,
        draw Nullable(Float64),
        counters Nullable(String),
        slow LowCardinality(Nullable(String)),
        fast_model_version LowCardinality(Nullable(String)),
        budget Tuple(
            value Nullable(Float64),
            threshold Nullable(Float64),
            margin Nullable(Float64),
            probability Nullable(Float64),
            draw Nullable(Float64)
        ),
        precedent Tuple(
            decision String,
            action LowCardinality(String),
            categories Array(LowCardinality(String))
        ),
        listed Array(Tuple(
            name String,
            version String
        ))
    );
