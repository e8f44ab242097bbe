"""Publishing and judging, with everything around it played."""

import asyncio
from dataclasses import dataclass, field

import pytest

from services.events.types import AlarmRaised, QualityMeasured
from services.monitor.core.alarming import Count, Limits, Subject
from services.monitor.core.observing import AGAINST_PEOPLE, Series
from services.monitor.core.windows import Cell, Pane
from services.monitor.metrics import MonitorMetrics
from services.monitor.settings import MonitorSettings
from services.monitor.watch import Watch

SETTINGS = MonitorSettings(step_seconds=1, agreement_seconds=2, grace_seconds=0, late_seconds=100)
SPAM = Subject("spam", "m1")
SERIES = Series(AGAINST_PEOPLE, "spam", "m1")
LIMITS = Limits(max_disagreement=0.5, min_count=4, window=2500, clear_share=0.5)
T0 = 1_790_000_000_000


@dataclass
class InForce:
    limits: Limits = LIMITS
    active: set[Subject] = field(default_factory=set)

    def note(self, subject: Subject, active: bool) -> None:
        (self.active.add if active else self.active.discard)(subject)


@dataclass
class Analytics:
    says: Count | None = None
    asked: int = 0

    async def count(self, subject: Subject, start: int, end: int) -> Count | None:
        self.asked += 1
        return self.says


class Played:
    """A watch, what it published, and what it is told."""

    def __init__(self) -> None:
        self.in_force, self.analytics, self.metrics = InForce(), Analytics(), MonitorMetrics()
        self.measured: list[QualityMeasured] = []
        self.alarms: list[tuple[AlarmRaised, str]] = []
        self.broken = False
        self.watch = Watch(SETTINGS, self.in_force, self.analytics, self._publish, self.metrics)

    async def _publish(self, event: QualityMeasured | AlarmRaised, key: str) -> None:
        if self.broken:
            raise OSError("Kafka is away")
        if isinstance(event, AlarmRaised):
            self.alarms.append((event, key))
        else:
            self.measured.append(event)

    def check(self, seconds: float, *panes: tuple[int, float, int]) -> None:
        """Look at `seconds`, with panes of (second, amount, count)."""
        given = [(Pane(0, T0 + at * 1000, SERIES), Cell(amount, count)) for at, amount, count in panes]
        asyncio.run(self.watch.check(given, T0 + int(seconds * 1000)))

    def recounts(self, change: str, outcome: str) -> float:
        return (
            self.metrics.registry.get_sample_value(
                "sluicegate_monitor_recounts_total", {"change": change, "outcome": outcome}
            )
            or 0.0
        )


@pytest.fixture
def played() -> Played:
    return Played()


def test_the_policys_window_is_rounded_up_to_whole_steps(played: Played) -> None:
    assert played.watch.size_of(AGAINST_PEOPLE) == 3000
    assert played.watch.size_of("agreement_between_people") == 2000
    assert played.watch.size_of("verdicts_per_minute") == 1000


def test_a_window_is_published_once(played: Played) -> None:
    for _ in range(3):
        played.check(1.5, (0, 0, 9))
    assert len(played.measured) == 1
    played.check(2.5, (0, 0, 9))
    assert len(played.measured) == 2


def test_what_could_not_be_published_is_published_later(played: Played) -> None:
    played.broken = True
    with pytest.raises(OSError, match="away"):
        played.check(1.5, (0, 9, 9))
    played.broken = False
    played.check(1.6, (0, 0, 9))
    assert len(played.measured) == 1


def test_within_limits_nobody_is_asked(played: Played) -> None:
    played.check(1.5, (0, 4, 9))
    assert (played.analytics.asked, played.alarms) == (0, [])


def test_an_alarm_carries_the_recount_and_its_key(played: Played) -> None:
    played.analytics.says = Count(100, 80)
    played.check(1.5, (0, 9, 9))
    ((event, key),) = played.alarms
    assert (event.value, event.count, key) == (0.8, 100, SPAM.key)
    assert played.in_force.active == {SPAM}


def test_without_an_answer_it_asks_again_and_raises_when_there_is_one(played: Played) -> None:
    played.check(1.5, (0, 9, 9))
    played.check(1.6, (0, 9, 9))
    assert (played.alarms, played.recounts("raise", "no_answer")) == ([], 2)
    played.analytics.says = Count(9, 9)
    played.check(1.7, (0, 9, 9))
    assert len(played.alarms) == 1


def test_what_is_not_confirmed_is_not_asked_again_for_the_same_window(played: Played) -> None:
    played.analytics.says = Count(100, 50)
    played.check(1.5, (0, 9, 9))
    played.check(1.6, (0, 9, 9))
    assert (played.alarms, played.analytics.asked, played.recounts("raise", "not_confirmed")) == ([], 1, 1)


def test_a_window_that_grew_too_old_without_an_answer_is_given_up(played: Played) -> None:
    played.check(1.5, (0, 9, 9))
    played.check(120, (0, 9, 9))
    asked = played.analytics.asked
    played.check(121, (0, 9, 9))
    assert played.analytics.asked == asked == 1


def test_an_alarm_that_could_not_be_published_does_not_stand(played: Played) -> None:
    played.analytics.says = Count(100, 80)
    played.check(0.5, (0, 9, 9))
    publish = played._publish

    async def only_measures(event: QualityMeasured | AlarmRaised, key: str) -> None:
        if isinstance(event, AlarmRaised):
            raise OSError("Kafka is away")
        await publish(event, key)

    played.watch._publish = only_measures
    with pytest.raises(OSError, match="away"):
        played.check(1.5, (0, 9, 9))
    assert played.in_force.active == set()
    played.watch._publish = publish
    played.check(1.6, (0, 9, 9))
    assert len(played.alarms) == 1


def test_it_ends_only_clearly_below(played: Played) -> None:
    played.in_force.active = {SPAM}
    played.analytics.says = Count(100, 10)
    played.check(1.5, (0, 3, 9))
    assert played.alarms == []
    played.check(5.5, (4, 1, 9))
    assert [event.active for event, _ in played.alarms] == [False]
    assert played.in_force.active == set()
