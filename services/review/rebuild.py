"""When a queue must be rebuilt, and the order of steps that loses nothing and counts nothing twice.

1. The next epoch goes to Kafka, then to Redis: from here on nothing is given out and no verdict is taken.
2. Verdicts that were on their way get as long as Kafka may take to acknowledge them.
3. Only then is it noted where the topics end, and the queue opens when all below has been applied.
"""

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field

import structlog
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from services.events.codec import decode
from services.events.errors import UndecodableEvent
from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.types import ReviewChanged
from services.review.queue import Queue
from services.review.settings import FeedSettings
from services.runtime.acknowledged import AcknowledgedProducer
from services.runtime.clock import now_ms
from services.runtime.positions import Partition, Progress, uncommitted_ends
from services.runtime.publishing import Publisher
from services.runtime.reading import whole_topics

log = structlog.get_logger()
CHANGED = "review.changed"


@dataclass
class Board:
    """One queue as the feed sees it. `offsets` are the next to be applied."""

    queue: Queue
    partitions: list[Partition]
    epoch: int = 0
    state: str = ""
    offsets: dict[Partition, int] = field(default_factory=dict)
    ends: dict[Partition, int] | None = None
    ends_at: float = 0.0

    @property
    def name(self) -> str:
        """Of the queue."""
        return self.queue.name


class Rebuilder:
    """Takes up queues where Redis has them, and begins and ends rebuilds."""

    def __init__(
        self,
        settings: FeedSettings,
        consumer: Consumer,
        admin: AdminClient,
        producer: AcknowledgedProducer,
        publisher: Publisher,
    ) -> None:
        self._settings, self._consumer, self._admin = settings, consumer, admin
        self._producer, self._publisher = producer, publisher

    def attach(self, boards: Iterable[Board]) -> None:
        """Go on where Redis is; begin a rebuild where it cannot be gone on. Raises what Kafka and Redis raise."""
        lost: dict[str, tuple[Board, str]] = {}
        for board in boards:
            status, offsets = board.queue.look(), board.queue.offsets()
            reason = self._why(board, status.state, offsets)
            if reason or status.epoch is None:
                lost[board.name] = (board, reason)
            else:
                board.epoch, board.state, board.ends = status.epoch, status.state, None
                board.offsets = {(t, p): offsets[f"{t}/{p}"] for t, p in board.partitions}
        if lost:
            epochs = self._highest_epochs()
            for name, (board, reason) in lost.items():
                self._begin(board, epochs.get(name, 0), reason)

    def reached(self, board: Board, progress: Progress) -> bool:
        """Open a queue whose rebuild has come to the end; whether it was opened."""
        if board.ends is None:
            if time.monotonic() < board.ends_at:
                return False
            board.ends = uncommitted_ends(self._admin, board.partitions)
        if not progress.reached(board.ends):
            return False
        if board.queue.open(board.epoch):
            board.state = "ready"
            log.info("rebuilt", queue=board.name, epoch=board.epoch)
        return True

    def _why(self, board: Board, state: str, offsets: dict[str, int]) -> str:
        """Why a queue must be rebuilt; empty where it need not."""
        if state != "ready":
            return {"": "Redis has nothing of it", "wanted": "asked for"}.get(state, "a rebuild was cut off")
        for topic, number in board.partitions:
            at = offsets.get(f"{topic}/{number}")
            low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            if at is None:
                return f"no offset of {topic}/{number}"
            if not low <= at <= high:
                return f"{topic}/{number} goes from {low} to {high}, but {at} is next"
        return ""

    def _begin(self, board: Board, seen: int, reason: str) -> None:
        epoch = seen + 1
        log.info("rebuilding", queue=board.name, epoch=epoch, reason=reason)
        event = ReviewChanged(
            event_id=fresh_id(),
            occurred_at=from_millis(now_ms()),
            change="epoch_started",
            queue=board.name,
            epoch=epoch,
            changed_by="review",
        )
        self._producer.send_all([self._publisher.outgoing(event, board.name)])
        board.queue.begin(epoch, [f"{topic}/{number}" for topic, number in board.partitions])
        board.epoch, board.state, board.ends = epoch, "rebuilding", None
        board.offsets = dict.fromkeys(board.partitions, 0)
        grace = (
            self._settings.acknowledge_ms / 1000 if seen else 0.0
        )  # before the first epoch nobody had a lease
        board.ends_at = time.monotonic() + grace

    def _highest_epochs(self) -> dict[str, int]:
        """The highest epoch that each queue ever began."""
        highest: dict[str, int] = {}
        with closing(whole_topics(self._settings, "review-epochs", [CHANGED], self._admin)) as reader:
            for record in reader.to_end():
                try:
                    event = decode(ReviewChanged, record.value or b"")
                except UndecodableEvent:
                    continue  # the feed sets it aside when it comes to it
                if event.queue and event.epoch:
                    highest[event.queue] = max(event.epoch, highest.get(event.queue, 0))
        return highest
