"""What the outcome topics say, folded by item, task and verdict. Nothing is judged here, and nothing dropped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from loadtests.manifest import Key
from loadtests.scan import Seen, base_of
from services.events import codec
from services.events.ids import parse_task_id
from services.events.types import (
    ContentDecided,
    LabelRecorded,
    ReviewClosed,
    ReviewCompleted,
    ReviewRequested,
    ReviewSettled,
)

OutcomeEvent = (
    ContentDecided | ReviewRequested | ReviewClosed | ReviewCompleted | ReviewSettled | LabelRecorded
)
OUTCOME_TOPICS: Mapping[str, type[OutcomeEvent]] = {
    "content.decided": ContentDecided,
    "review.requested": ReviewRequested,
    "review.closed": ReviewClosed,
    "review.completed": ReviewCompleted,
    "review.settled": ReviewSettled,
    "label.recorded": LabelRecorded,
}


class At(NamedTuple):
    """When Kafka (or the writer, where the topic keeps create times) stamped the record, ms, and the event."""

    timestamp: int
    event: ContentDecided


@dataclass
class Outcomes:
    """Every event of the outcome topics, where it belongs."""

    decisions: dict[Key, list[At]] = field(default_factory=lambda: defaultdict(list))
    requests: dict[str, list[ReviewRequested]] = field(default_factory=lambda: defaultdict(list))
    tasks: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))  # of purpose decision
    task_closings: dict[str, list[ReviewClosed]] = field(default_factory=lambda: defaultdict(list))
    item_closings: dict[tuple[str, str], list[ReviewClosed]] = field(
        default_factory=lambda: defaultdict(list)
    )
    verdicts: dict[str, list[ReviewCompleted]] = field(default_factory=lambda: defaultdict(list))
    retractions: dict[str, list[ReviewCompleted]] = field(default_factory=lambda: defaultdict(list))
    settlements: dict[str, list[ReviewSettled]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[str, list[LabelRecorded]] = field(default_factory=lambda: defaultdict(list))

    def add(self, event: OutcomeEvent, timestamp: int) -> None:
        """One more event."""
        match event:
            case ContentDecided():
                self.decisions[Key(event.source, event.item_id, event.revision)].append(At(timestamp, event))
            case ReviewRequested():
                self.requests[event.task_id].append(event)
                if event.purpose == "decision":
                    self.tasks[Key(event.source, event.item_id, event.revision)].add(event.task_id)
            case ReviewClosed(task_id=None):
                self.item_closings[event.source, event.item_id].append(event)
            case ReviewClosed(task_id=str(task)):
                self.task_closings[task].append(event)
            case ReviewCompleted():
                (self.retractions if event.retraction else self.verdicts)[event.verdict_id].append(event)
            case ReviewSettled():
                self.settlements[event.task_id].append(event)
            case LabelRecorded():
                self.labels[event.task_id].append(event)

    @staticmethod
    def key(task: str) -> Key:
        """The revision that a task is about."""
        return Key(*parse_task_id(task)[:3])

    def named_tasks(self) -> set[str]:
        """Every task that any event but a request names."""
        voted = {
            v.task_id
            for verdicts in (self.verdicts, self.retractions)
            for vs in verdicts.values()
            for v in vs
        }
        decided = {at.event.task_id for ats in self.decisions.values() for at in ats if at.event.task_id}
        return voted | decided | self.settlements.keys() | self.labels.keys() | self.task_closings.keys()

    def closed(self, key: Key, task: str | None = None) -> ReviewClosed | None:
        """What closed the revision, or this task of it: a closing of the task, or of the item up to a revision."""
        if task is not None and self.task_closings.get(task):
            return self.task_closings[task][0]
        for closing in self.item_closings.get((key.source, key.item_id), ()):
            if closing.revision >= key.revision:
                return closing
        return None


def fold(records: Iterable[Seen]) -> Outcomes:
    """The outcome topics' records, folded; tombstones are passed over. Raises UndecodableEvent: ours never are."""
    found = Outcomes()
    for record in records:
        event_type = OUTCOME_TOPICS.get(base_of(record.topic))
        if event_type is not None and record.value is not None:
            found.add(codec.decode(event_type, record.value), record.timestamp)
    return found
