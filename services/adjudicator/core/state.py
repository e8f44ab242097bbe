"""What the adjudicator keeps of an item: its open tasks, and for a while what is done."""

from typing import NamedTuple

import msgspec

from services.events.types import ReviewRequested, VerdictAction

REMEMBER_MS = 7 * 24 * 3_600_000  # how long what is done is remembered, and how long what came early waits
GRACE_MS = 500  # a retraction that was accepted at the last moment may reach Kafka that much after `final_at`


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict as it was cast. `offset` orders the verdicts of an item."""

    verdict_id: str
    offset: int
    reviewer: str
    seat: int
    action: VerdictAction
    categories: tuple[str, ...]
    final_at: int  # ms


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """A task that is not settled. Without a request it waits for one until `until` (ms)."""

    until: int
    request: ReviewRequested | None = None
    casts: tuple[Cast, ...] = ()  # by offset
    retracted: dict[str, int] = {}  # when (ms) a verdict was taken back, by verdict_id
    decided_by: int = 0  # the last moment (ms) at which votes were looked at and settled nothing

    @property
    def due(self) -> int:
        """When to look at the votes again, or to give up. ms."""
        if self.request is None:
            return self.until
        looks = (cast.final_at + GRACE_MS for cast in self.casts if cast.final_at > self.decided_by)
        return min(looks, default=self.until)


class ItemState(msgspec.Struct, frozen=True, kw_only=True):
    """All of an item. `done` holds tasks that are settled or closed, and until when (ms) that is remembered."""

    tasks: dict[str, TaskState] = {}
    done: dict[str, int] = {}
    closed_revision: int = 0  # every revision up to this one is closed
    closed_until: int = 0  # ms
    labelled_revision: int = 0  # whose label label.recorded has, as far as is remembered

    @property
    def due(self) -> int | None:
        """The earliest thing to do, ms."""
        times = [task.due for task in self.tasks.values()] + list(self.done.values())
        if self.closed_revision:
            times.append(self.closed_until)
        return min(times, default=None)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not (self.tasks or self.done or self.closed_revision)


class Step(NamedTuple):
    """What an event comes to. `forget_label`: the item was withdrawn, its label goes."""

    state: ItemState | None
    events: tuple[msgspec.Struct, ...] = ()
    dropped: str | None = None
    forget_label: bool = False
