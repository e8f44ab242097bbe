"""A past item is moderated again: overturned, asked about, or left; what people decided always stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.events.codec import decode, encode
from services.events.types import ContentClassified, ContentDecided, Precedent, Stood
from services.policy.facts import Budget, Facts
from services.policy.model import Policy
from services.router.core import ItemState, Step, classify, expire, settle
from services.router.core.items import Requested
from services.router.core.remoderating import Remoderated, moderate_again
from services.router.stage import RouterStage
from services.runtime.records import Outgoing
from tests.unit.policy.making import AUDITED, NOT_AUDITED, policy, scored
from tests.unit.policy.test_any_policy import facts as any_facts
from tests.unit.policy.test_any_policy import policies
from tests.unit.router.making import HOUR, NOW, classified, closings, decisions, passed, requests, settlement
from tests.unit.router.test_stage import TOPICS, Bench, record

POLICY = policy()
RUN = "again-1"


def again(
    toxicity: float = 0.0,
    stood: str = "allow",
    seq: int = 0,
    last: int | None = None,
    basis: str = "automated",
    **changes: Any,
) -> Remoderated:
    item = passed(scored(toxicity, **changes))
    return Remoderated(
        event_id="6" * 32,
        occurred_at=item.occurred_at,
        source=item.source,
        item_id=item.item_id,
        revision=item.revision,
        run_id=RUN,
        item=item.item,
        text_hash=item.text_hash,
        scores=item.scores,
        model_version="today-1",
        tier="fast",
        standing=Stood(decision_seq=seq, last_seq=seq if last is None else last, action=stood, basis=basis),  # type: ignore[arg-type]
    )


def step(
    event: Remoderated, state: ItemState | None = None, by: Policy = POLICY, facts: Facts | None = None
) -> Step:
    return moderate_again(event, state, by, facts or Facts(draw=NOT_AUDITED), NOW)


def test_what_a_machine_decided_is_overturned_by_the_next_decision_under_the_run() -> None:
    found = step(again(0.95, "allow"))
    (decision,) = decisions(found)
    assert (decision.action, decision.decision_seq, decision.supersedes, decision.final) == (
        "remove",
        1,
        0,
        True,
    )
    assert (decision.run_id, decision.basis, decision.model_version) == (RUN, "automated", "today-1")
    assert decision.policy_version == POLICY.version and decision.rule == "toxicity 0.95 >= 0.9"
    assert found.state is not None and (found.state.decision_seq, found.state.action) == (1, "remove")


def test_once_only_though_the_event_comes_again_or_is_sent_by_another_run_that_looked_before() -> None:
    after = step(again(0.95)).state
    assert step(again(0.95), after).dropped == "decided_meanwhile"
    assert step(replace(again(0.95), run_id="again-2"), after).dropped == "decided_meanwhile"
    back = step(again(0.0, "remove", seq=1), after)
    assert [(d.action, d.decision_seq, d.supersedes) for d in decisions(back)] == [("allow", 2, 1)]


def test_an_outcome_that_is_the_same_changes_nothing() -> None:
    assert step(again(0.0, "allow")) == Step(None, dropped="unchanged")
    assert step(again(0.95, "remove")).dropped == "unchanged"


@pytest.mark.parametrize("basis", ["human", "appeal", "duplicate"])
def test_what_people_decided_stands(basis: str) -> None:
    assert step(again(0.95, "allow", seq=1, basis=basis)).dropped == "people_decided"


def marked(item: ContentClassified, by: Policy = POLICY) -> ItemState:
    """The marker of an item that was asked about and that people then allowed."""
    asked = classified(item, by=by)
    (question,) = requests(asked)
    state = settle(settlement(question.task_id, "allow"), asked.state, by, NOW).state
    assert state is not None
    return state


def test_what_people_decided_stands_though_the_run_has_not_heard_of_it() -> None:
    state = marked(scored(0.5))
    assert step(again(0.95, "allow"), state).dropped == "people_decided", "it follows its text"
    state = marked(scored(0.5, text_hash=None))
    assert step(again(0.95, "allow"), state).dropped == "decided_meanwhile"
    asked_since = again(0.95, "allow", last=1)  # the question has arrived in analytics, the answer has not
    assert step(asked_since, state).dropped == "decided_meanwhile"


def test_what_is_withdrawn_edited_with_people_or_with_the_slow_tier_is_left() -> None:
    event = again(0.95)
    gone = classified(replace(scored(), withdrawn=True, item=None, scores=(), text_hash=None)).state
    assert step(event, gone).dropped == "withdrawn"
    assert step(event, classified(scored(0.5, revision=2)).state).dropped == "edited"
    assert step(event, classified(scored(0.5)).state).dropped == "in_review"
    assert step(event, classified(scored(0.0), draw=AUDITED).state).dropped == "in_review"
    waits = scored(0.5, slow_until="2026-01-31T12:00:05.000Z")
    assert step(event, classified(waits).state).dropped == "undecided"


def test_where_the_policy_is_unsure_people_are_asked_and_what_stood_stands_meanwhile() -> None:
    found = step(again(0.5, "remove"))
    (question,) = requests(found)
    assert found.events == (question,), "no interim decision"
    assert (question.decision_seq, question.purpose, question.run_id) == (1, "decision", RUN)
    assert (question.selection.reason, question.selection.probability) == ("remoderated", 1.0)
    assert found.state is not None and found.state.action == "remove"
    assert step(again(0.5, "remove"), found.state).dropped == "in_review"


def test_people_then_decide_and_theirs_takes_the_place_of_what_stood() -> None:
    state = step(again(0.5, "remove", seq=1, last=2)).state
    done = settle(settlement("demo/post-1@1.3", "allow"), state, POLICY, NOW)
    (decision,) = decisions(done)
    assert (decision.action, decision.basis, decision.decision_seq, decision.supersedes) == (
        "allow",
        "human",
        3,
        1,
    )
    assert decision.run_id == RUN


def test_where_people_do_not_answer_or_do_not_agree_what_stood_stands() -> None:
    state = step(again(0.5, "remove")).state
    assert state is not None and state.task is not None
    late = expire(state, POLICY, state.task.expires_at)
    assert decisions(late) == [] and closings(late) == [(1, "demo/post-1@1.1", "expired")]
    assert late.state is not None and (late.state.action, late.state.task) == ("remove", None)

    escalated = settle(settlement("demo/post-1@1.1", None), state, POLICY, NOW)
    (question,) = requests(escalated)
    assert question.queue == "expert"
    split = settle(settlement(question.task_id, None, queue="expert"), escalated.state, POLICY, NOW)
    assert split.events == () and split.state is not None and split.state.action == "remove"
    agreed = settle(settlement(question.task_id, "allow", queue="expert"), escalated.state, POLICY, NOW)
    assert [d.supersedes for d in decisions(agreed)] == [0]


def test_an_edit_closes_the_question_and_is_decided_as_usual() -> None:
    state = step(again(0.5, "allow")).state
    edited = classify(passed(scored(0.0, revision=2)), state, POLICY, Facts(draw=NOT_AUDITED), NOW)
    assert closings(edited) == [(1, "demo/post-1@1.1", "edited")]
    assert [(d.revision, d.decision_seq) for d in decisions(edited)] == [(2, 0)]


def test_where_machines_are_stopped_all_stays() -> None:
    assert step(again(0.95), by=policy(automation=False)).dropped == "automation_off"
    alarm = Facts(draw=NOT_AUDITED, alarms=frozenset({("toxicity", None)}))
    assert step(again(0.95), facts=alarm).dropped == "alarm"
    unknown = policy(categories={"spam": {"remove": 0.9, "allow": 0.3, "severity": 1}})
    assert step(again(0.95), by=unknown).dropped == "no_thresholds"


def test_caps_and_the_review_budget_are_the_streams_and_audits_are_not_drawn() -> None:
    seen = Facts(
        draw=AUDITED,
        capped=frozenset({"remove"}),
        budget=Budget(threshold=None, margin=None, probability=0.0),
    )
    found = step(again(0.95), facts=seen)
    assert [d.action for d in decisions(found)] == ["remove"] and requests(found) == []
    assert len(requests(step(again(0.5), facts=seen))) == 1


def test_rules_see_the_counters_that_were_recorded() -> None:
    rule = {"name": "flood", "when": "counters.author.items_10m > 5", "then": "limit"}
    by = policy(rules=[rule])
    assert step(again(0.0), by=by).dropped == "unchanged"
    found = step(replace(again(0.0), counters={"author.items_10m": 9}), by=by)
    assert [(d.action, d.basis) for d in decisions(found)] == [("limit", "rule")]


def test_what_people_decided_on_its_text_is_inherited() -> None:
    seen = Facts(draw=NOT_AUDITED, precedent=Precedent(decision="demo/other@1.1", action="remove"))
    found = step(again(0.0, "allow"), facts=seen)
    (decision,) = decisions(found)
    assert (decision.action, decision.basis) == ("remove", "duplicate")
    assert found.state is not None and found.state.followed is not None


@given(
    st.floats(0, 1),
    policies(),
    any_facts,
    st.sampled_from(["human", "appeal", "duplicate"]),
    st.integers(0, 9),
)
def test_no_policy_overturns_people(p: float, by: Policy, seen: Facts, basis: str, seq: int) -> None:
    for stood in ("allow", "limit", "remove"):
        assert step(again(p, stood, seq, basis=basis), by=by, facts=seen).events == ()


@given(
    st.floats(0, 1), policies(), any_facts, st.sampled_from(["allow", "limit", "remove"]), st.integers(0, 900)
)
def test_there_is_at_most_one_outcome_with_the_next_number(
    p: float, by: Policy, seen: Facts, stood: str, last: int
) -> None:
    found = step(again(p, stood, 0, last), by=by, facts=seen)
    assert len(found.events) <= 1
    for event in found.events:
        assert isinstance(event, ContentDecided | Requested) and event.decision_seq == last + 1
        if isinstance(event, ContentDecided):
            assert event.action != stood and event.supersedes == 0
        again_at = found.state
        assert step(again(p, stood, 0, last), again_at, by, seen).events == ()
    assert bool(found.events) != bool(found.dropped)


def test_the_stage_makes_it_and_counts_it_for_neither_caps_nor_counters() -> None:
    bench = Bench()
    bench.release(caps={"remove": 1})
    value = encode(again(0.95))
    made = list(
        bench.stage.handle(
            [record("content.remoderated", "demo/post-1", value)] * 2, bench.states, NOW + HOUR
        )
    )
    outs = [effect for effect in made if isinstance(effect, Outgoing)]
    assert [out.base for out in outs] == ["content.decided"]
    event = decode(ContentDecided, outs[0].value or b"")
    assert (event.run_id, event.circumstances.capped) == (RUN, False)
    bench.states.apply()
    removed = bench.handle(scored(0.95, item_id="post-2", text_hash="c" * 32), key="demo/post-2")
    assert [e.base for e in removed if isinstance(e, Outgoing)] == ["content.decided"], "the cap is untouched"


def test_it_is_one_of_the_topics_of_the_router() -> None:
    assert "router" in TOPICS.topics["content.remoderated"].consumers
    assert "content.remoderated" in RouterStage.consumes
