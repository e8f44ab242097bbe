"""When model and people differ too much, and when no longer."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.types import AlarmRaised
from services.monitor.core.observing import AGAINST_PEOPLE

Change = Literal["raise", "clear"]


class Subject(NamedTuple):
    """What an alarm is about."""

    category: str
    model_version: str

    @property
    def key(self) -> str:
        """Key of the alarm's record."""
        return f"{AGAINST_PEOPLE}/{self.category}/{self.model_version}"


class Limits(NamedTuple):
    """What policy allows."""

    max_disagreement: float  # share of settled tasks
    min_count: int  # settled tasks that a judgement rests on at the least
    window: int  # ms
    clear_share: float  # of max_disagreement, below which an alarm ends


@dataclass(frozen=True, slots=True)
class Count:
    """Settled tasks in which people agreed and the model had a score, and those of them where both differ."""

    count: int
    disagreements: int

    @property
    def share(self) -> float:
        """0 where nothing was counted."""
        return self.disagreements / self.count if self.count else 0.0


def should_alarm(counted: Count, limits: Limits, active: bool) -> Change | None:
    """Whether an alarm must be raised, or, where it is `active`, may end; None where all stays as it is.

    Between what is allowed and `clear_share` of it an active alarm stays: one that flaps would switch automation on
    and off. Too few tasks change nothing either way.
    """
    if counted.count < limits.min_count:
        return None
    if not active and counted.share > limits.max_disagreement:
        return "raise"
    if active and counted.share < limits.max_disagreement * limits.clear_share:
        return "clear"
    return None


def alarm(
    subject: Subject, change: Change, recounted: Count, limits: Limits, start: int, end: int, now: int
) -> AlarmRaised:
    """The event of a change that the recount of the window (ms) has confirmed."""
    active = change == "raise"
    told = "differ, more than" if active else "differ, well within"
    return AlarmRaised(
        event_id=derived_id("alarm_raised", AGAINST_PEOPLE, *subject, start, end, int(active)),
        occurred_at=from_millis(now),
        alarm=AGAINST_PEOPLE,
        active=active,
        category=subject.category,
        model_version=subject.model_version,
        value=recounted.share,
        limit=limits.max_disagreement,
        count=recounted.count,
        window_start=from_millis(start),
        window_end=from_millis(end),
        reason=f"on {subject.category}, {recounted.disagreements} of {recounted.count} settled tasks {told} the"
        f" {limits.max_disagreement:.0%} that policy allows",
    )
