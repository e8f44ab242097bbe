"""How busy the machine is, as the system tells it."""

from typing import NamedTuple

import psutil
import pytest

from services.runtime.busy import Machine


class Times(NamedTuple):
    user: float
    idle: float
    iowait: float


def test_it_is_the_share_of_the_time_since_the_last_call(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [Times(10, 50, 1), Times(13, 50.5, 1.5), Times(13, 52.5, 1.5), Times(13, 52.5, 1.5)]
    monkeypatch.setattr(psutil, "cpu_times", lambda: told.pop(0))
    machine = Machine()
    assert machine() == 0.75, "to wait for a disk is no work"
    assert machine() == 0.0
    assert machine() == 0.0, "no time has passed"


def test_this_machine_has_one() -> None:
    assert 0 <= Machine()() <= 1
