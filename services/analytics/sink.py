"""The sink: every committed record of every topic into ClickHouse, once."""

import time
from collections.abc import Callable, Iterable

import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from services.analytics import CONSUMES
from services.analytics.inserting import Inserting
from services.analytics.ledger import Ledger, OpenBlock
from services.analytics.metrics import AnalyticsMetrics
from services.analytics.rows import Block, Classifier, blocks_of
from services.analytics.settings import AnalyticsSettings
from services.events.topics import base_of
from services.runtime.deadletter import TOPIC as DEAD_LETTER
from services.runtime.errors import Stalled
from services.runtime.health import Health
from services.runtime.kafka import CONSUMER
from services.runtime.positions import Partition, Progress
from services.runtime.reading import report, to_record
from services.runtime.records import Record
from services.runtime.stalls import StallWatch

log = structlog.get_logger()

RETRY_SECONDS = 1.0  # between two tries of what ClickHouse or Kafka failed
BATCH_BYTES = 96 * 1024 * 1024


class Sink:
    """Runs in a thread of its own, until `stopping` says so. What it was killed in is finished at the next start."""

    def __init__(
        self,
        settings: AnalyticsSettings,
        client: Callable[[], AdminClient],
        ledger: Ledger,
        inserting: Inserting,
        classifier: Classifier,
        metrics: AnalyticsMetrics,
        health: Health,
        stopping: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._client = client
        self._admin = client()
        self._ledger = ledger
        self._inserting = inserting
        self._classifier = classifier
        self._metrics = metrics
        self._health = health
        self._stopping = stopping
        self._consumer = self._new_consumer()
        self._progress = Progress(self._consumer)
        self._watch = StallWatch(self._progress, self._admin)
        self._next: dict[Partition, int] = {}
        self._assigned: set[Partition] = set()
        self._bases: dict[str, str] = {}  # of topics seen
        self._looked_at = float("-inf")

    def run(self) -> None:
        """Finish what was left open, then follow all topics."""
        self._persist(self._recover)
        self._persist(self._read_positions)
        while not self._stopping():
            self._persist(self._discover)
            records = self._gather()
            if records:
                self._store(records)
        self._consumer.close()

    def _store(self, records: Iterable[Record]) -> None:
        """Ledger, insert, ledger. A failure is tried again with the same blocks, so nothing comes twice."""
        blocks = blocks_of(records, self._classifier)
        started = time.monotonic()
        self._persist(lambda: self._ledger.open(blocks))
        for block in blocks:
            self._persist(lambda block=block: self._insert(block))  # type: ignore[misc]
        self._persist(lambda: self._ledger.close(blocks))
        if self._stopping():
            return
        self._metrics.store_seconds.observe(time.monotonic() - started)
        self._metrics.batch_records.observe(sum(len(block.records) for block in blocks))
        for block in blocks:
            self._metrics.records.labels(block.destination).inc(len(block.records))
            for each in block.ranges:
                at = each.topic, each.partition
                self._next[at] = max(self._next.get(at, 0), each.last + 1)

    def _insert(self, block: Block) -> None:
        if refused := self._inserting.insert(block):
            self._metrics.bad_rows.inc(refused)
            log.warning("refused", table=block.destination, records=refused)

    def _recover(self) -> None:
        """Insert every open block again: the same records, under the same token; then make sure that all are there.

        ClickHouse writes a token down just before the part: killed in between, it would take the repeat for one.
        """
        for found in self._ledger.open_blocks():
            block = self._read_again(found)
            if block.records:
                self._insert(block)
                there = self._inserting.present(block)
                missing = [r for r in block.records if (r.topic, r.partition, r.offset) not in there]
                if missing:
                    self._inserting.insert(Block(block.destination, tuple(missing)), suffix=":again")
            self._ledger.close_open(found)
            self._metrics.repaired.inc(len(block.records))
            log.info("recovered", table=found.destination, records=len(block.records))

    def _read_again(self, found: OpenBlock) -> Block:
        """The records of an open block that Kafka still keeps."""
        consumer = self._new_consumer()
        try:
            progress = Progress(consumer)
            wanted = {(each.topic, each.partition): each for each in found.ranges}
            consumer.assign([TopicPartition(each.topic, each.partition, each.first) for each in found.ranges])
            ends = {at: each.last + 1 for at, each in wanted.items()}
            records: list[Record] = []
            while not self._stopping():
                for message in consumer.consume(10_000, 0.1):
                    if progress.note(message):
                        continue
                    if (error := message.error()) is not None:
                        report(error)
                        continue
                    record = self._record(message)
                    if record.offset <= wanted[record.topic, record.partition].last:
                        records.append(record)
                if progress.reached(ends):
                    break
        finally:
            consumer.close()
        records.sort(key=lambda each: (each.topic, each.partition, each.offset))
        own = [each for each in records if self._classifier.destination(each) == found.destination]
        return Block(found.destination, tuple(own), found.token)

    def _read_positions(self) -> None:
        self._next = self._ledger.positions()

    def _discover(self) -> None:
        """Take in the topics of new sources, and say how far behind the sink is."""
        now = time.monotonic()
        if now - self._looked_at < self._settings.metadata_refresh_ms / 1000:
            return
        self._renew_where_stalled()
        known = self._admin.list_topics(timeout=10).topics
        found = {
            (name, number)
            for name, topic in known.items()
            if base_of(name) in CONSUMES and topic.error is None
            for number in topic.partitions
        }
        if found != self._assigned:
            self._consumer.assign(
                [TopicPartition(t, p, self._next.get((t, p), OFFSET_BEGINNING)) for t, p in sorted(found)]
            )
            self._progress.forget(found)
            log.info("assigned", partitions=len(found), topics=len({topic for topic, _ in found}))
            self._assigned = found
        self._looked_at = now
        self._health.ready()
        self._measure_lag()

    def _renew_where_stalled(self) -> None:
        """Other clients for those that get nothing though there is something; they go on where these were."""
        try:
            self._watch.check(self._assigned)
        except Stalled as stalled:
            log.warning("other clients", reason=str(stalled))
            self._consumer.close()
            self._consumer = self._new_consumer()
            self._progress = Progress(self._consumer)
            self._admin = self._client()
            self._watch = StallWatch(self._progress, self._admin)
            self._assigned = set()

    def _measure_lag(self) -> None:
        lag: dict[str, int] = {}
        for topic, number in self._assigned:
            _, high = self._consumer.get_watermark_offsets(TopicPartition(topic, number), cached=True)
            behind = 0
            if high > 0 and not self._progress.reached({(topic, number): high}):
                behind = max(0, high - self._next.get((topic, number), 0))
            lag[base_of(topic)] = lag.get(base_of(topic), 0) + behind
        for topic, behind in lag.items():
            self._metrics.lag.labels(topic).set(behind)

    def _gather(self) -> list[Record]:
        """Records of at most `sink_wait_ms`, so that small batches become one; where many come, of longer."""
        records: list[Record] = []
        size = 0
        settings, started = self._settings, time.monotonic()
        until, longest = started + settings.sink_wait_ms / 1000, started + settings.sink_busy_wait_ms / 1000
        while not self._stopping():
            left = until - time.monotonic()
            if left <= 0:
                if until >= longest or len(records) < settings.sink_busy_records:
                    break
                until = longest
                continue
            wanted = settings.sink_records - len(records)
            if wanted <= 0 or size > BATCH_BYTES:
                break
            for message in self._consumer.consume(min(wanted, 1000), min(left, 0.1)):
                if (error := message.error()) is None:
                    record = self._record(message)
                    records.append(record)
                    size += len(record.value or b"")
                elif not self._progress.note(message):
                    report(error)
        return records

    def _record(self, message: Message) -> Record:
        """The record; its headers only where they are of use, which is in dead.letter."""
        topic: str = message.topic()  # type: ignore[assignment]  # never None without an error
        base = self._bases.get(topic) or self._bases.setdefault(topic, base_of(topic))
        return to_record(message, topic, base, base == DEAD_LETTER)

    def _persist(self, step: Callable[[], None]) -> None:
        """Do a step until it is done, or the process ends: what is open in the ledger is finished at the next start."""
        while not self._stopping():
            try:
                return step()
            except (ClickHouseError, KafkaException) as error:
                self._metrics.failures.inc()
                self._health.not_ready(f"tries again: {str(error)[:500]}")
                log.warning("failed", error=str(error)[:2000])
                time.sleep(RETRY_SECONDS)
        return None

    def _new_consumer(self) -> Consumer:
        """Outside any group: the ledger keeps the offsets."""
        return Consumer(
            CONSUMER
            | {
                "bootstrap.servers": self._settings.kafka,
                "group.id": "analytics-alone",
                "queued.max.messages.kbytes": 49_152,
                # Every answer costs the broker as much as it costs us: with less in it, wait for more.
                "fetch.min.bytes": 262_144,
                "fetch.wait.max.ms": 150,
            }
        )
