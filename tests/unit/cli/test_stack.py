"""`sluicegate status` and `down` where nothing runs: which folder they looked at."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from services.cli.stack import down, status


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
