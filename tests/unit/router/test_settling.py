"""What people decided, or could not agree on."""

import pytest

from services.events.codec import encode
from services.events.types import TextDecided
from services.router.core import ItemState, settle
from tests.unit.policy.making import AUDITED, DOCUMENT, policy, scored
from tests.unit.router.making import NOW, POLICY, classified, decisions, requests, settlement

TASK, EXPERT, AUDIT = "demo/post-1@1.1", "demo/post-1@1.2", "demo/post-1@1.audit"


@pytest.fixture
def asked() -> ItemState:
    state = classified(scored(toxicity=0.5)).state
    assert state is not None
    return state


@pytest.fixture
def audited() -> ItemState:
    state = classified(scored(), draw=AUDITED).state
    assert state is not None
    return state


def test_what_people_agree_on_is_final(asked: ItemState) -> None:
    step = settle(settlement(TASK), asked, POLICY, NOW)
    (decision,) = decisions(step)
    assert (decision.decision_seq, decision.final, decision.action) == (1, True, "remove")
    assert (decision.basis, decision.rule, decision.task_id) == ("human", "1 of 1 votes", TASK)
    assert decision.categories == ("toxicity",)
    assert [encode(event) for event in step.events]


def test_what_people_decide_on_a_text_is_told(asked: ItemState) -> None:
    (told,) = [e for e in settle(settlement(TASK), asked, POLICY, NOW).events if isinstance(e, TextDecided)]
    assert (told.text_hash, told.action, told.decision_seq) == ("a" * 32, "remove", 1)


def test_a_settlement_has_its_effect_once(asked: ItemState) -> None:
    marker = settle(settlement(TASK), asked, POLICY, NOW).state
    assert marker is not None and marker.task is None
    assert settle(settlement(TASK), marker, POLICY, NOW).dropped == "late_settlement"
    assert classified(scored(toxicity=0.5), marker).dropped == "repeat"


def test_a_settlement_of_what_is_no_longer_open_is_dropped(asked: ItemState) -> None:
    edited = classified(scored(toxicity=0.5, revision=2), asked).state
    withdrawn = classified(scored(withdrawn=True, item=None), asked).state
    for state in (None, edited, withdrawn):
        step = settle(settlement(TASK), state, POLICY, NOW)
        assert (step.dropped, step.events, step.state) == ("late_settlement", (), state)


def test_where_people_do_not_agree_the_experts_are_asked(asked: ItemState) -> None:
    step = settle(settlement(TASK, None), asked, POLICY, NOW)
    (request,) = requests(step)
    assert (request.task_id, request.queue, request.decision_seq) == (EXPERT, "expert", 2)
    assert request.replaces == TASK and request.selection.reason == "not_agreed"
    assert decisions(step) == [], "no outcome yet"
    assert settle(settlement(TASK), step.state, POLICY, NOW).dropped == "late_settlement"
    (decision,) = decisions(settle(settlement(EXPERT, "allow"), step.state, POLICY, NOW))
    assert (decision.decision_seq, decision.action, decision.basis) == (2, "allow", "human")


@pytest.mark.parametrize("fallback", ["allow", "remove"])
def test_where_the_experts_do_not_agree_either_the_fallback_decides(asked: ItemState, fallback: str) -> None:
    by = policy(fallback=fallback)
    state = settle(settlement(TASK, None), asked, by, NOW).state
    step = settle(settlement(EXPERT, None), state, by, NOW)
    (decision,) = decisions(step)
    assert (decision.decision_seq, decision.final, decision.basis) == (2, True, "fallback")
    assert decision.action == fallback and requests(step) == []
    assert decision.categories == (("toxicity",) if fallback == "remove" else ())


def test_an_audit_that_agrees_changes_nothing(audited: ItemState) -> None:
    step = settle(settlement(AUDIT, "allow"), audited, POLICY, NOW)
    assert step.events == () and step.dropped is None
    assert step.state is not None and step.state.audit is None


def test_an_audit_that_disagrees_overturns_the_machine(audited: ItemState) -> None:
    (decision,) = decisions(settle(settlement(AUDIT, "remove"), audited, POLICY, NOW))
    assert (decision.decision_seq, decision.supersedes, decision.final) == (1, 0, True)
    assert (decision.action, decision.basis, decision.task_id) == ("remove", "human", AUDIT)


def test_unless_the_policy_says_that_audits_only_measure(audited: ItemState) -> None:
    by = policy(audit={**DOCUMENT["audit"], "supersede": False})
    assert settle(settlement(AUDIT, "remove"), audited, by, NOW).events == ()


def test_an_audit_without_a_result_goes_to_the_experts_and_stays_an_audit(audited: ItemState) -> None:
    step = settle(settlement(AUDIT, None), audited, POLICY, NOW)
    (request,) = requests(step)
    assert (request.task_id, request.purpose, request.queue) == (TASK, "audit", "expert")
    assert request.selection.reason == "sampled" and request.selection.probability == 0.1
    assert settle(settlement(TASK, None), step.state, POLICY, NOW).events == ()
    (decision,) = decisions(settle(settlement(TASK, "remove"), step.state, POLICY, NOW))
    assert (decision.decision_seq, decision.supersedes) == (1, 0)
