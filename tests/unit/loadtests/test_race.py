"""Rates of a race: what they count, and where one is run."""

from __future__ import annotations

import os

import pytest

from loadtests.race import Cores, TooFewCores, laps, middle_rate, on_core, rate_since, two_cores


def test_a_rate_counts_from_the_start_that_it_is_given() -> None:
    assert rate_since(1000, [3000, 4000, 5000, 5000]) == 1  # four in four seconds


def test_the_middle_rate_does_not_see_a_slow_start_nor_a_slow_end() -> None:
    steady = list(range(1000, 1080))  # one a millisecond
    assert middle_rate([0] * 10 + steady + [9000] * 10) == pytest.approx(1000, rel=0.02)


def test_batches_do_not_change_the_middle_rate_of_many() -> None:
    in_batches = [batch * 100 for batch in range(100) for _ in range(50)]  # 50 every 100 ms
    assert middle_rate(in_batches) == pytest.approx(500, rel=0.03)


def test_a_race_needs_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3})
    with pytest.raises(TooFewCores, match="core 3 only"):
        two_cores()
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5, 3, 4})
    assert two_cores() == Cores(broker=3, contender=4)


def test_a_process_goes_back_to_the_cores_that_it_had() -> None:
    before = os.sched_getaffinity(0)
    core = max(before)
    with pytest.raises(KeyError), on_core(core):
        assert os.sched_getaffinity(0) == {core}
        raise KeyError
    assert os.sched_getaffinity(0) == before


def test_contenders_take_turns() -> None:
    order: list[str] = []

    def contender(name: str, rate: float) -> float:
        order.append(name)
        return rate

    made = laps(2, lambda line: None, lambda lap: contender("a", lap), lambda lap: contender("b", lap * 10))
    assert order == ["a", "b", "a", "b"] and made == [[0, 1], [0, 10]]
