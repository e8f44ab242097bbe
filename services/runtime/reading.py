"""Reading whole topics from the start to their end: broadcast topics, and the changelog of a shard."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from services.runtime.errors import Fenced
from services.runtime.kafka import lone_consumer
from services.runtime.positions import Partition, Progress, partitions_of, uncommitted_ends
from services.runtime.records import Headers, Record
from services.runtime.settings import Settings
from services.runtime.stalls import StallWatch

log = structlog.get_logger()
LEADER_SECONDS = 60  # that new topics may take to have leaders while a whole stack starts on a busy machine


def to_record(message: Message, topic: str, base: str, headers: bool = True) -> Record:
    """A confluent-kafka message of a topic as a Record. A record without a key has the key b"".

    Headers are left out where the name of one is not UTF-8, which the client cannot read; and where nobody wants them,
    which saves a third of what this costs.
    """
    key, value = message.key(), message.value()
    return Record(
        topic,
        base,
        message.partition(),  # type: ignore[arg-type]  # the client's types have None here, for messages that are errors
        message.offset(),  # type: ignore[arg-type]
        key if type(key) is bytes else to_bytes(key),
        value.encode() if isinstance(value, str) else value,
        message.timestamp()[1],
        _headers(message) if headers else (),
    )


def _headers(message: Message) -> Headers:
    try:
        found: Any = message.headers()
    except UnicodeDecodeError:
        return ()
    return tuple([(name, to_bytes(raw)) for name, raw in found]) if found else ()


def to_bytes(raw: str | bytes | None) -> bytes:
    """A header's value as bytes."""
    return raw if type(raw) is bytes else raw.encode() if isinstance(raw, str) else b""


class WholeTopics:
    """Committed records of all partitions of some topics, from the first one on, outside any group."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        partitions: Iterable[Partition],
        watched_by: AdminClient | None = None,
    ) -> None:
        """With `watched_by`, for readers that follow, a client that stalls is noticed: `poll` then raises Stalled."""
        self._partitions = list(partitions)
        self._consumer = lone_consumer(settings, name)
        self._progress = Progress(self._consumer)
        self._watch = StallWatch(self._progress, watched_by) if watched_by is not None else None
        self._consumer.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t, p in self._partitions])

    def poll(self, timeout: float = 0) -> Iterator[Record]:
        """What has come since the last call, waiting `timeout` seconds for the first record."""
        if not self._partitions:
            return
        if self._watch is not None:
            self._watch.check(self._partitions)
        for message in self._consumer.consume(10_000, timeout):
            if self._progress.note(message):
                continue
            if (error := message.error()) is not None:
                report(error, str(message.topic()))
                continue
            topic = str(message.topic())
            yield to_record(message, topic, topic)

    def to_end(self, admin: AdminClient, stopping: Callable[[], bool] = lambda: False) -> Iterator[Record]:
        """Records up to where the topics end now, what open transactions hold back included once they commit."""
        ends = uncommitted_ends(admin, self._partitions, leaders=LEADER_SECONDS)
        while not self._progress.reached(ends) and not stopping():
            yield from self.poll(0.05)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def broadcast_topics(
    settings: Settings, service: str, admin: AdminClient, topics: Iterable[str]
) -> WholeTopics:
    """A reader of broadcast topics for one worker. Raises MissingTopic."""
    return WholeTopics(settings, f"{service}-{settings.slot}-broadcast", partitions_of(admin, topics), admin)


def report(error: KafkaError, topic: str = "") -> None:
    """Log an error of a client. Raises Fenced where another process has the slot: the client cannot go on."""
    if error.fatal() or error.code() == KafkaError._FATAL:
        raise Fenced(error.str())
    log.warning("kafka", error=error.name(), detail=error.str(), topic=topic)
