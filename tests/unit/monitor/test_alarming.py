"""When an alarm is raised, when it ends, and what it says."""

import pytest

from services.monitor.core.alarming import Count, Limits, Subject, alarm, should_alarm

LIMITS = Limits(max_disagreement=0.5, min_count=10, window=60_000, clear_share=0.8)
SPAM = Subject("spam", "m1")


@pytest.mark.parametrize(
    ("disagreements", "count", "active", "change"),
    [
        (6, 10, False, "raise"),
        (5, 10, False, None),  # just what is allowed
        (9, 9, False, None),  # too few to say
        (6, 10, True, None),  # it stands already
        (4, 10, True, None),  # below, but not clearly
        (3, 10, True, "clear"),
        (0, 9, True, None),  # too few to say
        (0, 0, True, None),
        (3, 10, False, None),
    ],
)
def test_what_changes(disagreements: int, count: int, active: bool, change: str | None) -> None:
    assert should_alarm(Count(count, disagreements), LIMITS, active) == change


def test_an_alarm_says_what_was_counted() -> None:
    event = alarm(SPAM, "raise", Count(20, 15), LIMITS, 0, 60_000, 70_000)
    assert (event.active, event.value, event.limit, event.count) == (True, 0.75, 0.5, 20)
    assert event.reason == ("on spam, 15 of 20 settled tasks differ, more than the 50% that policy allows")
    assert SPAM.key == "model_against_people/spam/m1"


def test_ids_repeat_for_the_same_change_only() -> None:
    first = alarm(SPAM, "raise", Count(20, 15), LIMITS, 0, 60_000, 70_000)
    assert alarm(SPAM, "raise", Count(21, 15), LIMITS, 0, 60_000, 90_000).event_id == first.event_id
    assert alarm(SPAM, "clear", Count(20, 1), LIMITS, 0, 60_000, 70_000).event_id != first.event_id
    assert alarm(SPAM, "raise", Count(20, 15), LIMITS, 1, 60_001, 70_000).event_id != first.event_id
