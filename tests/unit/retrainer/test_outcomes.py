"""What trainings came to is remembered over a restart."""

from pathlib import Path

import msgspec
import pytest

from services.retrainer.outcomes import Outcomes, State, Training


def training(name: str, state: State, offset: int) -> Training:
    return Training(
        training_id=name,
        state=state,
        trigger="labels",
        started_at="2026-01-01T00:00:00.000Z",
        label_offsets={"0": offset},
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "retrainer" / "trainings.jsonl"


def test_a_refusal_is_remembered_so_that_the_same_is_not_trained_again(path: Path) -> None:
    outcomes = Outcomes(path)
    running = training("a", "running", 10)
    outcomes.put(running)
    assert outcomes.offsets() == {}
    outcomes.put(msgspec.structs.replace(running, state="refused"))
    assert Outcomes(path).offsets() == {0: 10}
    assert [t.state for t in Outcomes(path).all()] == ["refused"]


def test_a_failure_is_tried_again(path: Path) -> None:
    outcomes = Outcomes(path)
    outcomes.put(training("a", "refused", 10))
    outcomes.put(training("b", "failed", 20))
    assert outcomes.offsets() == {0: 10}


def test_what_was_running_at_a_crash_is_not_remembered(path: Path) -> None:
    Outcomes(path).put(training("a", "running", 10))
    assert Outcomes(path).all() == []


def test_a_line_cut_off_by_a_crash_is_left_out(path: Path) -> None:
    Outcomes(path).put(training("a", "released", 10))
    with path.open("ab") as file:
        file.write(b'{"training_id": "b", "sta')
    outcomes = Outcomes(path)
    assert [t.training_id for t in outcomes.all()] == ["a"]
    outcomes.put(training("c", "released", 30))
    assert Outcomes(path).offsets() == {0: 30}
