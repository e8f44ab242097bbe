"""A released version stays what it is."""

import json
import shutil
from pathlib import Path

import pytest

from services.events import release
from services.events.schemas import SCHEMAS


def test_nothing_released_is_broken() -> None:
    assert release.broken() == []


def test_the_released_copy_is_up_to_date() -> None:
    assert release.stale() == [], "a compatible change is taken in by python -m services.events.release"


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of schemas that may be changed, held against the released ones."""
    monkeypatch.setattr(release, "CURRENT", tmp_path / "events")
    monkeypatch.setattr(release, "RELEASED", tmp_path / "released")
    for folder in (tmp_path / "events", tmp_path / "released"):
        shutil.copytree(SCHEMAS / "events", folder)
    return tmp_path / "events"


def test_a_change_of_a_shared_definition_breaks_every_event_that_has_it(changed: Path) -> None:
    shared = json.loads((changed / "types.v1.json").read_text())
    shared["$defs"]["decision_seq"]["maximum"] = 10
    (changed / "types.v1.json").write_text(json.dumps(shared))

    problems = release.broken(release.CURRENT, release.RELEASED)

    assert (
        "content_decided.v1: $.decision_seq: `maximum` was 1000, is 10: records of today are refused"
        in problems
    )
    assert {problem.split(":")[0] for problem in problems} >= {"review_settled.v1", "text_decided.v1"}


def test_a_schema_that_is_gone_is_noticed(changed: Path) -> None:
    (changed / "text_decided.v1.json").unlink()
    assert release.broken(release.CURRENT, release.RELEASED) == ["text_decided.v1: is gone"]


def test_the_command_refuses_what_breaks_and_takes_in_what_does_not(
    changed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release.broken, "__defaults__", (release.CURRENT, release.RELEASED))
    monkeypatch.setattr(release.stale, "__defaults__", (release.CURRENT, release.RELEASED))
    path = changed / "text_decided.v1.json"
    schema = json.loads(path.read_text())

    schema["properties"]["note"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    path.write_text(json.dumps(schema))
    assert release.main(["--check"]) == 1
    assert "run python -m services.events.release" in capsys.readouterr().err
    assert release.main([]) == 0
    assert release.main(["--check"]) == 0

    del schema["properties"]["note"]
    path.write_text(json.dumps(schema))
    assert release.main([]) == 1
    assert capsys.readouterr().err == "text_decided.v1: $.note: is gone\n"
