"""Batches wait longer to fill while much comes, and shortly again once it is over."""

from __future__ import annotations

from services.runtime.pace import WINDOW, Pace


def waits(rates: list[int]) -> list[float]:
    """The wait after one second at each rate, taken in steps of 50 ms."""
    pace, found = Pace(calm=0.002, busy=0.02, busy_rate=4000, now=100.0), []
    now = 100.0
    for rate in rates:
        for _ in range(20):
            now += 0.05
            pace.took(rate // 20, now)
        found.append(pace.wait)
    return found


def test_it_follows_what_comes() -> None:
    assert waits([0, 3000, 5000, 100_000, 3000, 0]) == [0.002, 0.002, 0.02, 0.02, 0.002, 0.002]


def test_one_full_batch_after_a_pause_is_no_rush() -> None:
    pace = Pace(calm=0.002, busy=0.02, busy_rate=4000, now=0.0)
    pace.took(1000, 60.0)
    assert pace.wait == 0.002


def test_nothing_changes_within_a_window() -> None:
    pace = Pace(calm=0.002, busy=0.02, busy_rate=4000, now=0.0)
    pace.took(100_000, WINDOW / 2)
    assert pace.wait == 0.002


def test_who_wants_no_wait_when_busy_has_none_when_calm() -> None:
    assert Pace(calm=0.002, busy=0.0, busy_rate=4000, now=0.0).wait == 0.0
