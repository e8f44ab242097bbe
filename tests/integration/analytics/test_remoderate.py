"""Past items through today's model and policy: real Kafka, the router, and ClickHouse's engine."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from infra.local.ports import free_ports
from services.cli.__main__ import main
from services.cli.keys import create_analyst_key
from services.events.codec import encode
from services.events.ids import derived_id
from services.events.types import ContentClassified, ContentSubmitted, Item, Score
from services.runtime.settings import Settings
from services.scoring.bundle import load
from tests.integration.analytics.running import ROOT, World, committed, wait_until
from tests.unit.policy.making import DOCUMENT, scored
from tests.unit.router.making import settlement

FINE, UNSURE, BAD = (
    "Have a nice day, see you at lunch",
    "you are so dumb sometimes",
    "you are a stupid idiot and nobody likes you",
)
# (text, what yesterday's model said of toxicity): so that all come out otherwise then than today.
POSTS = {
    "missed": (BAD, 0.0),
    "missed-too": (BAD, 0.0),
    "wronged": (FINE, 1.0),
    "fine": (FINE, 0.0),
    "bad": (BAD, 1.0),
    "unsure": (UNSURE, 0.0),
    "people-said": (BAD, None),
    "open": (BAD, None),
    "gone": (BAD, 0.0),
}
Run = Callable[..., Result]


def records(world: World, *bases: str) -> list[dict[str, Any]]:
    """Every committed event of these topics, in the order of each partition."""
    found = sorted(committed(world.kafka).items())
    return [
        json.loads(value)
        for (topic, _, _), (_, value) in found
        if value and any(topic == base or topic.startswith(f"{base}.") for base in bases)
    ]


def final(world: World, item: str) -> list[tuple[int, str, str, str | None, int | None]]:
    """(number, action, basis, run, superseded number) of the final decisions on an item."""
    return [
        (e["decision_seq"], e["action"], e["basis"], e.get("run_id"), e.get("supersedes"))
        for e in records(world, "content.decided")
        if e["item_id"] == item and e["final"]
    ]


class Player:
    """Plays platform and classifier."""

    def __init__(self, world: World) -> None:
        self.producer = world.producer()

    def send(self, topic: str, event: Any) -> None:
        self.producer.produce(topic, encode(event), f"{event.source}/{event.item_id}")
        assert self.producer.flush(30) == 0

    def publish(self, name: str, text: str, **changes: Any) -> None:
        """An item, and what yesterday's model made of it."""
        self.send(
            "content.submitted.demo",
            ContentSubmitted(
                schema="content_submitted.v1",
                source="demo",
                item_id=name,
                revision=1,
                item=None if changes.get("withdrawn") else Item(kind="post", text=text),
                withdrawn=bool(changes.get("withdrawn")),
            ),
        )
        gone = {"item": None, "scores": (), "text_hash": None} if changes.get("withdrawn") else {}
        item: ContentClassified = scored(item_id=name, **({"text_hash": derived_id(name)} | changes | gone))
        self.send("content.classified", item)


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLUICEGATE_ANALYST_KEY", create_analyst_key(Settings(**world.settings()), "ann"))
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def test_a_run_overturns_machines_asks_people_and_leaves_what_people_decided(
    world: World, run: Run, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "infra/starter", world.var / "starter")
    bundle = load(world.var / "starter")
    column = bundle.categories.index("toxicity")
    low, middle, high = (
        float(p) for p in bundle.classifier.classify([FINE, UNSURE, BAD]).probability[:, column]
    )
    assert low < middle < high
    allow, remove = (low + middle) / 2, (middle + high) / 2
    never = {"remove": 0.999999, "allow": 0.99999, "severity": 1}  # neither model is so sure
    categories: dict[str, Any] = {name: dict(never) for name in bundle.categories}
    categories["toxicity"] = {"remove": remove, "allow": allow, "severity": 2}
    path = tmp_path / "policy.yaml"
    audit = {"share": 0, "queue": "audit", "supersede": False}
    path.write_text(yaml.safe_dump({**DOCUMENT, "categories": categories, "audit": audit}))
    done(run("model", "release", str(world.var / "starter")))
    done(run("policy", "release", str(path), "--reason", "for the test"))
    everything = ("remoderate", "--source", "demo")
    port = free_ports(1)[0]
    player = Player(world)
    with world.analytics(), world.process("services.router", port=port, metrics_port=port):
        for name, (text, said) in POSTS.items():
            toxicity = (allow + remove) / 2 if said is None else said
            of = {category: toxicity if category == "toxicity" else 0.0 for category in bundle.categories}
            scores = tuple(Score(category=category, probability=p) for category, p in of.items())
            player.publish(name, text, scores=scores)
        player.publish("gone", BAD, withdrawn=True)

        def asked(item: str) -> list[dict[str, Any]]:
            return [e for e in records(world, "review.requested") if e["item_id"] == item]

        wait_until(lambda: asked("people-said") and asked("open"), 60, "yesterday's questions")
        player.send("review.settled", settlement("demo/people-said@1.1", "allow"))
        wait_until(lambda: final(world, "people-said"), 60, "what people say")
        wait_until(lambda: len(records(world, "content.decided")) == 10, 60, "yesterday's outcomes")

        def arrived() -> bool:
            told = json.loads(
                done(run("query", "--format", "json", "SELECT count() AS n FROM content_decided"))
            )
            return bool(told[0]["n"] == len(records(world, "content.decided")))

        wait_until(arrived, 90, "analytics")
        dry = done(run(*everything, "--dry-run"))
        assert "8 items chosen; nothing was sent" in dry, dry
        assert "would change: 3 (allow → remove 2, remove → allow 1)" in dry
        assert "would be asked about: 1 (general 1)" in dry and "unchanged: 2" in dry
        assert "left as they are: 2" in dry and "people_decided 1" in dry and "withdrawn 1" in dry
        assert records(world, "content.remoderated") == []

        chosen = "SELECT source, item_id FROM standing WHERE source = 'demo'"
        live = done(run("remoderate", "--query", chosen, "--reason", "a new model", "--run", "second-look"))
        assert "8 items chosen, run second-look" in live
        assert "changed: 3" in live and "asked about: 1" in live
        wait_until(lambda: asked("unsure") and final(world, "wronged")[1:], 60, "the router")
        for name in ("missed", "missed-too"):
            wait_until(lambda item=name: final(world, item)[1:], 60, name)
            assert final(world, name) == [
                (0, "allow", "automated", None, None),
                (1, "remove", "automated", "second-look", 0),
            ]
        assert final(world, "wronged")[1] == (1, "allow", "automated", "second-look", 0)
        assert [len(final(world, name)) for name in ("fine", "bad", "people-said", "gone", "open")] == [
            1,
            1,
            1,
            1,
            0,
        ]
        (question,) = asked("unsure")
        assert (question["task_id"], question["run_id"]) == ("demo/unsure@1.1", "second-look")
        assert question["item"]["text"] == UNSURE and question["model_version"] == bundle.model_version

        # The same once more: what the router was told comes again, and the run is run again.
        count = len(records(world, "content.decided", "review.requested", "review.closed"))
        for (topic, _, _), (key, value) in sorted(committed(world.kafka).items()):
            if topic == "content.remoderated":
                player.producer.produce(topic, value, key)
        player.producer.flush(30)
        wait_until(arrived, 90, "analytics")
        again = done(run(*everything, "--reason", "once more", "--run", "second-look"))
        assert "changed: 0" in again and "asked about: 0" in again and "done_in_this_run 3" in again, again
        fresh = done(run(*everything, "--reason", "another run"))
        assert "changed: 0" in fresh and "in_review 1" in fresh, fresh
        player.send("review.settled", settlement("demo/unsure@1.1", "remove"))
        wait_until(lambda: final(world, "unsure")[1:], 60, "what people say now")
        assert final(world, "unsure")[1] == (1, "remove", "human", "second-look", 0)
        outcomes = records(world, "content.decided", "review.requested", "review.closed")
        assert len(outcomes) == count + 1, "only what people just said"
        noted = [e for e in records(world, "audit.recorded") if e["action"] == "content.remoderated"]
        assert [e["subject"] for e in noted][:2] == ["second-look"] * 2
        assert noted[0]["detail"]["reason"] == "a new model" and noted[1]["detail"]["changed"] == 3

        off = tmp_path / "off.yaml"
        off.write_text(path.read_text().replace("automation: true", "automation: false"))
        done(run("policy", "release", str(off), "--reason", "stop"))
        refused = run(*everything, "--reason", "x")
        assert refused.exit_code == 1 and "has the switch off" in refused.output
        bad = run("remoderate", "--query", "SELECT 1 AS one", "--dry-run")
        assert bad.exit_code == 1
