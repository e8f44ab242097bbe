-- What the sink keeps of itself, and the tables of what is no event: tombstones, dead letters, bad rows.

-- Written with state 'open' before a block is inserted, and with 'closed' after it. A block is all that one insert
-- brings into one table: one row here for each partition that it takes records from, the first and last offset included.
CREATE TABLE IF NOT EXISTS sluicegate.blocks (
    token String,
    destination LowCardinality(String),
    topic LowCardinality(String),
    partition UInt32,
    first UInt64,
    last UInt64,
    records UInt64,
    state Enum8('open' = 1, 'closed' = 2),
    at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = MergeTree ORDER BY (topic, partition, first)
TTL toDateTime(at) + INTERVAL 30 DAY;

-- The next offset of each partition; it outlives the rows of `blocks`.
CREATE TABLE IF NOT EXISTS sluicegate.positions (
    topic LowCardinality(String),
    partition UInt32,
    next SimpleAggregateFunction(max, UInt64)
) ENGINE = AggregatingMergeTree ORDER BY (topic, partition);

CREATE MATERIALIZED VIEW IF NOT EXISTS sluicegate.positions_from_blocks TO sluicegate.positions AS
SELECT topic, partition, max(last) + 1 AS next FROM sluicegate.blocks GROUP BY topic, partition;

-- A record without a value: the key is deleted from a compacted topic.
CREATE TABLE IF NOT EXISTS sluicegate.tombstones (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC'),
    key_base64 String EPHEMERAL '',
    key String DEFAULT base64Decode(key_base64)
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- What is no event of its topic, byte for byte, and why.
CREATE TABLE IF NOT EXISTS sluicegate.bad_rows (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC'),
    error LowCardinality(String),
    reason String,
    key_base64 String EPHEMERAL '',
    key String DEFAULT base64Decode(key_base64),
    value_base64 String EPHEMERAL '',
    value String DEFAULT base64Decode(value_base64) CODEC(ZSTD(3))
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- dead.letter: what services could not handle, byte for byte, and the headers that say where and why.
-- `replayed` names the letter, as partition:offset, that a record of `sluicegate dead-letters replay` marks.
CREATE TABLE IF NOT EXISTS sluicegate.dead_letter (
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _timestamp DateTime64(3, 'UTC'),
    service LowCardinality(String),
    error LowCardinality(String),
    reason String,
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    timestamp Nullable(DateTime64(3, 'UTC')),
    failed_at Nullable(DateTime64(3, 'UTC')),
    was_null Bool,
    replayed Nullable(String),
    headers Map(String, String),
    key_base64 String EPHEMERAL '',
    key String DEFAULT base64Decode(key_base64),
    value_base64 String EPHEMERAL '',
    value String DEFAULT base64Decode(value_base64) CODEC(ZSTD(3))
) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)
SETTINGS non_replicated_deduplication_window = 10000;
