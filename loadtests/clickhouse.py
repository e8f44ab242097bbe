"""What ClickHouse has of every topic, asked over analytics' HTTP as an analyst would, against what Kafka has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from loadtests.scan import scan
from services.events.topics import load_topics
from services.events.types import EVENTS

TABLES = [*sorted(name.partition(".")[0] for name in EVENTS), "dead_letter", "bad_rows", "tombstones"]
ALL = " UNION ALL ".join(f"SELECT _topic, _partition, _offset FROM sluicegate.{table}" for table in TABLES)


@dataclass(frozen=True)
class Kept:
    """Committed records in Kafka at one time: how many in each topic, and the last offset of each partition."""

    records: Counter[str]
    last: Mapping[tuple[str, int], int]


@dataclass(frozen=True)
class Difference:
    """A topic of which ClickHouse has another number of rows, or of different records, than Kafka has."""

    topic: str
    kafka: int
    rows: int
    records: int


def kept_in_kafka(bootstrap: str) -> Kept:
    """By a read-committed scan of every topic of topics.yaml. Raises ScanTimeout."""
    records: Counter[str] = Counter()
    last: dict[tuple[str, int], int] = {}
    for seen in scan(bootstrap, load_topics().topics.keys()):
        records[seen.topic] += 1
        last[seen.topic, seen.partition] = seen.offset
    return Kept(records, last)


def differences(kept: Kept, client: httpx.Client, key: str) -> list[Difference]:
    """Where ClickHouse differs now from what Kafka had then; what came later, such as the record of this very
    question, is not looked at. Raises httpx.HTTPError.
    """
    stored = _rows(kept, client, key)
    return [
        Difference(topic, number, *stored.get(topic, (0, 0)))
        for topic, number in sorted(kept.records.items())
        if stored.get(topic) != (number, number)
    ]


def _rows(kept: Kept, client: httpx.Client, key: str) -> dict[str, tuple[int, int]]:
    """Rows, and different records among them, by topic, up to the last offsets of `kept`."""
    upto = " OR ".join(
        f"(_topic = '{topic}' AND _partition = {partition} AND _offset <= {offset})"
        for (topic, partition), offset in sorted(kept.last.items())
    )
    sql = (
        f"SELECT _topic, count() AS rows, uniqExact(_partition, _offset) AS records FROM ({ALL})"
        f" WHERE {upto} GROUP BY _topic"
    )
    answer = client.post("/v1/query", json={"sql": sql}, headers={"Authorization": f"Bearer {key}"})
    answer.raise_for_status()
    return {str(topic): (int(rows), int(records)) for topic, rows, records in answer.json()["data"]}
