"""What ClickHouse has of every topic, asked over analytics' HTTP as an analyst would, against what Kafka has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


from loadtests.scan import scan
from services.events.topics import load_topics
from services.events.types import EVENTS

TABLES = [*sorted(name.partition(".")[0] for name in EVENTS), "dead_letter", "bad_rows", "tombstones"]
COUNT = (
    "SELECT _topic, count() AS rows, uniqExact(_partition, _offset) AS records FROM ("
    + " UNION ALL ".join(f"SELECT _topic, _partition, _offset FROM sluicegate.{table}" for table in TABLES)
    + ") GROUP BY _topic ORDER BY _topic"
)


@dataclass(frozen=True)
class Difference:
    """A topic of which ClickHouse has another number of rows, or of different records, than Kafka has."""

    topic: str
    kafka: int
    rows: int
    records: int


def rows_in_clickhouse(analytics_url: str, key: str) -> dict[str, tuple[int, int]]:
    """Rows, and different records among them, by topic. Raises httpx.HTTPError."""
    raise NotImplementedError


def records_in_kafka(bootstrap: str) -> Counter[str]:
    """Committed records by topic, of every topic in topics.yaml."""
    bases = load_topics().topics.keys()
    return Counter(seen.topic for seen in scan(bootstrap, bases))


def differences(bootstrap: str, analytics_url: str, key: str) -> list[Difference]:
    """Where the two differ now; empty where they agree on every topic."""
    stored, kept = rows_in_clickhouse(analytics_url, key), records_in_kafka(bootstrap)
    return [
        Difference(topic, kept[topic], *stored.get(topic, (0, 0)))
        for topic in sorted(kept.keys() | stored.keys())
        if stored.get(topic, (0, 0)) != (kept[topic], kept[topic])
    ]
