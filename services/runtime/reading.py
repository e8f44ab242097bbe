"""Reading whole topics from the start to their end: broadcast topics, and the changelog of a shard."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, KafkaError, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from services.runtime.errors import Fenced, Stalled
from services.runtime.kafka import admin as new_admin
from services.runtime.kafka import lone_consumer
from services.runtime.positions import Partition, Progress, partitions_of, uncommitted_ends
from services.runtime.records import Headers, Record
from services.runtime.settings import Settings
from services.runtime.stalls import StallWatch

log = structlog.get_logger()
RENEWALS = 3  # in a row: what these clients do not get, none does
LASTED = 300  # seconds after which a client that took over has worked, whatever there was to get
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
    """Committed records of partitions of some topics, outside any group.

    Where its clients stall (services.runtime.stalls) others go on from where they were.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        partitions: Iterable[Partition],
        admin: AdminClient,
        starts: Mapping[Partition, int] | None = None,
    ) -> None:
        """Reads all that there is of each partition; with `starts`, from that offset on."""
        self._settings, self._name = settings, name
        self._starts = {partition: OFFSET_BEGINNING for partition in partitions} | dict(starts or {})
        self._renewed, self._renewed_at = 0, 0.0  # how often in a row, and when last (monotonic, s)
        self._open(admin)

    def poll(self, timeout: float = 0) -> Iterator[Record]:
        """What has come since the last call, waiting `timeout` seconds for the first record. Raises Stalled where other
        clients do not help either.
        """
        if not self._starts:
            return
        try:
            self._watch.check(self._starts)
        except Stalled as stalled:
            self._renew(stalled)
        for message in self._consumer.consume(10_000, timeout):
            if self._progress.note(message):
                continue
            if (error := message.error()) is not None:
                report(error, str(message.topic()))
                continue
            topic = str(message.topic())
            yield to_record(message, topic, topic)

    def to_end(self, stopping: Callable[[], bool] = lambda: False) -> Iterator[Record]:
        """Records up to where the topics end now, what open transactions hold back included once they commit. Raises
        Stalled, and KafkaException where no broker answers.
        """
        return self.up_to(self._ends(stopping), stopping)

    def up_to(
        self, ends: Mapping[Partition, int], stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[Record]:
        """Records until all below `ends` have come; a few that lie beyond may come too. Raises Stalled."""
        while not self._progress.reached(ends) and not stopping():
            yield from self.poll(0.05)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _ends(self, stopping: Callable[[], bool]) -> dict[Partition, int]:
        while not stopping():
            try:
                return uncommitted_ends(self._admin, self._starts, leaders=LEADER_SECONDS)
            except Stalled as stalled:
                self._renew(stalled)
        return {}

    def _open(self, admin: AdminClient) -> None:
        self._admin, self._consumer = admin, lone_consumer(self._settings, self._name)
        self._progress = Progress(self._consumer)
        self._watch = StallWatch(self._progress, admin)
        self._consumer.assign([TopicPartition(t, p, start) for (t, p), start in self._starts.items()])

    def _renew(self, stalled: Stalled) -> None:
        """Go on with other clients. Raises `stalled` where a few in a row had nothing of the partition that it names,
        whatever came of others.
        """
        moved = False
        for tp in self._consumer.position([TopicPartition(t, p) for t, p in self._starts]):
            partition = tp.topic, tp.partition
            # Below 0 this client had nothing of it.
            if tp.offset >= 0 and tp.offset != self._starts[partition]:
                self._starts[partition] = tp.offset
                moved |= partition == stalled.partition
        if moved or time.monotonic() > self._renewed_at + LASTED:
            self._renewed = 0
        if self._renewed == RENEWALS:
            raise stalled
        self._renewed, self._renewed_at = self._renewed + 1, time.monotonic()
        log.error("a client of Kafka stalled, another goes on", reader=self._name, reason=str(stalled))
        self._consumer.close()
        self._open(new_admin(self._settings))


def whole_topics(
    settings: Settings, name: str, topics: Iterable[str], admin: AdminClient | None = None
) -> WholeTopics:
    """A reader of all of these topics. Raises MissingTopic, and KafkaException where no broker answers."""
    client = new_admin(settings) if admin is None else admin  # an idle client is false
    return WholeTopics(settings, name, partitions_of(client, topics), client)


def broadcast_topics(
    settings: Settings, service: str, topics: Iterable[str], admin: AdminClient
) -> WholeTopics:
    """A reader of broadcast topics for one worker. Raises the same."""
    return whole_topics(settings, f"{service}-{settings.slot}-broadcast", topics, admin)


def report(error: KafkaError, topic: str = "") -> None:
    """Log an error of a client. Raises Fenced where another process has the slot: the client cannot go on."""
    if error.fatal() or error.code() == KafkaError._FATAL:
        raise Fenced(error.str())
    log.warning("kafka", error=error.name(), detail=error.str(), topic=topic)
