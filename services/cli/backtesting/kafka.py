"""A history as Kafka still has it: what was scored, asked and decided, shard by shard, and labels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import msgspec
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from services.cli.backtesting.span import Span, Step
from services.events.topics import load_topics
from services.events.types import Selection
from services.policy import recorded
from services.policy.comparison import Label
from services.policy.recorded import Decision, Published
from services.runtime.kafka import admin, lone_consumer
from services.runtime.positions import Partition, partitions_of, stable_ends
from services.runtime.reading import WholeTopics, whole_topics
from services.runtime.records import Record
from services.runtime.settings import Settings

DECIDED, CLASSIFIED, ASKED, LABELS = (
    "content.decided",
    "content.classified",
    "review.requested",
    "label.recorded",
)
BEFORE_MS = 600_000  # how long before its outcome an item may have been scored
EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]


class KafkaHistory:
    """See Source. Raises MissingTopic, Stalled, KafkaException."""

    def __init__(self, settings: Settings, span: Span) -> None:
        self._settings, self._span = settings, span
        self._admin = admin(settings)
        topics = load_topics()
        self._asked = topics.names(topics.topics[ASKED])
        of = partitions_of(self._admin, [DECIDED, CLASSIFIED, *self._asked])
        self.shards = sum(topic == DECIDED for topic, _ in of)
        self._ends = stable_ends(self._admin, of)
        decided = [each for each in of if each[0] == DECIDED]
        earliest = _earliest(self._admin, of)
        self._starts = earliest
        if span.warm is not None:
            self._starts = self._since(decided, span.warm)
            self._starts |= self._since([each for each in of if each[0] != DECIDED], span.warm - BEFORE_MS)
        self.records = sum(max(0, self._ends[each] - self._starts[each]) for each in decided)
        self.from_the_start = span.warm is None and all(earliest[each] == 0 for each in decided)
        self.unmatched = self.unasked = 0
        self.labels = self._labels()

    def read(self, shard: int) -> Iterator[Step]:
        """What was decided in a shard, in its order."""
        of = recorded.Shard(shard)
        for topic in self._asked:
            for record in self._stretch((topic, shard)):
                if record.value is not None and (asked := _question(record.value)) is not None:
                    of.ask(asked)
        place = [self._starts[DECIDED, shard]]
        try:
            for found in recorded.joined(of, self._published(shard), self._decided(shard, place)):
                yield place[0], found
        finally:
            self.unmatched += of.unmatched
            self.unasked += of.unasked

    def _published(self, shard: int) -> Iterator[tuple[int, Published]]:
        for record in self._stretch((CLASSIFIED, shard)):
            try:
                yield record.timestamp, recorded.published(record.value or b"")
            except msgspec.DecodeError:  # the router set it aside
                continue

    def _decided(self, shard: int, place: list[int]) -> Iterator[Decision]:
        start = self._starts[DECIDED, shard]
        for record in self._stretch((DECIDED, shard)):
            if self._span.until is not None and record.timestamp >= self._span.until:
                return
            place[0] = record.offset + 1 - start
            try:
                found = recorded.decision(record.value or b"")
            except msgspec.DecodeError:  # not the router's
                continue
            yield found

    def _stretch(self, partition: Partition) -> Iterator[Record]:
        """Committed records between the two offsets."""
        start, end = self._starts[partition], self._ends[partition]
        if start >= end:
            return
        client = admin(
            self._settings
        )  # of its own: the history's may be out of date when many have been read
        with closing(
            WholeTopics(self._settings, "backtest", [partition], client, {partition: start})
        ) as reader:
            for record in reader.up_to({partition: end}):
                if record.offset < end:
                    yield record

    def _since(self, partitions: list[Partition], at: int) -> dict[Partition, int]:
        """The first offset of each at or after an instant, ms; the end where there is none."""
        consumer = lone_consumer(self._settings, "backtest")
        try:
            found = consumer.offsets_for_times(
                [TopicPartition(t, p, max(0, at)) for t, p in partitions], timeout=20
            )
        finally:
            consumer.close()
        return {
            (tp.topic, tp.partition): tp.offset if tp.offset >= 0 else self._ends[tp.topic, tp.partition]
            for tp in found
        }

    def _labels(self) -> dict[tuple[str, int], Label]:
        found: dict[tuple[str, int], Label] = {}
        with closing(whole_topics(self._settings, "backtest", [LABELS], self._admin)) as reader:
            for record in reader.to_end():
                if record.value is not None and (label := _label(record.value)) is not None:
                    found[f"{label.source}/{label.item_id}", label.revision] = Label(
                        label.action != "allow", label.selection.probability
                    )
        return found


class _Label(msgspec.Struct, gc=False):
    source: str
    item_id: str
    revision: int
    action: str
    selection: Selection


_decode_label = msgspec.json.Decoder(_Label).decode


def _label(value: bytes) -> _Label | None:
    try:
        return _decode_label(value)
    except msgspec.DecodeError:
        return None


def _question(value: bytes) -> recorded.Question | None:
    try:
        return recorded.question(value)
    except msgspec.DecodeError:
        return None


def _earliest(client: AdminClient, partitions: list[Partition]) -> dict[Partition, int]:
    asked = {TopicPartition(*each): EARLIEST for each in partitions}
    return {(tp.topic, tp.partition): f.result().offset for tp, f in client.list_offsets(asked).items()}
