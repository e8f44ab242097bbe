"""The trade-off of risks, asked of ClickHouse's engine: the same as routing and certifying without it."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

import infra
from services.analytics.engine import Connection, connect, connect_reader
from services.analytics.migrations import load_migrations, migrate
from services.analytics.settings import AnalyticsSettings
from services.analytics.tradeoff import NO_MODEL, NO_POLICY, Tradeoff
from services.cli.tuning.audits import audits_of
from services.events.topics import load_topics
from services.events.types import Score
from services.policy.model import Risks
from services.policy.parse import parse
from services.policy.tradeoff import frontier
from services.policy.week import Week, came, counted
from services.retrainer.core.training_set import Labelled
from services.scoring import bundle

STARTER = Path(infra.__file__).parent / "starter"
MODEL = bundle.load(STARTER)
DOCUMENT = (STARTER / "policy.yaml").read_text("utf-8")
TOPICS = load_topics()
POLICY = parse(DOCUMENT, frozenset(TOPICS.queues))
TEXTS = (
    "you stupid idiot nobody likes you",
    "have a nice day and see you at lunch",
    "WIN a FREE prize now",
    "meh, whatever",
)
NOW = datetime.now(UTC)


class Rows:
    """Writes rows as the sink does, a line of JSON each."""

    def __init__(self, settings: AnalyticsSettings) -> None:
        self.client = connect(settings)
        migrate(self.client, load_migrations())
        self._offset = 0

    def add(self, table: str, *rows: dict[str, Any]) -> None:
        lines = []
        for row in rows:
            self._offset += 1
            place = {"_topic": table, "_partition": 0, "_offset": self._offset, "_timestamp": NOW.isoformat()}
            lines.append(msgspec.json.encode(place | {"event_id": f"{self._offset:032x}"} | row))
        settings = {"date_time_input_format": "best_effort"}
        self.client.raw_insert(
            f"sluicegate.{table}", insert_block=b"\n".join(lines), fmt="JSONEachRow", settings=settings
        )


@pytest.fixture
def settings(tmp_path: Path) -> AnalyticsSettings:
    return AnalyticsSettings(var=tmp_path, clickhouse_url="")


@pytest.fixture
def rows(settings: AnalyticsSettings) -> Iterator[Rows]:
    made = Rows(settings)
    yield made
    made.client.close()


@pytest.fixture
def tradeoff(rows: Rows, settings: AnalyticsSettings) -> Iterator[Tradeoff]:
    connection = Connection(lambda: connect_reader(settings))
    yield Tradeoff(connection, settings.var, TOPICS, clock=iter(range(0, 10_000, 100)).__next__)
    connection.close()


def of(tradeoff: Tradeoff, category: str | None = None) -> dict[str, Any]:
    return tradeoff.of(category, 0.95, int(NOW.timestamp()) + 5)


def release(rows: Rows) -> None:
    rows.add("policy_released", {"policy_version": POLICY.version, "document": DOCUMENT})
    release_of = {"tier": "fast", "model_version": MODEL.model_version, "bundle": str(STARTER)}
    rows.add("model_released", release_of)


def scores(text: str) -> list[dict[str, Any]]:
    found = MODEL.classifier.classify([text]).probability[0]
    return [
        {"category": name, "probability": float(p)} for name, p in zip(MODEL.categories, found, strict=True)
    ]


def test_nothing_live_is_said(tradeoff: Tradeoff, rows: Rows) -> None:
    assert of(tradeoff) == {"missing": NO_POLICY}
    rows.add("policy_released", {"policy_version": POLICY.version, "document": DOCUMENT})
    assert of(tradeoff) == {"missing": NO_MODEL}


def test_without_audits_it_says_how_many_are_needed(tradeoff: Tradeoff, rows: Rows) -> None:
    release(rows)
    found = of(tradeoff)
    assert found["drawable"] is False and found["labels"] == 0 < found["least_violating"]
    assert "63 more are needed" in " ".join(found["why"]) and found["moves"] == []


def test_last_week_and_every_stop_are_those_of_policy_and_certificates(
    tradeoff: Tradeoff, rows: Rows
) -> None:
    release(rows)
    luck = random.Random(4)
    texts = [f"{luck.choice(TEXTS)} {luck.choice(TEXTS)} {n}" for n in range(400)]
    told = [
        Labelled(text, {"toxicity": "idiot" in text}, 0.25, f"{n:05}", 0, n) for n, text in enumerate(texts)
    ]
    item = {"source": "demo", "revision": 1}
    rows.add(
        "label_recorded",
        *(
            item
            | {"item_id": f"l{n}", "text": label.text, "occurred_at": NOW.isoformat()}
            | {"labels": [{"category": "toxicity", "value": label.answers["toxicity"]}]}
            | {"selection": {"reason": "sampled", "probability": 0.25}}
            for n, label in enumerate(told)
        ),
    )
    decision = item | {"decision_seq": 0, "final": True, "basis": "automated", "rule": "toxicity"}
    decision["model_version"] = MODEL.model_version
    scored = [scores(text) for text in texts]
    rows.add(
        "content_decided", *(decision | {"item_id": f"d{n}", "scores": s} for n, s in enumerate(scored[:300]))
    )
    asked = {"decision_seq": 1, "final": False, "basis": "rule", "rule": "published while people look"}
    rows.add(
        "content_decided",
        *(decision | asked | {"item_id": f"a{n}", "scores": s} for n, s in enumerate(scored[300:])),
    )
    settled = {"decision_seq": 1, "basis": "human", "item_id": "a0", "scores": scored[0]}
    rows.add("content_decided", decision | settled)
    rows.add(
        "content_decided",
        decision | {"item_id": "r", "basis": "rule", "rule": "rule links", "scores": scored[0]},
    )
    rows.add(
        "content_decided", decision | asked | {"item_id": "q", "task_id": "demo/q@1.1", "scores": scored[0]}
    )
    rows.add("review_requested", {"task_id": "demo/q@1.1", "selection": {"reason": "rule", "probability": 1}})
    rows.add("content_decided", decision | {"item_id": "o", "model_version": "another", "scores": scored[0]})
    rows.add("review_completed", {"queue": "general", "seconds_spent": 30, "retraction": False})

    found = of(tradeoff, "toxicity")

    labels = audits_of(told, MODEL, "toxicity").labels
    edge = frontier(labels, Risks(wrong_removals=0.02, missed=0.05, confidence=0.95))
    assert found["labels"] == 400 and found["violating"] == sum("idiot" in text for text in texts)
    assert [s["needed"] for s in found["removals"]] == [s.needed for s in edge.removals]
    rule = POLICY.categories["toxicity"]
    bounds = edge.thresholds(rule.remove, rule.allow)
    items = [tuple(Score(**each) for each in each_item) for each_item in scored]
    week = Week(bounds, counted(items, POLICY, "toxicity", bounds), 2, 1)
    assert (found["week"]["items"], found["week"]["fixed"], found["week"]["elsewhere"]) == (400, 2, 1)
    today = came(week, POLICY, "toxicity", rule.remove, rule.allow)
    assert (found["today"]["move"]["removed"], found["today"]["move"]["allowed"]) == (
        today.removed,
        today.allowed,
    )
    assert today.removed and today.people, "the texts are of all kinds"
    for i, removal in enumerate(edge.removals):
        for j, allowance in enumerate(edge.allowances):
            then = came(week, POLICY, "toxicity", removal.threshold, allowance.threshold)
            told_then = found["moves"][i][j]
            assert (told_then["removed"], told_then["people"]) == (then.removed, then.people)
    with pytest.raises(KeyError):
        of(tradeoff, "nonsense")
    assert "idiot" not in msgspec.json.encode(found).decode(), "no text leaves"
