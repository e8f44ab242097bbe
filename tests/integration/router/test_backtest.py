"""Backtests on a real broker: a router's history with a cap, an alarm, the switch thrown and releases, replayed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from services.cli.__main__ import main
from services.cli.backtesting import clickhouse
from services.cli.keys import create_analyst_key
from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.types import AlarmRaised, Item, LabelRecorded, Selection
from services.runtime.clock import now_ms
from services.runtime.settings import Settings
from tests.integration.analytics.running import World
from tests.integration.router.running import Line, wait_for
from tests.unit.policy.making import DOCUMENT, MODEL, scored
from tests.unit.router.making import settlement

CHANGED = {**DOCUMENT["categories"], "toxicity": {"remove": 0.99, "allow": 0.2, "severity": 2}}
COMMON = ("items", "from", "to", "categories", "queues", "labels")


class Past:
    """Sends items and waits for what becomes of them."""

    def __init__(self, line: Line) -> None:
        self.line, self.sent = line, 0

    def send(self, count: int, **changes: Any) -> None:
        items = []
        for number in range(self.sent, self.sent + count):
            text = f"post {number}\x1b[2J"
            fields: dict[str, Any] = {
                "item_id": f"past-{number}",
                "toxicity": (0.05, 0.95, 0.5, 0.995, 0.25)[number % 5],
                "item": Item(kind="post", text=text, reach=number % 7 * 100),
                "text_hash": f"{number:032x}",
            }
            items.append(scored(**(fields | changes)))
        self.line.send(*items)
        self.sent += count
        wait_for(f"{self.sent} outcomes", lambda: len(self.outcomes()) == self.sent)

    def outcomes(self) -> dict[str, dict[str, Any]]:
        """The first outcome of each."""
        found = self.line.scan("content.decided")
        return {e["item_id"]: e for e in reversed(found) if e["final"] is (e["decision_seq"] == 0)}

    def live(self, version: str) -> None:
        """Send items until one is decided by this policy."""
        wait_for(f"policy {version}", lambda: self._decided_by() == version)

    def _decided_by(self) -> str:
        self.send(1)
        return str(self.outcomes()[f"past-{self.sent - 1}"]["policy_version"])

    def alarm(self, active: bool) -> None:
        now = from_millis(now_ms())
        event = AlarmRaised(
            event_id=fresh_id(),
            occurred_at=now,
            alarm="model_against_people",
            active=active,
            category="toxicity",
            model_version=MODEL,
            value=0.5,
            limit=0.3,
            count=50,
            window_start=now,
            window_end=now,
            reason="people differ",
        )
        self.line.producer.send_all(
            [self.line.publisher.outgoing(event, f"model_against_people/toxicity/{MODEL}")]
        )
        wanted = ["toxicity"] if active else []
        wait_for("the alarm", lambda: self._alarms() == wanted)

    def _alarms(self) -> list[str]:
        self.send(1)
        return list(self.outcomes()[f"past-{self.sent - 1}"]["circumstances"].get("alarms", ()))


@pytest.fixture(scope="module")
def past(line: Line) -> Iterator[Past]:
    """A history with everything in it."""
    versions = [line.release(caps={"remove": 8})]
    line.start("router")
    wait_for("the router", lambda: line.readiness("router") == "ready")
    past = Past(line)
    past.live(versions[0])
    past.send(100)
    past.alarm(True)
    past.send(30)
    past.alarm(False)
    past.live(line.release(caps={"remove": 8}, automation=False))
    past.send(30)
    budget = {"budget": {"reviews_per_hour": 300}, "fallback": "remove", "while_pending": "hold"}
    past.live(line.release(caps={"remove": 8}, categories=CHANGED, **budget))
    past.send(100)
    copied = {"text_hash": "c" * 32, "toxicity": 0.5}
    past.live(line.release())
    past.send(3, **copied)
    (task,) = [e["task_id"] for e in line.asked(f"past-{past.sent - 1}")]
    line.send(settlement(task))
    wait_for("copies", lambda: len(line.scan("text.decided")) == 1)
    wait_for(
        "the open ones", lambda: sum(e["basis"] == "duplicate" for e in line.scan("content.decided")) == 2
    )
    past.send(5, **copied)
    past.send(4, slow_until=from_millis(now_ms() + 1_500))
    line.kill("router")
    past.send(40)
    yield past


@pytest.fixture
def run(line: Line, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SLUICEGATE_KAFKA", line.settings.kafka)
    monkeypatch.setenv("SLUICEGATE_VAR", str(line.folder))
    monkeypatch.setenv("SLUICEGATE_ANALYTICS_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SLUICEGATE_ANALYST_KEY", "sk_none")

    def invoke(*arguments: str) -> Result:
        found = CliRunner().invoke(main, ["policy", "backtest", *arguments], catch_exceptions=False)
        assert found.exit_code == 0, found.output
        return found

    return invoke


@pytest.fixture
def documents(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka may have compacted earlier policies away: then analytics would be asked, which is not here."""
    assert len({e["policy_version"] for e in line.scan("policy.released")}) == 4


def test_the_live_policies_change_nothing(past: Past, run: Any, documents: None) -> None:
    found = json.loads(run("--live", "--json").stdout)
    assert found["examples"] == []
    assert (found["items"], found["differences"], found["notes"]) == (past.sent, 0, [])
    kinds = {each["from"] for each in found["decisions"]}
    assert kinds >= {
        "review capped",
        "review alarm",
        "review automation_off",
        "remove duplicate",
        "remove automated",
    }


def test_a_part_of_it_changes_nothing_either(past: Past, run: Any, documents: None) -> None:
    outcomes = sorted(past.outcomes().values(), key=lambda e: e["occurred_at"])
    middle = outcomes[len(outcomes) // 2]["occurred_at"]
    late = json.loads(run("--live", "--json", "--since", middle).stdout)
    early = json.loads(run("--live", "--json", "--until", middle).stdout)
    assert late["differences"] == early["differences"] == 0
    assert 0 < late["items"] < past.sent and 0 < early["items"] < past.sent
    few = json.loads(run("--live", "--json", "--limit", "11").stdout)
    assert few["items"] == 11


def test_a_candidate_shows_what_would_change(past: Past, line: Line, run: Any) -> None:
    now = from_millis(now_ms())
    label = LabelRecorded(
        event_id="7" * 32,
        occurred_at=now,
        task_id="demo/past-1@1.audit",
        source="demo",
        item_id="past-1",
        revision=1,
        kind="post",
        action="allow",
        purpose="audit",
        queue="audit",
        selection=Selection(reason="sampled", probability=0.1),
        agreement=1.0,
    )
    line.send(label)
    path = line.folder / "candidate.yaml"
    path.write_text(yaml.safe_dump({**DOCUMENT, "categories": CHANGED}))
    found = json.loads(run(str(path), "--json").stdout)
    assert found["items"] == past.sent and found["differences"] > 20 and found["labels"] == 1
    moved = {(each["from"], each["to"]) for each in found["decisions"]}
    assert ("remove automated", "review uncertain") in moved and (
        "review capped",
        "remove automated",
    ) in moved
    assert ("review alarm", "review alarm") in moved, "what was under an alarm stays so"
    told = run(str(path)).stdout
    assert "too few labels" in told and "differences in" in told
    assert "\x1b[2J" not in told and "\\x1b[2J" in told, "texts are printable"


def test_analytics_has_the_same_history(
    past: Past, run: Any, documents: None, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(past.line.settings.kafka, redis_url, tmp_path)
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLUICEGATE_SHARDS", str(past.line.settings.shards))
    monkeypatch.setenv("SLUICEGATE_ANALYST_KEY", create_analyst_key(Settings(**world.settings()), "ann"))
    monkeypatch.setattr(clickhouse, "PAGE", 17)
    asked = ("--live", "--source", "clickhouse", "--json")
    with world.analytics():
        wanted = json.loads(run("--live", "--json").stdout)
        wait_for("the history in analytics", lambda: json.loads(run(*asked).stdout)["items"] == past.sent)
        wait_for("its questions", lambda: json.loads(run(*asked).stdout)["notes"] == [])
        found = json.loads(run(*asked).stdout)
        assert (found["differences"], found["examples"]) == (0, [])
        assert [found[name] for name in COMMON] == [wanted[name] for name in COMMON]
        assert sorted(map(str, found["decisions"])) == sorted(map(str, wanted["decisions"]))
        middle = sorted(e["occurred_at"] for e in past.outcomes().values())[past.sent // 2]
        assert json.loads(run(*asked, "--since", middle, "--until", "2999-01-01").stdout)["differences"] == 0


def test_it_refuses_what_makes_no_sense(line: Line, run: Any) -> None:
    for arguments, reason in (
        ([], "give the FILE of a policy, or --live"),
        (["--live", "--since", "yesterday"], "an instant in UTC"),
        (["--live", "--since", "2026-02-02", "--until", "2026-02-01"], "must be before"),
    ):
        found = CliRunner().invoke(main, ["policy", "backtest", *arguments])
        assert found.exit_code == 2 and reason in found.output
