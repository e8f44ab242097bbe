"""What the router hears on broadcast topics, the keys under which it writes, and what it counts."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import infra
from services.events.codec import decode, encode
from services.events.instants import from_millis
from services.events.topics import load_topics
from services.events.types import (
    AlarmRaised,
    ModelReleased,
    PolicyReleased,
    ReviewRequested,
    ScoresSummarized,
)
from services.policy.parse import content_hash, policy_version
from services.router.core import ItemState
from services.router.settings import RouterSettings
from services.router.stage import NO_POLICY, Kept, RouterStage
from services.runtime.records import Dropped, Outgoing, Record, Rejected
from services.runtime.states import Shard, States
from services.scoring import manifest, operating_points
from services.scoring.operating_points import OperatingPoint
from tests.unit.policy.making import DOCUMENT, MODEL, scored
from tests.unit.router.making import NOW, settlement

TOPICS = load_topics()


def record(base: str, key: str, value: bytes | None) -> Record:
    return Record(base, base, 0, 0, key.encode(), value, NOW)


def released(text: str) -> bytes:
    return encode(
        PolicyReleased(
            event_id="3" * 32,
            occurred_at=from_millis(NOW),
            policy_version=policy_version("trial", text),
            content_hash=content_hash(text),
            document=text,
            released_by="cli:test",
            reason="a test",
        )
    )


def alarm(active: bool = True) -> Record:
    event = AlarmRaised(
        event_id="4" * 32,
        occurred_at=from_millis(NOW),
        alarm="model_against_people",
        active=active,
        category="toxicity",
        model_version=MODEL,
        value=0.5,
        limit=0.3,
        count=50,
        window_start=from_millis(NOW),
        window_end=from_millis(NOW),
        reason="people differ",
    )
    return record("alarm.raised", f"model_against_people/toxicity/{MODEL}", encode(event))


class Bench:
    """A stage, and its state as the loop keeps it."""

    def __init__(self) -> None:
        self.stage = RouterStage(RouterSettings(), TOPICS)
        self.states: States[Kept] = States()
        self.states.shards[0] = Shard()

    def release(self, **changes: Any) -> None:
        text = yaml.safe_dump({**DOCUMENT, "audit": {**DOCUMENT["audit"], "share": 0}, **changes})
        self.stage.broadcast(record("policy.released", "live", released(text)))

    def handle(self, event: Any, key: str = "demo/post-1") -> list[Any]:
        base = TOPICS.topics[
            "review.settled" if event.schema == "review_settled.v1" else "content.classified"
        ].name
        effects = list(self.stage.handle([record(base, key, encode(event))], self.states, NOW))
        self.states.apply()
        return effects

    def kinds(self, event: Any) -> list[str]:
        return [effect.base for effect in self.handle(event) if isinstance(effect, Outgoing)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    bench.release()
    yield bench


def test_without_a_policy_it_is_not_ready_and_says_what_to_do() -> None:
    bench = Bench()
    assert bench.stage.not_ready() == NO_POLICY and "sluicegate policy release FILE" in NO_POLICY
    bench.release()
    assert bench.stage.not_ready() == ""


@pytest.mark.parametrize("document", ["name: [", "name: bad\n", "a: &a [*a]"])
def test_a_policy_that_cannot_be_read_leaves_the_live_one_in_place(bench: Bench, document: str) -> None:
    bench.release(automation=False)
    bench.stage.broadcast(record("policy.released", "live", released(document)))
    bench.stage.broadcast(record("policy.released", "live", b"\xff"))
    assert "review.requested" in bench.kinds(scored())


def test_the_newest_policy_decides(bench: Bench) -> None:
    assert bench.kinds(scored()) == ["content.decided"]
    bench.release(automation=False)
    assert bench.kinds(scored(revision=2)) == ["review.requested", "content.decided"]


@pytest.mark.parametrize("end", [alarm(active=False), record("alarm.raised", alarm().key.decode(), None)])
def test_an_alarm_counts_until_it_is_over(bench: Bench, end: Record) -> None:
    bench.stage.broadcast(alarm())
    assert "review.requested" in bench.kinds(scored())
    bench.stage.broadcast(end)
    assert bench.kinds(scored(revision=2))[-1] == "content.decided"
    assert "review.requested" not in bench.kinds(scored(revision=3))


def test_a_record_under_another_key_is_rejected(bench: Bench) -> None:
    (effect,) = bench.handle(scored(), key="demo/post-2")
    assert isinstance(effect, Rejected) and effect.error == "wrong_key"


def test_requests_go_to_the_topic_of_their_queue_and_texts_under_their_hash(bench: Bench) -> None:
    asked = [effect for effect in bench.handle(scored(hate=0.5)) if isinstance(effect, Outgoing)]
    assert [out.topic for out in asked] == ["review.requested.expert", "content.decided"]
    assert {out.key for out in asked} == {b"demo/post-1"}
    told = bench.handle(settlement("demo/post-1@1.1"))
    assert [(out.topic, out.key) for out in told] == [
        ("content.decided", b"demo/post-1"),
        ("text.decided", b"a" * 32),
    ]


def test_what_a_platform_added_to_an_item_reaches_the_reviewer(bench: Bench) -> None:
    event = msgspec.json.decode(encode(scored(toxicity=0.5)))
    event["item"] |= {"flair": {"colour": "red"}, "author": {"id": "7", "followers": 12}}
    raw = msgspec.json.encode(event)
    effects = list(bench.stage.handle([record("content.classified", "demo/post-1", raw)], bench.states, NOW))
    request = next(e for e in effects if isinstance(e, Outgoing) and e.base == "review.requested")
    assert msgspec.json.decode(request.value or b"")["item"] == event["item"]
    assert decode(ReviewRequested, request.value or b"").item.text == "a post"


def test_a_state_survives_its_changelog(bench: Bench) -> None:
    bench.handle(scored(toxicity=0.5))
    state = bench.states.get(0, b"demo/post-1")
    assert isinstance(state, ItemState) and state.task is not None
    again = bench.stage.decode_state(bench.stage.encode_state(state))
    assert isinstance(again, ItemState)
    assert (again.task, again.due, again.circumstances) == (state.task, state.due, state.circumstances)
    assert again.classified is not None and state.classified is not None
    assert bytes(again.classified.item) == bytes(state.classified.item)


def test_a_repeat_is_dropped_and_counted(bench: Bench) -> None:
    bench.handle(scored(toxicity=0.5))
    (effect,) = bench.handle(scored(toxicity=0.5))
    assert isinstance(effect, Dropped) and effect.reason == "repeat"


def test_outcomes_are_summed_up(bench: Bench) -> None:
    assert list(bench.stage.reports(NOW)) == []
    for revision, p in enumerate([0.0, 0.0, 0.5], 1):
        bench.stage.committed(
            [e for e in bench.handle(scored(p, revision=revision)) if isinstance(e, Outgoing)]
        )
    assert list(bench.stage.reports(NOW + 9_999)) == []
    (report,) = bench.stage.reports(NOW + 10_000)
    event = report.event
    assert isinstance(event, ScoresSummarized) and event.items == 3
    assert [(o.outcome, o.basis, o.count) for o in event.outcomes] == [
        ("allow", "automated", 2),
        ("review", "uncertain", 1),
    ]
    assert list(bench.stage.reports(NOW + 20_000)) == []


def test_a_policy_that_states_risks_goes_by_the_points_of_the_model_in_the_event(tmp_path: Path) -> None:
    bundle = tmp_path / "models" / "starter"
    shutil.copytree(Path(infra.__file__).parent / "starter", bundle)
    told = manifest.decode((bundle / "manifest.json").read_bytes())
    point = OperatingPoint(
        category="toxicity",
        wrong_removals=0.02,
        missed=0.05,
        confidence=0.95,
        remove=0.7,
        allow=0.4,
        automated=0.9,
        labels=2000,
        violating=400,
        certified_at=from_millis(NOW),
        certified_by="cli:test",
    )
    operating_points.write(bundle, told.model_version, told.content_hash, [point])
    stage = RouterStage(RouterSettings(var=tmp_path), TOPICS)
    risks = {"wrong_removals": 0.02, "missed": 0.05, "confidence": 0.95}
    category = {"toxicity": {"risks": risks, "severity": 2}}
    stage.broadcast(
        record("policy.released", "live", released(yaml.safe_dump(DOCUMENT | {"categories": category})))
    )
    live = ModelReleased(
        event_id="5" * 32,
        occurred_at=from_millis(NOW),
        model_version=told.model_version,
        name=told.name,
        tier="fast",
        bundle="models/starter",
        content_hash=told.content_hash,
        released_by="cli:test",
        reason="a test",
    )
    assert stage._certified(told.model_version).categories["toxicity"].remove is None
    stage.broadcast(record("model.released", "fast", encode(live)))
    rule = stage._certified(told.model_version).categories["toxicity"]
    assert (rule.remove, rule.allow) == (0.7, 0.4)
    assert stage._certified("another-model").categories["toxicity"].remove is None
