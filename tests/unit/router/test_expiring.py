"""Deadlines that nobody met, and markers that end."""

import pytest

from services.router.core import Step, expire, settle
from services.router.core.state import REMEMBER_MS
from tests.unit.policy.making import AUDITED, policy, scored
from tests.unit.router.making import HOUR, NOW, POLICY, classified, closings, decisions, settlement

END = NOW + 100 * HOUR


def test_nothing_happens_early() -> None:
    state = classified(scored(toxicity=0.5)).state
    assert state is not None
    assert expire(state, POLICY, END - 1) == Step(state)


@pytest.mark.parametrize("fallback", ["allow", "remove"])
def test_a_task_that_nobody_answered_is_closed_and_the_fallback_decides(fallback: str) -> None:
    state = classified(scored(toxicity=0.5)).state
    assert state is not None
    step = expire(state, policy(fallback=fallback), END)
    (decision,) = decisions(step)
    assert (decision.decision_seq, decision.final, decision.basis, decision.action) == (
        1,
        True,
        "fallback",
        fallback,
    )
    assert closings(step) == [(1, "demo/post-1@1.1", "expired")]
    assert step.state is not None and step.state.due == END + REMEMBER_MS
    assert settle(settlement("demo/post-1@1.1"), step.state, POLICY, END).dropped == "late_settlement"


HELD = policy(while_pending="hold", hold={"at_most_minutes": 120, "then": "limit"})


def test_a_hold_that_lasts_too_long_ends_and_people_still_decide() -> None:
    step = classified(scored(toxicity=0.5), by=HELD)
    (held,) = decisions(step)
    assert (held.action, held.final, held.interim) == ("hold", False, 0)
    assert step.state is not None and step.state.due == NOW + 2 * HOUR
    ended = expire(step.state, HELD, NOW + 2 * HOUR)
    (decision,) = decisions(ended)
    assert (decision.decision_seq, decision.final, decision.interim) == (1, False, 1), "higher than the first"
    assert (decision.action, decision.basis, decision.task_id) == ("limit", "rule", "demo/post-1@1.1")
    assert decision.event_id != held.event_id and closings(ended) == []
    assert ended.state is not None and ended.state.due == END, "once"
    (final,) = decisions(settle(settlement("demo/post-1@1.1"), ended.state, HELD, NOW + 3 * HOUR))
    assert (final.decision_seq, final.final, final.action) == (1, True, "remove")


def test_a_hold_goes_on_through_an_escalation_and_ends_with_the_item() -> None:
    state = classified(scored(toxicity=0.5), by=HELD).state
    escalated = settle(settlement("demo/post-1@1.1", None), state, HELD, NOW + HOUR).state
    assert escalated is not None and escalated.due == NOW + 2 * HOUR
    (decision,) = decisions(expire(escalated, POLICY, escalated.due))
    assert (decision.decision_seq, decision.interim, decision.action) == (2, 1, "limit"), "as was promised"
    for step in (
        settle(settlement("demo/post-1@1.1"), state, HELD, NOW + HOUR),
        classified(scored(withdrawn=True, item=None), state, NOW + HOUR, HELD),
    ):
        assert step.state is not None and step.state.hold is None and step.state.due > END
    edited = classified(scored(toxicity=0.5, revision=2), state, NOW + HOUR, HELD).state
    assert edited is not None and edited.due == NOW + 3 * HOUR, "the new revision is held anew"


def test_an_audit_that_nobody_answered_is_closed_and_no_more() -> None:
    state = classified(scored(), draw=AUDITED).state
    assert state is not None and state.due == NOW + 80 * HOUR
    step = expire(state, POLICY, state.due)
    assert closings(step) == [(1, "demo/post-1@1.audit", "expired")] and decisions(step) == []
    assert step.state is not None and step.state.classified is None


def test_a_marker_ends() -> None:
    state = classified(scored(withdrawn=True, item=None)).state
    assert state is not None and state.due == NOW + REMEMBER_MS
    assert expire(state, POLICY, state.due) == Step(None)
