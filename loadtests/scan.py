"""A read-committed scan of topics, with a consumer of its own: what a careful outsider sees, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition


class ScanTimeout(Exception):
    """A topic was not read to its end in time: an open transaction may hold it back, or Kafka is away."""


@dataclass(frozen=True)
class Seen:
    """A committed record; `timestamp` in ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)


def scan(bootstrap: str, bases: Collection[str], timeout: float = 60) -> Iterator[Seen]:
    """Every committed record of the topics named so, or so with a suffix (`content.submitted` finds `….demo` too),
    up to where they end now, what open transactions hold back included once they commit. Raises ScanTimeout.
    """
    config = {"bootstrap.servers": bootstrap, "enable.auto.commit": False, "group.id": "independent-count"}
    committed = Consumer(config | {"isolation.level": "read_committed", "enable.partition.eof": True})
    everything = Consumer(config | {"isolation.level": "read_uncommitted"})
    try:
        ends = _ends(everything, _partitions(everything, bases, timeout), timeout)
        if ends:
            committed.assign([TopicPartition(*partition, OFFSET_BEGINNING) for partition in ends])
            yield from _to_ends(committed, ends, time.monotonic() + timeout)
    finally:
        committed.close()
        everything.close()


def base_of(topic: str) -> str:
    """`content.submitted` of `content.submitted.demo`, and of itself."""
    return ".".join(topic.split(".", 2)[:2])


Partition = tuple[str, int]


def _partitions(consumer: Consumer, bases: Collection[str], timeout: float) -> list[Partition]:
    topics = consumer.list_topics(timeout=timeout).topics
    return [
        (name, number)
        for name, topic in sorted(topics.items())
        if name in bases or base_of(name) in bases
        for number in topic.partitions
    ]


def _ends(consumer: Consumer, partitions: list[Partition], timeout: float) -> dict[Partition, int]:
    ends: dict[Partition, int] = {}
    for partition in partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(*partition), timeout=timeout)
        if high > low:
            ends[partition] = high
    return ends


def _to_ends(consumer: Consumer, ends: dict[Partition, int], deadline: float) -> Iterator[Seen]:
    waiting = set(ends)
    while waiting:
        for message in consumer.consume(10_000, 0.1):
            error = message.error()
            if error is not None:
                partition = (str(message.topic()), int(message.partition() or 0))
                if error.code() != KafkaError._PARTITION_EOF:
                    if error.fatal() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                        raise KafkaException(error)
                elif int(message.offset() or 0) >= ends[partition]:  # a marker may be last: no message tells
                    waiting.discard(partition)
                continue  # the client goes on by itself; the deadline ends it where it does not
            key, value = message.key(), message.value()
            yield Seen(
                str(message.topic()),
                int(message.partition() or 0),
                int(message.offset() or 0),
                message.timestamp()[1],
                key.encode() if isinstance(key, str) else key,
                value.encode() if isinstance(value, str) else value,
                {str(name): _text(raw) for name, raw in list(message.headers() or ())},
            )
        if waiting and time.monotonic() > deadline:
            raise ScanTimeout(f"not read to the end: {sorted(waiting)}; is a transaction open, is Kafka up?")


def _text(raw: bytes | str | None) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw or ""
