"""Items with one text: what people decide on it reaches the open ones and those that inherited, each once."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.events.instants import from_millis
from services.events.types import ContentDecided, Precedent, TextDecided
from services.policy.allowances import ShardState, counted
from services.policy.facts import Facts
from services.policy.model import Policy
from services.router.core import ItemState, Step, classify, expire, settle
from services.router.core.copies import behind, follow, text_of
from services.router.core.tallying import did
from tests.unit.policy.making import AUDITED, DOCUMENT, NOT_AUDITED, policy, scored
from tests.unit.router.making import (
    HOUR,
    NOW,
    POLICY,
    classified,
    closings,
    decisions,
    passed,
    requests,
    settlement,
)

REMOVED = Precedent(decision="demo/first@1.1", action="remove", categories=("toxicity",))
ALLOWED = Precedent(decision="demo/other@1.2", action="allow")
TEXT = "a" * 32
ALONE = {**DOCUMENT["categories"], "toxicity": {**DOCUMENT["categories"]["toxicity"], "copies": False}}


def arrived(
    precedent: Precedent | None, draw: float = NOT_AUDITED, by: Policy = POLICY, **changes: Any
) -> Step:
    """The step for an item that comes after its text was decided."""
    item = passed(scored(**{"toxicity": 0.5, **changes}))
    return classify(item, None, by, Facts(draw=draw, precedent=precedent), NOW)


def waiting(draw: float = NOT_AUDITED) -> ItemState:
    """An open copy."""
    state = classified(scored(toxicity=0.5), draw=draw).state
    assert state is not None
    return state


def followed(
    state: ItemState | None, precedent: Precedent, by: Policy = POLICY, capped: frozenset[str] = frozenset()
) -> Step:
    assert state is not None
    return follow(state, precedent, "demo/post-1", by, capped, NOW)


def decided(step: Step) -> ContentDecided:
    (decision,) = decisions(step)
    return decision


def test_a_copy_that_comes_later_is_decided_at_once_and_remembered() -> None:
    step = arrived(REMOVED)
    decision = decided(step)
    assert (decision.decision_seq, decision.final, decision.action) == (0, True, "remove")
    assert (decision.basis, decision.rule) == ("duplicate", "copy of demo/first@1.1")
    assert decision.categories == ("toxicity",) and decision.circumstances.precedent == REMOVED
    assert requests(step) == [] and step.state is not None and text_of(step.state) == TEXT
    assert step.state.due == NOW + 7 * 24 * HOUR


def test_it_is_not_decided_twice_when_it_comes_again() -> None:
    state = arrived(REMOVED).state
    step = classify(passed(scored(toxicity=0.5)), state, POLICY, Facts(draw=0.5, precedent=REMOVED), NOW)
    assert (step.events, step.dropped, step.state) == ((), "repeat", state)


def test_an_item_without_a_copy_leaves_no_more_state_than_before() -> None:
    assert arrived(None, toxicity=0.0).state is None


def test_one_that_is_drawn_is_decided_alike_and_audited() -> None:
    step = arrived(REMOVED, AUDITED)
    assert decided(step).basis == "duplicate"
    (question,) = requests(step)
    assert (question.purpose, question.selection.reason, question.selection.probability) == (
        "audit",
        "sampled",
        0.1,
    )


def test_it_waits_for_no_slow_scores() -> None:
    late = from_millis(NOW + 5_000)
    step = arrived(REMOVED, slow_until=late)
    assert decided(step).basis == "duplicate" and decided(step).circumstances.slow is None
    assert arrived(None, slow_until=late).events == ()
    assert arrived(REMOVED, by=policy(copies=False), slow_until=late).events == ()


def test_an_open_copy_is_decided_under_the_number_of_its_request_and_its_task_closed() -> None:
    state = waiting()
    assert behind(state, REMOVED) and text_of(state) == TEXT
    step = followed(state, REMOVED)
    decision = decided(step)
    assert (decision.decision_seq, decision.final, decision.supersedes) == (1, True, None)
    assert (decision.basis, decision.rule, decision.task_id) == (
        "duplicate",
        "copy of demo/first@1.1",
        "demo/post-1@1.1",
    )
    assert closings(step) == [(1, "demo/post-1@1.1", "copy_decided")]
    assert step.state is not None and not behind(step.state, REMOVED)


def test_one_that_experts_have_is_decided_under_the_number_that_they_were_given() -> None:
    state = settle(settlement("demo/post-1@1.1", None), waiting(), POLICY, NOW).state
    step = followed(state, REMOVED)
    assert decided(step).decision_seq == 2 and closings(step) == [(1, "demo/post-1@1.2", "copy_decided")]


def test_the_verdict_that_comes_too_late_changes_nothing() -> None:
    state = followed(waiting(), REMOVED).state
    step = settle(settlement("demo/post-1@1.1", "allow"), state, POLICY, NOW)
    assert (step.events, step.dropped, step.state) == ((), "late_settlement", state)


def test_an_open_copy_that_was_drawn_gets_its_blind_audit() -> None:
    step = followed(waiting(AUDITED), REMOVED)
    (question,) = requests(step)
    assert question.purpose == "audit" and question.task_id == "demo/post-1@1.audit"
    assert decided(step).decision_seq == 1 and question.decision_seq == 2
    overturned = settle(settlement("demo/post-1@1.audit", "allow", decision_seq=2), step.state, POLICY, NOW)
    assert (decided(overturned).decision_seq, decided(overturned).supersedes) == (2, 1)
    (text,) = (event for event in overturned.events if isinstance(event, TextDecided))
    assert (text.action, text.decision_seq) == ("allow", 2)


@pytest.mark.parametrize(
    ("by", "capped"),
    [
        (policy(automation=False), frozenset()),
        (policy(copies=False), frozenset()),
        (POLICY, frozenset({"remove"})),
    ],
    ids=["switch", "policy", "cap"],
)
def test_people_keep_an_open_copy_where_it_may_not_inherit(by: Policy, capped: frozenset[str]) -> None:
    state = waiting()
    assert followed(state, REMOVED, by, capped) == Step(state)


def test_what_copies_inherit_counts_for_the_caps() -> None:
    for step in (arrived(REMOVED), followed(waiting(), REMOVED)):
        assert counted(ShardState(), did(step.events)).taken == {"remove": 1}


def test_a_reversal_takes_the_place_of_what_was_inherited_once() -> None:
    for state, seq in ((arrived(REMOVED).state, 0), (followed(waiting(), REMOVED).state, 1)):
        assert state is not None and behind(state, ALLOWED)
        step = followed(state, ALLOWED)
        decision = decided(step)
        assert (decision.decision_seq, decision.supersedes, decision.action) == (seq + 1, seq, "allow")
        assert (decision.basis, decision.rule) == ("duplicate", "copy of demo/other@1.2")
        assert (decision.item_id, decision.revision, decision.final) == ("post-1", 1, True)
        assert decision.text_hash == TEXT and decision.accepted_at == scored().accepted_at
        assert step.state is not None and followed(step.state, ALLOWED) == Step(step.state)


def test_neither_switch_nor_cap_keeps_a_mistake_in_force() -> None:
    state = arrived(REMOVED).state
    assert decided(followed(state, ALLOWED, policy(automation=False), frozenset({"allow"}))).action == "allow"


@pytest.mark.parametrize("off", [policy(copies=False), policy(categories=ALONE)], ids=["all", "toxicity"])
def test_where_decisions_are_kept_to_their_items_people_may_decide_each_otherwise(off: Policy) -> None:
    for state in (arrived(REMOVED).state, settle(settlement("demo/post-1@1.1"), waiting(), off, NOW).state):
        assert followed(state, ALLOWED, off) == Step(state)


def test_it_reaches_the_item_on_which_people_had_decided() -> None:
    settled = settle(settlement("demo/post-1@1.1"), waiting(), POLICY, NOW)
    (text,) = (event for event in settled.events if isinstance(event, TextDecided))
    assert (text.text_hash, text.action, text.decision_seq) == (TEXT, "remove", 1)
    assert decided(followed(settled.state, ALLOWED)).decision_seq == 2


def test_another_text_of_the_same_action_changes_nothing() -> None:
    state = arrived(REMOVED).state
    assert followed(state, replace(ALLOWED, action="remove")) == Step(state)


def test_an_audit_overturns_under_the_next_number_also_after_a_reversal() -> None:
    state = arrived(REMOVED, AUDITED).state
    reversed_ = followed(state, ALLOWED)
    assert decided(reversed_).decision_seq == 1
    step = settle(settlement("demo/post-1@1.audit", "remove"), reversed_.state, POLICY, NOW)
    assert (decided(step).decision_seq, decided(step).supersedes) == (2, 1)


def test_an_audit_that_agrees_leaves_it_following() -> None:
    state = arrived(REMOVED, AUDITED).state
    agreed = settle(settlement("demo/post-1@1.audit", "remove"), state, POLICY, NOW).state
    assert agreed is not None and behind(agreed, ALLOWED)


@pytest.mark.parametrize("draw", [AUDITED, NOT_AUDITED])
def test_what_machines_or_the_fallback_decided_follows_no_text(draw: float) -> None:
    machine = classified(scored(toxicity=0.99), draw=draw).state
    fallback = expire(waiting(), POLICY, NOW + 101 * HOUR).state
    for state in filter(None, (machine, fallback)):
        assert text_of(state) is None and followed(state, ALLOWED) == Step(state)


def test_what_is_withdrawn_or_edited_follows_its_old_text_no_more() -> None:
    gone = replace(scored(), withdrawn=True, item=None, scores=())
    edited = scored(toxicity=0.5, revision=2, text_hash="b" * 32)
    before = arrived(REMOVED).state
    assert text_of(classified(gone, before).state or waiting()) is None
    assert text_of(classified(edited, before).state or waiting()) == "b" * 32


def test_an_empty_item_is_a_copy_of_nothing() -> None:
    state = classified(scored(toxicity=0.5, text_hash=None)).state
    assert state is not None and text_of(state) is None


@pytest.mark.parametrize(
    ("by", "waits"),
    [
        (POLICY, True),
        (policy(automation=False), False),
        (policy(copies=False), False),
        (policy(categories=ALONE), False),
    ],
    ids=["as a rule", "switch", "policy", "category"],
)
def test_a_question_says_whether_it_may_wait_for_the_answer_to_a_copy(by: Policy, waits: bool) -> None:
    def question(step: Step) -> bool:
        (asked,) = requests(step)
        return asked.follows_text

    item = scored(toxicity=0.5)
    assert question(arrived(None, by=by)) is waits
    assert question(arrived(None, by=by, text_hash=None)) is False
    state = classified(item).state
    assert question(settle(settlement("demo/post-1@1.1", None), state, by, NOW)) is False  # experts are asked
    assert question(arrived(None, AUDITED, by, toxicity=0.99)) is False if by.automation else True
