"""Where logs end and how far a consumer has come.

The end that a read-committed client reports hides what an open transaction still holds back, and transaction markers
take offsets that no record has. So ends are asked for uncommitted, and progress is the consumer's position, which
moves over markers, or the offset of an end-of-partition event, which is there even where no record ever was.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TypeAlias

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from services.runtime.errors import MissingTopic, Stalled
from services.runtime.records import Record

Partition: TypeAlias = tuple[str, int]
LEADERLESS = (  # while a broker starts or a leader moves, what the client knows of leaders is out of date
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
)
OUTDATED = LEADERLESS[2:]  # the client's own knowledge, which it may never renew
OUTDATED_SECONDS = 10
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]


def partitions_of(admin: AdminClient, topics: Iterable[str], timeout: float = 10) -> list[Partition]:
    """All partitions of the topics. Raises MissingTopic, and KafkaException where no broker answers."""
    known = admin.list_topics(timeout=timeout).topics
    found: list[Partition] = []
    for topic in topics:
        if topic not in known or known[topic].error is not None:
            raise MissingTopic(topic)
        found += [(topic, number) for number in known[topic].partitions]
    return found


def after(batch: Sequence[Record]) -> dict[Partition, int]:
    """Where each partition goes on after the records of a batch, which come from it in order."""
    found: dict[Partition, int] = {}
    for record, following in zip_longest(batch, batch[1:]):
        # Records come in runs of one partition: only the last of each says something.
        if following is None or following.partition != record.partition or following.topic != record.topic:
            found[record.topic, record.partition] = record.offset + 1
    return found


def uncommitted_ends(
    admin: AdminClient, partitions: Iterable[Partition], timeout: float = 10, leaders: float = 10
) -> dict[Partition, int]:
    """The end offset of each partition, open transactions included.

    Waits `leaders` seconds for leaders: a topic that was just created has none for a moment (on a busy machine for
    many seconds after the metadata names one), nor has one whose broker was away. Raises KafkaException where the
    broker does not answer within `timeout` seconds, and Stalled where what the client knows of leaders stays out of
    date for OUTDATED_SECONDS, or for `leaders` where that is less: a new client is needed.
    """
    return _ends(admin, partitions, timeout, IsolationLevel.READ_UNCOMMITTED, leaders)


def stable_ends(
    admin: AdminClient, partitions: Iterable[Partition], timeout: float = 10
) -> dict[Partition, int]:
    """The same for a reader of committed records: up to where the first open transaction holds it back. Raises the
    same.
    """
    return _ends(admin, partitions, timeout, IsolationLevel.READ_COMMITTED, timeout)


def _ends(
    admin: AdminClient,
    partitions: Iterable[Partition],
    timeout: float,
    isolation: IsolationLevel,
    leaders: float,
) -> dict[Partition, int]:
    asked = {TopicPartition(topic, number): LATEST for topic, number in partitions}
    if not asked:
        return {}
    began = time.monotonic()
    while True:
        futures = admin.list_offsets(asked, isolation_level=isolation, request_timeout=timeout)
        try:
            return {(tp.topic, tp.partition): future.result().offset for tp, future in futures.items()}
        except KafkaException as error:
            code = error.args[0].code()
            if code not in LEADERLESS:
                raise
            waited = time.monotonic() - began
            if code in OUTDATED and waited > min(leaders, OUTDATED_SECONDS):
                raise Stalled(f"leaders stay out of date: {error.args[0].str()}") from error
            if waited > leaders:
                raise
            time.sleep(0.05)


class Progress:
    """How far one consumer has come in each of its partitions. It must have `enable.partition.eof` set."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._ends_seen: dict[Partition, int] = {}

    def note(self, message: Message) -> bool:
        """Take in an end-of-partition event; whether `message` was one."""
        error = message.error()
        if error is None or error.code() != KafkaError._PARTITION_EOF:
            return False
        self._ends_seen[str(message.topic()), int(message.partition() or 0)] = int(message.offset() or 0)
        return True

    def forget(self, partitions: Iterable[Partition]) -> None:
        """The consumer seeks in these, or no longer has them."""
        for partition in partitions:
            self._ends_seen.pop(partition, None)

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether everything below `ends` has been handed out by the consumer."""
        return not self.behind(ends)

    def behind(self, ends: Mapping[Partition, int]) -> dict[Partition, int]:
        """Where the consumer is in each partition that it has not read to its end in `ends`."""
        open_ends = {p: end for p, end in ends.items() if end > 0 and self._ends_seen.get(p, 0) < end}
        if not open_ends:
            return {}
        positions = self._consumer.position([TopicPartition(topic, number) for topic, number in open_ends])
        found = {(tp.topic, tp.partition): tp.offset for tp in positions}
        return {partition: offset for partition, offset in found.items() if offset < open_ends[partition]}
