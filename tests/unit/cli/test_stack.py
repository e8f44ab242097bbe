"""`sluicegate status` and `down`: which folder they looked at, and what they cannot tell."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.local.readiness import Readiness
from infra.local.stack import Stack, Status
from services.cli import stack
from services.cli.stack import down, status, up
from services.runtime.errors import MissingTopic, RuntimeFault, Stalled
from services.runtime.settings import Settings


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SLUICEGATE_VAR", "SLUICEGATE_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_status_names_the_folder_it_looked_at(elsewhere: Path) -> None:
    answer = CliRunner().invoke(status)
    assert answer.exit_code == 1
    assert f"stack in {elsewhere}/var" in answer.output
    assert f"nothing runs in {elsewhere}/var" in answer.output and "SLUICEGATE_VAR" in answer.output


def test_down_names_it_too(elsewhere: Path) -> None:
    answer = CliRunner().invoke(down)
    assert answer.exit_code == 0 and f"nothing was running in {elsewhere}/var" in answer.output


@pytest.mark.parametrize("fault", [Stalled("the client lost the leader"), MissingTopic("policy.released")])
def test_status_says_where_what_is_live_cannot_be_told(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, fault: RuntimeFault
) -> None:
    def untold(settings: Settings) -> dict[str, str]:
        raise fault

    here = [Status("kafka", "RUNNING", 7, 60, Readiness(True), "127.0.0.1:9092")]
    monkeypatch.setattr(Stack, "status", lambda self: here)
    monkeypatch.setattr(stack, "live_versions", untold)
    answer = CliRunner().invoke(status)
    assert answer.exit_code == 0, answer.output
    assert f"what is live cannot be told: {fault}" in answer.output


def test_up_says_what_a_client_of_kafka_says(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Stack) -> None:
        raise Stalled("the client lost the leader")

    monkeypatch.setattr(Stack, "up", fails)
    answer = CliRunner().invoke(up)
    assert answer.exit_code == 1 and "Error: the client lost the leader" in answer.output
