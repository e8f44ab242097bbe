"""`sluicegate policy release` says what it did."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from services.cli import policy
from services.events.types import PolicyReleased
from tests.unit.policy.making import DOCUMENT


def event(event_id: str, version: str) -> PolicyReleased:
    return PolicyReleased(
        event_id=event_id,
        occurred_at="2026-01-01T00:00:00.000Z",
        policy_version=version,
        content_hash="0" * 64,
        document="",
        replaces="old",
        released_by="cli:ada",
        reason="why",
    )


@pytest.mark.parametrize(
    ("released", "new", "said"),
    [
        (
            event("1", "starter-1"),
            False,
            "starter-1 is live already, since 2026-01-01T00:00:00.000Z: nothing was",
        ),
        (event("2", "starter-2"), True, "starter-2 is live, instead of old"),
    ],
)
def test_a_policy_that_is_live_already_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, released: PolicyReleased, new: bool, said: str
) -> None:
    monkeypatch.setattr(policy, "release_text", lambda *given: (released, new))
    (tmp_path / "p.yaml").touch()
    answer = CliRunner().invoke(policy.policy, ["release", str(tmp_path / "p.yaml")])
    assert answer.exit_code == 0 and said in answer.output


def test_check_looks_at_the_lists_that_a_policy_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_VAR", str(tmp_path))
    path = tmp_path / "p.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT | {"lists": [{"name": "spam", "then": "remove"}]}))

    def check() -> Result:
        return CliRunner().invoke(policy.policy, ["check", "--offline", str(path)])

    assert check().exit_code == 1
    assert f"{tmp_path}/lists/spam.txt: No such file or directory: put the list there" in check().output
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "spam.txt").write_bytes(b"buy\n\xff\n")
    assert check().exit_code == 1 and "lists/spam.txt, line 2: not UTF-8" in check().output
    (tmp_path / "lists" / "spam.txt").write_bytes(b"buy\nsell\n")
    assert check().exit_code == 0 and "list spam: 2 texts" in check().output
