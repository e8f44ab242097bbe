-- One table for each event type: a column for every property of its schema, and where in Kafka the row is from.
-- item_id first in the order: an item is looked up in a few granules.

CREATE TABLE IF NOT EXISTS sluicegate.content_submitted (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id Nullable(String),
    occurred_at Nullable(DateTime64(3, 'UTC')),
    source LowCardinality(String),
    item_id String,
    revision UInt64,
    withdrawn Bool,
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
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.content_reported (
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
    reporter String,
    category LowCardinality(Nullable(String)),
    note Nullable(String) CODEC(ZSTD(3)),
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
    decision_seq Nullable(UInt16),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.decision_appealed (
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
    decision_seq UInt16,
    action LowCardinality(String),
    appellant String,
    statement Nullable(String),
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
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.content_classified (
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
    withdrawn Bool,
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
    model_version LowCardinality(Nullable(String)),
    tier LowCardinality(String),
    accepted_at Nullable(DateTime64(3, 'UTC')),
    run_id Nullable(String),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.content_uncertain (
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
    withdrawn Bool,
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
    model_version LowCardinality(Nullable(String)),
    accepted_at Nullable(DateTime64(3, 'UTC')),
    run_id Nullable(String),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.review_requested (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    task_id String,
    source LowCardinality(String),
    item_id String,
    revision UInt64,
    decision_seq UInt16,
    purpose LowCardinality(String),
    queue LowCardinality(String),
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
    explanation Array(Tuple(
        start UInt64,
        end UInt64,
        category LowCardinality(Nullable(String)),
        weight Nullable(Float64)
    )),
    selection Tuple(
        reason LowCardinality(String),
        probability Float64
    ),
    severity Float64,
    deadline DateTime64(3, 'UTC'),
    expires_at DateTime64(3, 'UTC'),
    votes_wanted UInt32,
    lease_seconds UInt32,
    replaces Nullable(String),
    model_version LowCardinality(Nullable(String)),
    policy_version LowCardinality(Nullable(String)),
    accepted_at Nullable(DateTime64(3, 'UTC')),
    run_id Nullable(String),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.review_closed (
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
    task_id Nullable(String),
    reason LowCardinality(String),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.review_completed (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    task_id String,
    source LowCardinality(String),
    item_id String,
    revision UInt64,
    decision_seq UInt16,
    queue LowCardinality(String),
    verdict_id String,
    retraction Bool,
    reviewer LowCardinality(String),
    seat UInt8,
    action LowCardinality(Nullable(String)),
    categories Array(LowCardinality(String)),
    spans Array(Tuple(
        start UInt64,
        end UInt64,
        category LowCardinality(Nullable(String)),
        weight Nullable(Float64)
    )),
    seconds_spent Nullable(Float64),
    confidence Nullable(Float64),
    note Nullable(String) CODEC(ZSTD(3)),
    final_at DateTime64(3, 'UTC'),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.review_changed (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    change LowCardinality(String),
    queue LowCardinality(Nullable(String)),
    task_id Nullable(String),
    reviewer LowCardinality(Nullable(String)),
    epoch Nullable(UInt64),
    until Nullable(DateTime64(3, 'UTC')),
    amount Nullable(Float64),
    changed_by LowCardinality(String),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.review_settled (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    task_id String,
    source LowCardinality(String),
    item_id String,
    revision UInt64,
    decision_seq UInt16,
    purpose LowCardinality(String),
    queue LowCardinality(String),
    agreed Bool,
    reason LowCardinality(String),
    action LowCardinality(Nullable(String)),
    categories Array(LowCardinality(String)),
    agreement Float64,
    votes Array(Tuple(
        verdict_id String,
        reviewer LowCardinality(String),
        seat UInt8,
        action LowCardinality(String),
        categories Array(LowCardinality(String))
    )),
    selection Tuple(
        reason LowCardinality(String),
        probability Float64
    ),
    scores Array(Tuple(
        category LowCardinality(String),
        probability Float64,
        disagreement Nullable(Float64)
    )),
    text_hash Nullable(String),
    requested_at DateTime64(3, 'UTC'),
    model_version LowCardinality(Nullable(String)),
    policy_version LowCardinality(Nullable(String)),
    accepted_at Nullable(DateTime64(3, 'UTC')),
    run_id Nullable(String),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.content_decided (
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
    decision_seq UInt16,
    final Bool,
    action LowCardinality(String),
    categories Array(LowCardinality(String)),
    basis LowCardinality(String),
    rule Nullable(String),
    supersedes Nullable(UInt16),
    task_id Nullable(String),
    text_hash Nullable(String),
    scores Array(Tuple(
        category LowCardinality(String),
        probability Float64,
        disagreement Nullable(Float64)
    )),
    circumstances Tuple(
        automation Bool,
        alarms Array(LowCardinality(String)),
        capped Bool,
        draw Nullable(Float64),
        counters Nullable(String)
    ),
    model_version LowCardinality(Nullable(String)),
    policy_version LowCardinality(Nullable(String)),
    accepted_at Nullable(DateTime64(3, 'UTC')),
    run_id Nullable(String),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.text_decided (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    text_hash String,
    source LowCardinality(String),
    item_id String,
    revision UInt64,
    decision_seq UInt16,
    action LowCardinality(String),
    categories Array(LowCardinality(String)),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.label_recorded (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    task_id String,
    source LowCardinality(String),
    item_id String,
    revision UInt64,
    kind LowCardinality(String),
    text Nullable(String) CODEC(ZSTD(3)),
    language LowCardinality(Nullable(String)),
    text_hash Nullable(String),
    action LowCardinality(String),
    labels Array(Tuple(
        category LowCardinality(String),
        value Bool
    )),
    purpose LowCardinality(String),
    queue LowCardinality(String),
    reviewers Array(LowCardinality(String)),
    selection Tuple(
        reason LowCardinality(String),
        probability Float64
    ),
    agreement Float64,
    model_version LowCardinality(Nullable(String)),
    policy_version LowCardinality(Nullable(String)),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.model_released (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    model_version LowCardinality(String),
    name String,
    tier LowCardinality(String),
    bundle String,
    content_hash String,
    categories Array(LowCardinality(String)),
    replaces LowCardinality(Nullable(String)),
    released_by LowCardinality(String),
    reason String,
    lineage Nullable(String),
    metrics Nullable(String),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.policy_released (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    policy_version LowCardinality(String),
    content_hash String,
    document String CODEC(ZSTD(3)),
    replaces LowCardinality(Nullable(String)),
    released_by LowCardinality(String),
    reason String,
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.scores_summarized (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    service String,
    worker String,
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    model_version LowCardinality(Nullable(String)),
    items UInt64,
    histograms Array(Tuple(
        category LowCardinality(String),
        counts Array(UInt64)
    )),
    outcomes Array(Tuple(
        outcome LowCardinality(String),
        basis Nullable(String),
        count UInt64
    )),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.quality_measured (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    measure LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    category LowCardinality(Nullable(String)),
    model_version LowCardinality(Nullable(String)),
    queue LowCardinality(Nullable(String)),
    value Float64,
    count UInt64,
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.alarm_raised (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    alarm LowCardinality(String),
    active Bool,
    category LowCardinality(Nullable(String)),
    model_version LowCardinality(Nullable(String)),
    value Float64,
    limit Float64,
    count UInt64,
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    reason String,
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.audit_recorded (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    actor String,
    actor_kind LowCardinality(String),
    action String,
    subject String,
    source LowCardinality(Nullable(String)),
    detail Nullable(String) CODEC(ZSTD(3)),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;
