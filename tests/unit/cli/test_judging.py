"""Past items are judged with today's models of both tiers, policy, alarms and precedents."""

from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from services.cli.again.judging import Judge, Verdict
from services.events.codec import encode
from services.events.types import TextDecided
from services.scoring.scores import Scores
from services.scoring.text_hash import text_hash
from tests.unit.router.making import NOW
from tests.unit.router.test_shadow import document
from tests.unit.router.test_stage import alarm, record, released

CATEGORIES = ("toxicity", "hate", "spam")


class Model:
    """A bundle that says of each text how toxic it is, by the text's own words."""

    def __init__(self, version: str, said: dict[str, float]) -> None:
        self.model_version, self.categories, self.operating_points = version, CATEGORIES, ()
        self.classifier, self.said = self, said
        self.asked: list[str] = []

    def classify(self, texts: list[str]) -> Scores:
        self.asked += texts
        found = np.zeros((len(texts), len(CATEGORIES)), dtype=np.float32)
        found[:, 0] = [self.said[text] for text in texts]
        return Scores(found, None)


def row(text: str, action: str = "allow", **changes: Any) -> dict[str, Any]:
    return {
        "source": "demo",
        "item_id": text,
        "revision": 1,
        "item": {"kind": "post", "text": text},
        "accepted_at": NOW,
        "last_seq": 0,
        "state": "decided",
        "decision_seq": 0,
        "action": action,
        "basis": "automated",
        "run_id": None,
        "slow": None,
        "counters": None,
    } | changes


def judge(tmp_path: Path, fast: Model, slow: Model | None = None, **changes: Any) -> Judge:
    made = Judge(tmp_path, "salt")
    made.take([record("policy.released", "live", released(document(**changes)))])
    made._fast.bundle, made._slow.bundle = fast, slow  # type: ignore[assignment]
    return made


def told(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.kind, verdict.what) for verdict in verdicts]


def test_each_item_comes_to_what_the_router_would_make_of_it(tmp_path: Path) -> None:
    fast = Model("fast-2", {"fine": 0.0, "bad": 0.95, "unsure": 0.5})
    found = judge(tmp_path, fast).judge(
        [row("fine"), row("bad"), row("bad", "remove"), row("unsure"), row("bad", basis="human")], "mine", NOW
    )
    assert told(found) == [
        ("unchanged", "allow"),
        ("changed", "allow → remove"),
        ("unchanged", "remove"),
        ("asked", "general"),
        ("left", "people_decided"),
    ]
    assert fast.asked == ["fine", "bad", "bad", "unsure"], "what people decided is not scored"
    event = found[1].event
    assert event is not None and (event.run_id, event.model_version, event.tier) == ("mine", "fast-2", "fast")
    assert event.standing.action == "allow" and found[0].event is None


def test_the_slow_model_is_asked_about_what_the_fast_one_is_unsure_of_and_what_stands_by_slow_scores(
    tmp_path: Path,
) -> None:
    fast = Model("fast-2", {"fine": 0.0, "unsure": 0.5, "subtle": 0.0})
    slow = Model("slow-1", {"unsure": 0.95, "subtle": 0.95})
    found = judge(tmp_path, fast, slow).judge(
        [row("fine"), row("unsure"), row("subtle", "remove", slow="scored")], "mine", NOW
    )
    assert told(found) == [("unchanged", "allow"), ("changed", "allow → remove"), ("unchanged", "remove")]
    assert slow.asked == ["unsure", "subtle"]
    event = found[1].event
    assert event is not None and (event.model_version, event.tier) == ("slow-1", "slow")
    alone = judge(tmp_path, fast).judge([row("subtle", "remove", slow="scored")], "mine", NOW)
    assert told(alone) == [("left", "stands_by_slow_scores")]


def test_alarms_precedents_and_the_switch_have_their_say(tmp_path: Path) -> None:
    fast = Model("starter-0123abcd", {"bad": 0.95, "fine": 0.0})
    by = judge(tmp_path, fast)
    by.take([alarm()])
    assert told(by.judge([row("bad")], "mine", NOW)) == [("left", "alarm")]
    by.take([alarm(active=False)])
    text = text_hash("demo", "post", "fine")
    assert text is not None
    decided = TextDecided(
        event_id="9" * 32,
        occurred_at="2026-01-31T12:00:00.000Z",
        text_hash=text,
        source="demo",
        item_id="other",
        revision=1,
        decision_seq=1,
        action="remove",
    )
    by.take([record("text.decided", text, encode(decided))])
    assert told(by.judge([row("fine")], "mine", NOW)) == [("changed", "allow → remove")]
    with pytest.raises(click.ClickException, match="has the switch off"):
        judge(tmp_path, fast, automation=False).judge([row("bad")], "mine", NOW)


def test_rules_see_the_counters_of_then(tmp_path: Path) -> None:
    rule = {"name": "flood", "when": "counters.author.items_10m > 5", "then": "limit"}
    by = judge(tmp_path, Model("fast-2", {"fine": 0.0}), rules=[rule])
    found = by.judge([row("fine"), row("fine", counters={"author.items_10m": 9})], "mine", NOW)
    assert told(found) == [("unchanged", "allow"), ("changed", "allow → limit")]
