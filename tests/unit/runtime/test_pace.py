"""Batches wait longer to fill while their worker is busy, and shortly again once it is not."""

from __future__ import annotations

import pytest

from services.runtime.pace import STEP, WINDOW, Pace


def calm() -> float:
    """A machine with time."""
    return 0.3


def after(pace: Pace, idle: float, seconds: float, now: float) -> float:
    """The wait once a worker has been idle for that share of some seconds."""
    for step in range(round(seconds / 0.05)):
        pace.idled(idle * 0.05, now + (step + 1) * 0.05)
    return pace.wait


def test_it_follows_how_busy_the_worker_is() -> None:
    pace = Pace(shortest=0.002, longest=0.1, now=0.0, machine=calm)
    assert after(pace, idle=0.9, seconds=2, now=0) == 0.002
    assert after(pace, idle=0.1, seconds=5, now=2) == 0.1
    assert after(pace, idle=0.35, seconds=5, now=7) == 0.1, "neither busy nor calm: as it is"
    assert after(pace, idle=0.9, seconds=5, now=12) == 0.002


def test_it_changes_step_by_step() -> None:
    pace = Pace(shortest=0.002, longest=0.1, now=0.0, machine=calm)
    assert after(pace, idle=0.0, seconds=WINDOW + 0.05, now=0) == pytest.approx(0.002 * STEP)


def test_nothing_changes_within_a_window() -> None:
    pace = Pace(shortest=0.002, longest=0.1, now=0.0, machine=calm)
    pace.idled(0.0, WINDOW / 2)
    assert pace.wait == 0.002


def test_a_pause_is_not_work() -> None:
    pace = Pace(shortest=0.002, longest=0.1, now=0.0, machine=calm)
    pace.idled(60.0, 60.0)
    assert pace.wait == 0.002


def test_who_wants_no_wait_when_busy_has_none_when_calm() -> None:
    pace = Pace(shortest=0.002, longest=0.0, now=0.0, machine=calm)
    assert pace.wait == 0.0
    assert after(pace, idle=0.0, seconds=2, now=0) == 0.0


def test_a_busy_machine_makes_a_worker_wait_that_has_time() -> None:
    busy = [0.95]
    pace = Pace(shortest=0.002, longest=0.1, now=0.0, machine=lambda: busy[0])
    assert after(pace, idle=0.9, seconds=5, now=0) == 0.1
    busy[0] = 0.88
    assert after(pace, idle=0.9, seconds=5, now=5) == 0.1, "neither full nor with room: as it is"
    busy[0] = 0.8
    assert after(pace, idle=0.9, seconds=5, now=10) == 0.002


def test_a_busy_worker_waits_though_the_machine_has_time() -> None:
    pace = Pace(shortest=0.002, longest=0.1, now=0.0, machine=lambda: 0.0)
    assert after(pace, idle=0.1, seconds=5, now=0) == 0.1
