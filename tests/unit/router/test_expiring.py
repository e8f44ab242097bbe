"""Deadlines that nobody met, and markers that end."""

import pytest

from services.router.core import expire, settle
from services.router.core.state import REMEMBER_MS
from tests.unit.policy.making import AUDITED, policy, scored
from tests.unit.router.making import HOUR, NOW, POLICY, classified, closings, decisions, settlement

END = NOW + 100 * HOUR


def test_nothing_happens_early() -> None:
    state = classified(scored(toxicity=0.5)).state
    assert state is not None
    assert expire(state, POLICY, END - 1) == (state, (), None)


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


def test_an_audit_that_nobody_answered_is_closed_and_no_more() -> None:
    state = classified(scored(), draw=AUDITED).state
    assert state is not None and state.due == NOW + 80 * HOUR
    step = expire(state, POLICY, state.due)
    assert closings(step) == [(1, "demo/post-1@1.audit", "expired")] and decisions(step) == []
    assert step.state is not None and step.state.classified is None


def test_a_marker_ends() -> None:
    state = classified(scored(withdrawn=True, item=None)).state
    assert state is not None and state.due == NOW + REMEMBER_MS
    assert expire(state, POLICY, state.due) == (None, (), None)
