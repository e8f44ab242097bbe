-- A candidate policy beside the live one: which was tried, what it would have decided otherwise, and how many items
-- both were asked about.

CREATE TABLE IF NOT EXISTS sluicegate.policy_shadowed (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    active Bool,
    policy_version LowCardinality(Nullable(String)),
    content_hash Nullable(String),
    document Nullable(String) CODEC(ZSTD(3)),
    beside LowCardinality(Nullable(String)),
    share Float64 DEFAULT 1,
    until Nullable(DateTime64(3, 'UTC')),
    shadowed_by LowCardinality(String),
    reason String,
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.shadow_differed (
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
    shadow_id String,
    policy_version LowCardinality(Nullable(String)),
    shadow_version LowCardinality(String),
    live Tuple(
        outcome LowCardinality(String),
        queue LowCardinality(Nullable(String)),
        categories Array(LowCardinality(String)),
        because Nullable(String),
        audited Bool
    ),
    shadow Tuple(
        outcome LowCardinality(String),
        queue LowCardinality(Nullable(String)),
        categories Array(LowCardinality(String)),
        because Nullable(String),
        audited Bool
    ),
    differs Array(LowCardinality(String)),
    scores Array(Tuple(
        category LowCardinality(String),
        probability Float64,
        disagreement Nullable(Float64)
    )),
    model_version LowCardinality(Nullable(String)),
    accepted_at Nullable(DateTime64(3, 'UTC')),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (shadow_id, source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS sluicegate.shadow_counted (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    schema LowCardinality(String),
    event_id String,
    occurred_at DateTime64(3, 'UTC'),
    worker LowCardinality(String),
    shadow_id String,
    policy_version LowCardinality(Nullable(String)),
    shadow_version LowCardinality(String),
    items UInt64,
    differed UInt64,
    failed UInt64,
    skipped UInt64,
    live_audited UInt64,
    shadow_audited UInt64,
    pairs Array(Tuple(
        live LowCardinality(String),
        live_queue LowCardinality(Nullable(String)),
        shadow LowCardinality(String),
        shadow_queue LowCardinality(Nullable(String)),
        count UInt64
    )),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (shadow_id, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- What analysts ask: one row a trial, an item that came out otherwise, and a pair of outcomes.

CREATE OR REPLACE VIEW sluicegate.shadow_trials AS
SELECT
    p.began_at AS began_at, p.shadow_id AS shadow_id, p.shadow_version AS shadow_version, p.beside AS beside,
    p.share AS share, p.until AS until, p.shadowed_by AS shadowed_by, p.reason AS reason,
    c.items AS items, c.differed AS differed, c.failed AS failed, c.skipped AS skipped,
    c.live_audited AS live_audited, c.shadow_audited AS shadow_audited
FROM (
    SELECT event_id AS shadow_id, min(_timestamp) AS began_at, any(policy_version) AS shadow_version,
        any(t.beside) AS beside, any(t.share) AS share, any(t.until) AS until, any(t.shadowed_by) AS shadowed_by,
        any(t.reason) AS reason
    FROM sluicegate.policy_shadowed AS t WHERE active GROUP BY event_id
) AS p
LEFT JOIN (
    SELECT n.shadow_id AS shadow_id, sum(n.items) AS items, sum(n.differed) AS differed, sum(n.failed) AS failed,
        sum(n.skipped) AS skipped, sum(n.live_audited) AS live_audited, sum(n.shadow_audited) AS shadow_audited
    FROM sluicegate.shadow_counted AS n GROUP BY n.shadow_id
) AS c ON c.shadow_id = p.shadow_id;

CREATE OR REPLACE VIEW sluicegate.shadow_differences AS
SELECT
    d._timestamp AS differed_at, d.shadow_id AS shadow_id, d.shadow_version AS shadow_version,
    d.policy_version AS policy_version, d.source AS source, d.item_id AS item_id, d.revision AS revision,
    d.live.outcome AS live, d.live.queue AS live_queue, d.live.categories AS live_categories,
    d.live.because AS live_because, d.live.audited AS live_audited,
    d.shadow.outcome AS shadow, d.shadow.queue AS shadow_queue, d.shadow.categories AS shadow_categories,
    d.shadow.because AS shadow_because, d.shadow.audited AS shadow_audited, d.differs AS differs,
    mapFromArrays(d.scores.category, d.scores.probability) AS scores, d.model_version AS model_version
FROM (SELECT * FROM sluicegate.shadow_differed ORDER BY _offset LIMIT 1 BY event_id) AS d;

CREATE OR REPLACE VIEW sluicegate.shadow_pairs AS
SELECT
    c.shadow_id AS shadow_id, c.policy_version AS policy_version,
    pair.live AS live, pair.live_queue AS live_queue, pair.shadow AS shadow, pair.shadow_queue AS shadow_queue,
    sum(pair.count) AS items
FROM sluicegate.shadow_counted AS c ARRAY JOIN c.pairs AS pair
GROUP BY shadow_id, policy_version, live, live_queue, shadow, shadow_queue;
