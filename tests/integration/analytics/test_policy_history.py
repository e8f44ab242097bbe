"""Policies differ, are taken back and explain an item: the commands, on real Kafka and ClickHouse's engine."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.cli.keys import create_analyst_key
from services.cli.policy import policy
from services.runtime.settings import Settings
from tests.integration.analytics.running import ROOT, World, wait_until

Run = Callable[..., Result]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLUICEGATE_ANALYST_KEY", create_analyst_key(Settings(**world.settings()), "ann"))
    return lambda *arguments: CliRunner().invoke(policy, list(arguments))


def test_a_policy_is_compared_and_taken_back_by_version_and_an_item_explained(
    world: World, run: Run, tmp_path: Path
) -> None:
    old = (ROOT / "infra/starter/policy.yaml").read_text("utf-8")
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(old)
    second.write_text(old.replace("automation: true", "automation: false"))
    assert "nothing" not in run("release", str(first)).output
    assert "there is none to go back to" in run("rollback").output
    told = "automation: on → off (everything goes to people)"
    assert run("diff", str(second)).output == f"{told}\n"
    before = run("release", str(second)).output.rsplit("instead of ", 1)[1].strip()

    example = json.loads((ROOT / "schemas/examples/content_decided.v1/full.json").read_bytes())
    producer = world.producer()
    producer.produce(
        "content.decided", json.dumps(example).encode(), f"{example['source']}/{example['item_id']}"
    )
    producer.flush()
    item = f"{example['source']}/{example['item_id']}"
    with world.analytics():
        wait_until(lambda: run("explain", item).exit_code == 0, 90, "the item in analytics")
        assert f"by {example['rule'] or 'what people decided'}" in run("explain", item).output
        assert "on list known-spam (5e884898)" in run("explain", item).output
        found = json.loads(run("explain", item, "--json").output)
        assert [row["action"] for row in found["decided"]] == [example["action"]]
        assert "no outcome of x/it's" in run("explain", "x/it's").output

        wait_until(
            lambda: run("diff", before, str(second)).exit_code == 0, 20, "the first policy in analytics"
        )
        assert run("diff", before, str(second)).output == f"{told}\n"
        back = run("rollback", "--reason", "too strict")
        assert f"{before} is live again" in back.output, back.output
        assert run("show").stdout == old
        refused = run("rollback", "--to", "never-00000000")
        assert refused.exit_code and "release its file" in refused.output
