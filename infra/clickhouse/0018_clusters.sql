-- Which tasks are near copies of one another.

CREATE TABLE IF NOT EXISTS sluicegate.review_clustered (
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
    queue LowCardinality(String),
    cluster String,
    size UInt64,
    similarity Nullable(Float64),
    method LowCardinality(String),
    INDEX _by_time _timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree ORDER BY (source, item_id, revision, _topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE OR REPLACE VIEW sluicegate.clusters AS
SELECT
    c.cluster AS cluster,
    min(c._timestamp) AS first_at,
    max(c._timestamp) AS last_at,
    uniqExact(c.task_id) AS tasks,
    uniqExact(c.source, c.item_id) AS items,
    groupUniqArray(c.source) AS sources,
    groupUniqArray(c.queue) AS queues,
    min(c.similarity) AS least_similarity,
    argMin(c.task_id, (c._timestamp, c.size)) AS first_task
FROM sluicegate.review_clustered AS c
GROUP BY c.cluster;
