"""The Faust app: streams that count events into panes, in tables whose changelogs topics.yaml describes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import faust
import structlog

from services.events.codec import decode
from services.events.errors import EventError
from services.events.types import LabelRecorded, ReviewCompleted, ReviewSettled, ScoresSummarized
from services.monitor.core.observing import Observed, observations
from services.monitor.core.windows import Cell, Pane, accumulate, pane_of
from services.monitor.metrics import MonitorMetrics
from services.monitor.settings import MonitorSettings
from services.runtime.clock import now_ms

PEOPLE: dict[str, type[Observed]] = {
    "review.completed": ReviewCompleted,
    "review.settled": ReviewSettled,
    "label.recorded": LabelRecorded,
}
SUMMARIES: dict[str, type[Observed]] = {"scores.summarized": ScoresSummarized}
log = structlog.get_logger()
EARLY = 60_000  # ms that another machine's clock may be ahead


def build_app(settings: MonitorSettings) -> Any:
    """A Faust app that reads committed records, creates no topic and serves nothing."""
    return faust.App(
        "monitor",
        broker=f"kafka://{settings.kafka}",
        processing_guarantee="exactly_once",
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.heartbeat_seconds,
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,  # topics are made from topics.yaml
        topic_disable_leader=True,  # nothing here needs a leader, nor its topic
        web_enabled=False,
        datadir=str(settings.var / "monitor"),
    )


def raw_topic(app: Any, *names: str) -> Any:
    """Topics as bytes: our codec reads and writes them, not Faust's."""
    return app.topic(*names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw",
                     allow_empty=True)  # fmt: skip


@dataclass
class Counted:
    """One table and the topics it counts; all have the same partitions, as Faust requires."""

    app: Any
    settings: MonitorSettings
    metrics: MonitorMetrics
    kinds: dict[str, type[Observed]]
    changelog: str
    partitions: int
    longest: int = 0  # ms, the longest window asked of the panes so far

    def __post_init__(self) -> None:
        self.table = self.app.Table(
            self.changelog,
            default=list,
            key_type=bytes,  # or Faust writes keys as JSON and reads them back as they are
            partitions=self.partitions,
            changelog_topic=raw_changelog(self.app, self.changelog, self.partitions),
        )
        self.app.agent(raw_topic(self.app, *self.kinds), name=f"{self.changelog}.agent")(self._count)
        self._pruned: dict[int, int] = {}

    def panes(self) -> Iterator[tuple[Pane, Cell]]:
        """All panes that this worker holds."""
        for key, value in self.table.items():
            yield Pane.of(key), Cell(*value)

    async def _count(self, stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            try:
                self.count(message.topic, message.partition, message.offset, event.value, now_ms())
            except Exception:  # or Faust would start the agent again and never commit past this event
                self.metrics.skipped.labels(message.topic, "unhandled").inc()
                log.exception("an event could not be counted", topic=message.topic, offset=message.offset)

    def count(self, topic: str, partition: int, offset: int, value: bytes | None, now: int) -> None:
        """Count one record. What cannot be decoded is skipped: the services that decide dead-letter it."""
        self._prune(partition, now)
        if value is None:
            return
        try:
            found = list(observations(decode(self.kinds[topic], value)))
        except EventError:
            self.metrics.skipped.labels(topic, "undecodable").inc()
            return
        if found and (reason := self._out_of_time(found[0].at, now)) is not None:
            self.metrics.skipped.labels(topic, reason).inc()
            return
        self.metrics.events.labels(topic).inc()
        for observation in found:
            key = pane_of(observation, partition, self.settings.step_seconds * 1000).key()
            self.table[key] = accumulate(Cell(*self.table[key]), observation, offset, now).row()

    def _out_of_time(self, at: int, now: int) -> str | None:
        if at < now - self.settings.late_seconds * 1000:
            return "late"
        return "early" if at > now + EARLY else None

    def _prune(self, partition: int, now: int) -> None:
        """Forget panes that no window needs any more; a table changes only while a record is handled."""
        if now - self._pruned.get(partition, 0) < self.settings.step_seconds * 1000:
            return
        self._pruned[partition] = now
        oldest = now - self.longest - 2 * self.settings.late_seconds * 1000
        gone = [p.key() for p, _ in self.panes() if p.partition == partition and p.start < oldest]
        for key in gone:
            del self.table[key]


def raw_changelog(app: Any, name: str, partitions: int) -> Any:
    """The changelog of a table, under the name that topics.yaml has."""
    return app.topic(
        name, key_type=bytes, key_serializer="raw", value_serializer="json", partitions=partitions,
        acks=False, internal=True, compacting=True, maxsize=131_072, allow_empty=True,
    )  # fmt: skip
