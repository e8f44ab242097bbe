-- Past items moderated again: what the router was asked about, and which decision of each item stands.

CREATE TABLE IF NOT EXISTS sluicegate.content_remoderated (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    source LowCardinality(String),
    item_id String,
    revision UInt64,
    run_id String,
    item Tuple(
        kind LowCardinality(String),
        text Nullable(String),
        media Array(Tuple(
            url String,
            sha256 Nullable(String),
            media_type Nullable(String)
        )),
        language LowCardinality(Nullable(String)),
        author Tuple(
            id String,
            created_at Nullable(DateTime64(3, 'UTC'))
        ),
        context Nullable(String),
        reach Nullable(UInt64),
        submitted_at Nullable(DateTime64(3, 'UTC'))
    ) CODEC(ZSTD(3)),
    text_hash Nullable(String),
    scores Array(Tuple(
        category LowCardinality(String),
        probability Float64,
        disagreement Nullable(Float64)
    )),
    model_version LowCardinality(String),
    fast_model_version LowCardinality(Nullable(String)),
    tier LowCardinality(String),
    counters Nullable(String),
    accepted_at Nullable(DateTime64(3, 'UTC')),
    standing Tuple(
        decision_seq UInt16,
        last_seq UInt16,
        action LowCardinality(String),
        basis LowCardinality(String)
    ),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- Of each item the final decision that stands: the highest in (revision, decision_seq). Withdrawals are in `items`.
CREATE OR REPLACE VIEW sluicegate.standing AS
SELECT
    d.source AS source, d.item_id AS item_id,
    max(d.revision) AS revision,
    argMax(d.decision_seq, (d.revision, d.decision_seq)) AS decision_seq,
    argMax(d.action, (d.revision, d.decision_seq)) AS action,
    argMax(d.categories, (d.revision, d.decision_seq)) AS categories,
    argMax(d.basis, (d.revision, d.decision_seq)) AS basis,
    argMax(tuple(d.rule), (d.revision, d.decision_seq)).1 AS rule,
    argMax(tuple(d.model_version), (d.revision, d.decision_seq)).1 AS model_version,
    argMax(tuple(d.policy_version), (d.revision, d.decision_seq)).1 AS policy_version,
    argMax(tuple(d.run_id), (d.revision, d.decision_seq)).1 AS run_id,
    argMax(d._timestamp, (d.revision, d.decision_seq)) AS decided_at,
    argMax(tuple(d.accepted_at), (d.revision, d.decision_seq)).1 AS accepted_at
FROM sluicegate.content_decided AS d WHERE d.final GROUP BY d.source, d.item_id;
