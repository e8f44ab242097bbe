"""A candidate beside the live policy: it is asked, recorded and counted, and changes nothing."""

from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.events.codec import decode, encode
from services.events.instants import from_millis
from services.events.types import (
    ContentClassified,
    PolicyShadowed,
    ShadowCounted,
    ShadowDiffered,
)
from services.policy.draw import draw
from services.policy.parse import policy_version
from services.router import shadow as shadowing
from services.router.settings import RouterSettings
from services.router.stage import Kept, RouterStage
from services.runtime.records import Outgoing, Record
from services.runtime.stage import Effect
from services.runtime.states import Shard, States
from tests.unit.policy.making import DOCUMENT, scored
from tests.unit.router.making import NOW
from tests.unit.router.test_inline import VERDICT
from tests.unit.router.test_slow import slowly, unsure
from tests.unit.router.test_stage import TOPICS, record, released

SHADOW_TOPICS = ("shadow.differed", "shadow.counted")
QUIET = {**DOCUMENT["audit"], "share": 0}
STRICT: dict[str, Any] = {"categories": {**DOCUMENT["categories"], "toxicity": {"remove": 0.5, "allow": 0.1}}}
STRICT["categories"]["toxicity"]["severity"] = 2


def document(**changes: Any) -> str:
    return yaml.safe_dump({**DOCUMENT, "audit": QUIET, **changes})


def trial(text: str, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "event_id": "7" * 32,
        "occurred_at": from_millis(NOW),
        "active": True,
        "policy_version": policy_version("trial", text),
        "document": text,
        "shadowed_by": "cli:test",
        "reason": "a test",
    }
    return encode(PolicyShadowed(**(fields | changes)))


class Bench:
    """A stage and its state, as the loop keeps it; `wrote` is all that was committed."""

    def __init__(self, live: str, candidate: bytes | None = None, **changes: Any) -> None:
        self.settings = RouterSettings(
            **{"sampling_salt": "trial", "shards": 1, "shadow_core_share": 1} | changes
        )
        self.stage = RouterStage(self.settings, TOPICS)
        self.states: States[Kept] = States()
        self.states.shards[0] = Shard()
        self.wrote: list[Outgoing] = []
        self.stage.broadcast(record("policy.released", "live", released(live)))
        if candidate is not None:
            self.hear(candidate)

    def hear(self, value: bytes | None) -> None:
        self.stage.broadcast(record("policy.shadowed", "candidate", value))

    def records(self, items: Sequence[ContentClassified], at: int) -> list[Record]:
        base = "content.classified"
        return [
            Record(base, base, 0, n, f"demo/{item.item_id}".encode(), encode(item), at)
            for n, item in enumerate(items)
        ]

    def handle(self, *items: ContentClassified, at: int = NOW, now: int | None = None) -> list[Effect]:
        batch = self.records(items, at)
        return self.commit(list(self.stage.handle(batch, self.states, now or at)))

    def wake(self, item_id: str, now: int) -> list[Effect]:
        return self.commit(list(self.stage.wake(0, f"demo/{item_id}".encode(), self.states, now)))

    def commit(self, effects: list[Effect]) -> list[Effect]:
        self.states.apply()
        self.wrote += [effect for effect in effects if isinstance(effect, Outgoing)]
        return effects

    @property
    def differed(self) -> list[ShadowDiffered]:
        return [decode(ShadowDiffered, o.value or b"") for o in self.wrote if o.base == "shadow.differed"]

    @property
    def counted(self) -> list[ShadowCounted]:
        return [decode(ShadowCounted, o.value or b"") for o in self.wrote if o.base == "shadow.counted"]

    def told(self) -> tuple[int, int, int, int]:
        """(items, differed, failed, skipped), summed up."""
        found = self.counted
        return (
            sum(each.items for each in found),
            sum(each.differed for each in found),
            sum(each.failed for each in found),
            sum(each.skipped for each in found),
        )


def test_what_it_would_do_otherwise_is_written_with_both_outcomes_and_all_is_counted() -> None:
    bench = Bench(document(), trial(document(**STRICT)))
    bench.handle(
        *(scored(p, item_id=f"post-{n}", text_hash=f"{n:032x}") for n, p in enumerate([0.0, 0.6, 0.2, 0.95]))
    )
    first, second = bench.differed
    assert (first.item_id, first.live.outcome, first.live.queue) == ("post-1", "review", "general")
    assert (first.live.because, first.shadow.because) == ("uncertain", "toxicity 0.6 >= 0.5")
    assert (first.shadow.outcome, first.shadow.categories) == ("remove", ("toxicity",))
    assert first.differs == ("outcome", "queue")
    assert (second.item_id, second.live.outcome, second.shadow.outcome) == ("post-2", "allow", "review")
    assert second.differs == ("outcome", "queue", "categories")
    assert first.policy_version == policy_version("trial", document())
    assert first.shadow_version == policy_version("trial", document(**STRICT)) == second.shadow_version
    (counted,) = bench.counted
    assert (counted.items, counted.differed, counted.failed, counted.skipped) == (4, 2, 0, 0)
    assert {(p.live, p.live_queue, p.shadow, p.shadow_queue): p.count for p in counted.pairs} == {
        ("allow", None, "allow", None): 1,
        ("review", "general", "remove", None): 1,
        ("allow", None, "review", "general"): 1,
        ("remove", None, "remove", None): 1,
    }


posts = st.lists(
    st.builds(
        lambda p, hate, spam, number, revision, withdrawn: (
            scored(p, hate, spam, revision, item_id=f"post-{number}", text_hash=f"{number:032x}")
            if not withdrawn
            else scored(
                revision=revision, item_id=f"post-{number}", withdrawn=True, item=None, text_hash=None
            )
        ),
        st.floats(0, 1),
        st.floats(0, 1),
        st.sampled_from([0.0, 0.5, 0.95]),
        st.integers(0, 4),
        st.integers(1, 3),
        st.booleans(),
    ),
    max_size=12,
)
policies = st.fixed_dictionaries(
    {},
    optional={
        "automation": st.booleans(),
        "caps": st.sampled_from([{"remove": 1}, {"allow": 2, "limit": 1}]),
        "budget": st.just({"reviews_per_hour": 3}),
        "audit": st.just({**QUIET, "share": 0.5}),
        "while_pending": st.sampled_from(["publish", "hold"]),
        "rules": st.just([{"name": "r", "when": "scores.spam > 0.4", "then": "remove"}]),
        "categories": st.just(STRICT["categories"]),
    },
)


@settings(max_examples=100)
@given(posts, policies, policies, st.sampled_from([1.0, 0.5]), st.booleans())
def test_nothing_live_changes_whatever_the_candidate_and_whatever_happens_to_it(
    items: list[ContentClassified], live: dict[str, Any], other: dict[str, Any], share: float, breaks: bool
) -> None:
    alone = Bench(document(**live))
    beside = Bench(document(**live), trial(document(name="other", **other), share=share))
    with pytest.MonkeyPatch.context() as patch:
        if breaks:
            patch.setattr(shadowing, "route", lambda *given: 1 / 0)
        for at in range(0, len(items), 3):
            now = NOW + at * 20_000
            without, with_it = (
                alone.handle(*items[at : at + 3], at=now),
                beside.handle(*items[at : at + 3], at=now),
            )
            assert without == [e for e in with_it if getattr(e, "base", "") not in SHADOW_TOPICS]
    assert alone.states.shards[0].states == beside.states.shards[0].states
    decided = {
        (o.key, o.event.revision)  # type: ignore[union-attr]
        for o in alone.wrote
        if o.base == "content.decided"
        and draw(b"trial", "shadow", o.key.decode()) < share
        and (o.event.decision_seq == 0 or not o.event.final)  # type: ignore[union-attr]
    }
    asked, differed, failed, skipped = beside.told()
    assert (asked == 0) if breaks else (failed == 0)
    assert asked + failed >= len(decided) and skipped == 0
    assert differed == len(beside.differed) <= asked
    assert sum(pair.count for each in beside.counted for pair in each.pairs) == asked


def test_an_error_of_the_candidate_is_counted_and_the_item_is_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(document(), trial(document(**STRICT)))
    monkeypatch.setattr(shadowing, "certified", lambda *given: 1 / 0)
    effects = bench.handle(scored(0.6), scored(0.0, item_id="post-2"))
    assert [e.base for e in effects if isinstance(e, Outgoing)] == [
        "review.requested",
        "content.decided",
        "content.decided",
        "shadow.counted",
    ]
    assert bench.told() == (0, 0, 2, 0)


def test_it_is_asked_about_its_share_of_the_items_the_same_ones_always() -> None:
    bench = Bench(document(), trial(document(**STRICT), share=0.3))
    items = [scored(0.6, item_id=f"post-{n}", text_hash=f"{n:032x}") for n in range(200)]
    bench.handle(*items)
    wanted = {item.item_id for item in items if draw(b"trial", "shadow", f"demo/{item.item_id}") < 0.3}
    assert {event.item_id for event in bench.differed} == wanted and 40 < len(wanted) < 80
    assert bench.told() == (len(wanted), len(wanted), 0, 0)


def test_it_is_over_when_its_time_is_up_by_the_time_of_the_record() -> None:
    bench = Bench(document(), trial(document(**STRICT), until=from_millis(NOW)))
    bench.handle(scored(0.6), at=NOW - 1, now=NOW + 1_000)
    assert bench.told() == (1, 1, 0, 0)
    bench.handle(scored(0.6, item_id="post-2"), at=NOW)
    assert bench.told() == (1, 1, 0, 0)


def test_it_is_over_when_it_is_released_or_stopped_or_cannot_be_read() -> None:
    for number, over in enumerate(("released", "stopped", "tombstone", "bad")):
        bench = Bench(document(), trial(document(**STRICT)))
        bench.handle(scored(0.6))
        assert bench.told() == (1, 1, 0, 0)
        if over == "released":
            bench.stage.broadcast(record("policy.released", "live", released(document(**STRICT))))
        else:
            values = {
                "stopped": trial("", active=False, document=None),
                "tombstone": None,
                "bad": trial("name: ["),
            }
            bench.hear(values[over])
        bench.handle(scored(0.6, item_id=f"post-{number + 2}"))
        assert bench.told() == (1, 1, 0, 0), over


def test_another_candidate_takes_its_place() -> None:
    bench = Bench(document(), trial(document(**STRICT)))
    bench.hear(trial(document(automation=False), event_id="8" * 32))
    bench.handle(scored(0.0))
    (event,) = bench.differed
    assert (event.shadow_id, event.shadow.because) == ("8" * 32, "automation_off")


def test_items_of_a_worker_that_is_behind_are_passed_over_and_counted() -> None:
    bench = Bench(document(), trial(document(**STRICT)), shadow_behind_seconds=2)
    bench.handle(scored(0.6), at=NOW, now=NOW + 2_001)
    bench.handle(scored(0.6, item_id="post-2"), at=NOW + 1, now=NOW + 2_001)
    assert bench.told() == (1, 1, 0, 1)


def test_beyond_its_share_of_a_core_items_are_passed_over_until_it_is_paid_off() -> None:
    bench = Bench(document(), shadow_core_share=0.3)
    time, spent = [0.0], iter(range(1000))
    shadow = bench.stage._shadow = shadowing.Shadow(
        bench.settings,
        frozenset(TOPICS.queues),
        168,
        bench.stage._models,
        lambda names: "",
        bench.stage._publisher,
        clock=lambda: time[0],
        cpu=lambda: next(spent) * 0.4,  # 0.4 s for an item
    )
    shadow.take(trial(document(**STRICT)))
    bench.handle(*(scored(0.6, item_id=f"post-{n}") for n in range(5)))
    assert bench.told() == (2, 2, 0, 3), "0.5 s may be owed, two items owe 0.8"
    time[0] = 1.1  # 0.33 s are paid, at 0.3 of a core
    bench.handle(scored(0.6, item_id="post-9"))
    assert bench.told() == (3, 3, 0, 3)


def test_it_has_caps_of_its_own_and_takes_none_of_the_live_ones() -> None:
    strict = {**STRICT, "caps": {"remove": 2}}
    bench = Bench(document(caps={"remove": 4}), trial(document(**strict)))
    items = [scored(0.95, item_id=f"post-{n}", text_hash=f"{n:032x}") for n in range(6)]
    bench.handle(*items)
    live = [event.event for event in bench.wrote if event.base == "review.requested"]
    assert [event.item_id for event in live] == ["post-4", "post-5"]  # type: ignore[union-attr]
    assert [(e.item_id, e.live.outcome, e.shadow.because) for e in bench.differed] == [
        ("post-2", "remove", "capped"),
        ("post-3", "remove", "capped"),
    ]
    bench.handle(scored(0.95, item_id="later", text_hash="b" * 32), at=NOW + 60_000)
    assert len(bench.differed) == 2, "a new minute"


def test_of_a_share_of_the_items_it_has_that_share_of_its_caps() -> None:
    strict = {**STRICT, "caps": {"remove": 10}}
    bench = Bench(document(), trial(document(**strict), share=0.5))
    bench.handle(*(scored(0.95, item_id=f"post-{n}", text_hash=f"{n:032x}") for n in range(60)))
    removed = sum(p.count for each in bench.counted for p in each.pairs if p.shadow == "remove")
    assert removed == 5 and bench.told()[0] > 20


def test_it_has_a_budget_of_its_own() -> None:
    bench = Bench(document(), trial(document(budget={"reviews_per_hour": 6}, name="thrifty")))
    bench.handle(*(scored(0.6, item_id=f"post-{n}", text_hash=f"{n:032x}") for n in range(40)))
    asked = sum(p.count for each in bench.counted for p in each.pairs if p.shadow == "review")
    assert 1 <= asked <= 6 and bench.told()[0] == 40
    assert all(e.shadow.because and "no time" in e.shadow.because for e in bench.differed)


def test_audits_are_told_where_they_differ() -> None:
    bench = Bench(document(), trial(document(audit={**QUIET, "share": 1.0})))
    bench.handle(scored(0.0))
    (event,) = bench.differed
    assert (event.differs, event.live.audited, event.shadow.audited) == (("audited",), False, True)
    assert (bench.counted[0].live_audited, bench.counted[0].shadow_audited) == (0, 1)


def test_it_sees_the_merged_scores_of_both_tiers_and_an_item_that_waits_only_once() -> None:
    bench = Bench(document(), trial(document(**STRICT)))
    bench.handle(unsure())
    assert bench.told() == (0, 0, 0, 0), "it waits"
    bench.handle(slowly(0.7))
    (event,) = bench.differed
    assert event.scores[0].probability == 0.7 and event.model_version == "tiny-0123abcd"
    assert (event.live.outcome, event.shadow.outcome) == ("review", "remove")
    assert bench.told() == (1, 1, 0, 0)


def test_an_item_whose_slow_scores_are_late_is_looked_at_when_it_is_decided() -> None:
    bench = Bench(document(), trial(document(**STRICT)))
    bench.handle(unsure())
    bench.wake("post-1", NOW + 5_000)
    (event,) = bench.differed
    assert (event.live.outcome, event.shadow.outcome) == ("review", "remove")
    assert len({out.value for out in bench.wrote if out.base == "shadow.counted"}) == 1


def test_a_verdict_in_line_is_held_against_the_candidate_too() -> None:
    bench = Bench(document(), trial(document(**STRICT)))
    bench.handle(scored(0.0, inline=VERDICT))
    (event,) = bench.differed
    assert (event.policy_version, event.live.outcome, event.live.because) == (
        "yesterday-1",
        "remove",
        VERDICT.rule,
    )
    assert event.shadow.outcome == "allow"


def test_withdrawals_repeats_and_what_people_decide_are_no_outcomes_of_a_policy() -> None:
    bench = Bench(document(), trial(document(**STRICT)))
    bench.handle(scored(0.6), scored(0.6))
    assert bench.told() == (1, 1, 0, 0)
    bench.handle(scored(withdrawn=True, item=None, text_hash=None))
    assert bench.told() == (1, 1, 0, 0)


def test_a_batch_that_is_handled_again_tells_once_and_the_same() -> None:
    bench = Bench(document(), trial(document(**STRICT)))
    batch = bench.records([scored(0.6), scored(0.0, item_id="post-2")], NOW)
    aborted = list(bench.stage.handle(batch, bench.states, NOW))
    bench.states.drop()
    again = bench.commit(list(bench.stage.handle(batch, bench.states, NOW)))
    assert [e.event for e in aborted if isinstance(e, Outgoing)] == [
        e.event for e in again if isinstance(e, Outgoing)
    ]
    half = bench.stage.handle(batch, bench.states, NOW)
    next(half)  # given up in the middle
    bench.states.drop()
    assert bench.commit(list(bench.stage.handle([], bench.states, NOW))) == []
