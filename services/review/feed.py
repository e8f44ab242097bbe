"""The feed: what Kafka says of the queues goes into Redis, each partition's offset in the same script.

Redis knows how far it came, Kafka's group does not. A queue is rebuilt from the beginning where Redis lost it, where
Kafka no longer has what comes next, or where somebody asks.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from redis import RedisError

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.topics import base_of, suffix_of
from services.review.core.changes import EVENTS, Change, change_of
from services.review.deadletters import DeadLetters
from services.review.metrics import FeedMetrics
from services.review.queue import Queues
from services.review.rebuild import Board, Rebuilder
from services.review.settings import FeedSettings
from services.runtime.acknowledged import NotAcknowledged
from services.runtime.clock import now_ms
from services.runtime.errors import RuntimeFault, Stalled
from services.runtime.health import Health
from services.runtime.positions import Partition, Progress, partitions_of
from services.runtime.reading import report, to_record
from services.runtime.records import Record
from services.runtime.stalls import StallWatch

log = structlog.get_logger()
SHARED = ("review.clustered", "review.completed", "review.settled", "review.closed", "review.changed")
REQUESTED = "review.requested"


class Feed:
    """One consumer that feeds all queues. A second one does no harm: what is older than Redis's offset is ignored."""

    def __init__(
        self,
        settings: FeedSettings,
        consumer: Consumer,
        admin: AdminClient,
        queues: Queues,
        rebuilder: Rebuilder,
        dead: DeadLetters,
        health: Health,
        metrics: FeedMetrics,
    ) -> None:
        self._settings, self._consumer, self._admin = settings, consumer, admin
        self._queues, self._rebuilder, self._dead = queues, rebuilder, dead
        self._health, self._metrics = health, metrics
        self._progress = Progress(consumer)
        self._watch = StallWatch(self._progress, admin)
        self._boards: dict[str, Board] = {}
        self._assigned: set[Partition] = set()
        self._next_tick = self._next_look = 0.0

    def run(self, stopping: Callable[[], bool]) -> None:
        """Feed until told to stop; outages of Kafka or Redis are waited out. Raises Stalled: a new process reads on."""
        while not stopping():
            try:
                self.step()
            except Stalled:
                raise
            except (RedisError, KafkaException, NotAcknowledged, RuntimeFault) as error:
                self._health.not_ready(f"{type(error).__name__}: {error}; trying again")
                log.warning("waiting", error=str(error))
                self._start_over()
                time.sleep(1)

    def step(self) -> None:
        """One round: new queues, what time brings, one batch."""
        now = time.monotonic()
        if now >= self._next_look:
            self._look_for_queues()
            self._next_look = now + self._settings.metadata_refresh_ms / 1000
        if now >= self._next_tick:
            self._tick()
            self._next_tick = now + self._settings.review_tick_ms / 1000
        messages = self._consumer.consume(self._settings.review_batch, 0.05)
        self._watch.check(self._assigned)
        self._apply(messages)
        self._finish_rebuilds()

    def _start_over(self) -> None:
        """Forget how far the consumer is: Redis says it, once it answers."""
        self._boards.clear()
        self._assigned.clear()
        self._next_look = self._next_tick = 0.0

    def _look_for_queues(self) -> None:
        names = self._admin.list_topics(timeout=10).topics
        found = {suffix for name in names if base_of(name) == REQUESTED and (suffix := suffix_of(name))}
        new = sorted(found - self._boards.keys())
        if not new:
            return
        shared = partitions_of(self._admin, SHARED)
        boards = [
            Board(self._queues.get(name), [*partitions_of(self._admin, [f"{REQUESTED}.{name}"]), *shared])
            for name in new
        ]
        self._rebuilder.attach(boards)
        for board in boards:
            self._boards[board.name] = board
            self._queues.announce(board.name)
            log.info("queue", queue=board.name, state=board.state, epoch=board.epoch)
        self._seek()

    def _seek(self) -> None:
        """Read every partition from the least offset that any queue wants."""
        wanted: dict[Partition, int] = {}
        for board in self._boards.values():
            for partition, offset in board.offsets.items():
                wanted[partition] = min(offset, wanted.get(partition, offset))
        self._progress.forget(wanted)
        self._assigned = set(wanted)
        self._consumer.assign([TopicPartition(t, p, offset) for (t, p), offset in wanted.items()])

    def _tick(self) -> None:
        lost = []
        for board in self._boards.values():
            status = board.queue.tick(self._settings.review_marks_ms)
            self._metrics.note(board.name, status)
            if status.epoch != board.epoch or status.state != board.state:
                log.warning("queue lost or rebuilt elsewhere", queue=board.name, state=status.state or "none")
                self._queues.announce(board.name)
                lost.append(board)
        if lost:
            self._rebuilder.attach(lost)
            self._seek()
        waiting = [board.name for board in self._boards.values() if board.state != "ready"]
        if waiting:
            self._health.not_ready(f"rebuilding {', '.join(waiting)} from Kafka; it ends by itself")
        elif self._boards:
            self._health.ready()
        else:
            self._health.not_ready("no topic review.requested.<queue>: run `sluicegate topics apply`")

    def _apply(self, messages: Iterable[Message]) -> None:
        """Apply a batch to every queue that it concerns, partition by partition."""
        upto: dict[Partition, int] = {}
        for_all: dict[Partition, list[Change]] = defaultdict(list)
        for_one: dict[tuple[str, Partition], list[Change]] = defaultdict(list)
        for message in messages:
            partition = (str(message.topic()), int(message.partition() or 0))
            if self._progress.note(message):
                upto[partition] = max(int(message.offset() or 0), upto.get(partition, 0))
                continue
            if (error := message.error()) is not None:
                report(error)
                continue
            record = to_record(message, partition[0], base_of(partition[0]))
            upto[partition] = record.offset + 1
            if (found := self._decoded(record)) is None:
                continue
            queue, change = found
            (for_one[queue, partition] if queue else for_all[partition]).append(change)
        for partition, offset in upto.items():
            for board in self._boards.values():
                if partition in board.offsets:
                    own = for_one.get((board.name, partition), [])
                    changes = sorted([*own, *for_all[partition]], key=lambda change: change.offset or 0)
                    self._put(board, partition, offset, changes)

    def _put(self, board: Board, partition: Partition, upto: int, changes: list[Change]) -> None:
        name, before = f"{partition[0]}/{partition[1]}", board.offsets[partition]
        changes = [change for change in changes if (change.offset or 0) >= before]
        if upto <= before:
            return
        if board.queue.apply(board.epoch, name, upto, changes, self._settings.review_copies_ms):
            board.offsets[partition] = upto
            self._metrics.applied.labels(board.name).inc(len(changes))
        else:
            self._next_tick = 0.0  # flushed, or rebuilt elsewhere: the next round finds out

    def _decoded(self, record: Record) -> tuple[str | None, Change] | None:
        """What a record changes; what cannot be read goes to dead.letter, and the stream goes on."""
        own = suffix_of(record.topic)
        try:
            event = decode(EVENTS[record.base], record.value or b"")
            found = change_of(event, record.offset)
        except (UndecodableEvent, ValueError) as error:
            self._dead.put(record, "undecodable", str(error), now_ms())
            self._metrics.dead_letters.labels(record.topic).inc()
            return None
        if found and own and found[0] != own:
            reason = f"its queue is {found[0]!r}, but it came on the topic of {own!r}"
            self._dead.put(record, "wrong_queue", reason, now_ms())
            self._metrics.dead_letters.labels(record.topic).inc()
            return None
        return found

    def _finish_rebuilds(self) -> None:
        for board in self._boards.values():
            if board.state == "rebuilding" and self._rebuilder.reached(board, self._progress):
                self._next_tick = 0.0
