"""Scored items, edits, repeats and withdrawals."""

from msgspec.structs import replace

from services.events.codec import encode
from services.events.instants import from_millis
from services.events.types import ContentDecided
from tests.unit.policy.making import AUDITED, policy, scored
from tests.unit.router.making import HOUR, NOW, classified, closings, decisions, requests

SURE, UNSURE = scored(hate=0.95), scored(toxicity=0.5)
WITHDRAWAL = replace(scored(), withdrawn=True, item=None, scores=(), text_hash=None, model_version=None)


def test_what_the_machine_decides_leaves_no_state() -> None:
    step = classified(SURE)
    assert step.state is None
    (decision,) = step.events
    assert isinstance(decision, ContentDecided)
    assert (decision.decision_seq, decision.final, decision.action, decision.basis) == (
        0,
        True,
        "remove",
        "automated",
    )
    assert decision.policy_version == policy().version and decision.model_version == SURE.model_version
    assert decision.circumstances.automation and decision.circumstances.draw == 0.5


def test_its_repeat_is_the_same_decision_again() -> None:
    first, second = classified(SURE).events, classified(SURE, now=NOW + 5).events
    assert [event.event_id for event in first] == [event.event_id for event in second]  # type: ignore[attr-defined]


def test_the_borderline_goes_to_people_with_an_interim_decision() -> None:
    step = classified(UNSURE)
    (request,), (interim,) = requests(step), decisions(step)
    assert request.task_id == "demo/post-1@1.1" and request.purpose == "decision"
    assert (request.queue, request.votes_wanted, request.severity) == ("general", 2, 2)
    assert request.deadline == from_millis(NOW + HOUR) and request.expires_at == from_millis(NOW + 100 * HOUR)
    assert request.selection.reason == "uncertain" and request.selection.probability == 1
    assert (interim.decision_seq, interim.final, interim.action) == (1, False, "allow")
    assert step.state is not None and step.state.due == NOW + 100 * HOUR
    for event in step.events:
        encode(event)  # its own schema takes it


def test_a_policy_may_hold_what_people_look_at() -> None:
    (interim,) = decisions(classified(UNSURE, by=policy(while_pending="hold")))
    assert (interim.action, interim.final) == ("hold", False)


def test_a_repeat_asks_nobody_again() -> None:
    state = classified(UNSURE).state
    again = classified(UNSURE, state, NOW + 1)
    assert (again.state, again.events, again.dropped) == (state, (), "repeat")


def test_the_drawn_are_decided_and_people_are_asked_blind() -> None:
    step = classified(SURE, draw=AUDITED)
    (decision,), (request,) = decisions(step), requests(step)
    assert (decision.decision_seq, decision.final, decision.action) == (0, True, "remove")
    assert (request.task_id, request.purpose, request.queue) == ("demo/post-1@1.audit", "audit", "audit")
    assert request.selection.reason == "sampled" and request.selection.probability == 0.1
    assert classified(SURE, step.state, draw=AUDITED).dropped == "repeat"


def test_what_the_plan_draws_says_so_and_how_likely_it_was() -> None:
    plan = [{"category": "hate", "from": 0.9, "to": 1, "share": 0.7}]
    planned = policy(audit={"share": 0.1, "queue": "audit", "supersede": True, "plan": plan})
    (decision,), (request,) = (of(classified(SURE, by=planned)) for of in (decisions, requests))
    assert decision.action == "remove" and request.purpose == "audit"
    assert (request.selection.reason, request.selection.probability) == ("planned", 0.7)
    encode(request)
    assert not requests(classified(scored(), by=planned)), "another score, another share"


def test_an_edit_closes_what_people_have_of_the_older_revision() -> None:
    state = classified(UNSURE).state
    step = classified(replace(UNSURE, revision=2), state)
    assert closings(step) == [(1, "demo/post-1@1.1", "edited")]
    assert [request.task_id for request in requests(step)] == ["demo/post-1@2.1"]
    assert step.state is not None and step.state.revision == 2


def test_an_edit_closes_an_audit_too() -> None:
    state = classified(SURE, draw=AUDITED).state
    assert closings(classified(replace(SURE, revision=2), state)) == [(1, "demo/post-1@1.audit", "edited")]


def test_an_edit_that_the_machine_decides_leaves_a_marker_so_that_nothing_late_is_asked() -> None:
    state = classified(UNSURE).state
    step = classified(replace(SURE, revision=2), state)
    assert step.state is not None and step.state.task is None
    late = classified(UNSURE, step.state)
    assert closings(late) == [(1, None, "edited")] and late.state == step.state
    assert classified(replace(SURE, revision=2), step.state).dropped == "repeat"


def test_a_revision_older_than_what_is_open_is_closed_at_once() -> None:
    state = classified(replace(UNSURE, revision=3)).state
    step = classified(replace(UNSURE, revision=2), state)
    assert closings(step) == [(2, None, "edited")] and step.state == state and not decisions(step)


def test_a_withdrawal_is_an_outcome_whether_or_not_people_have_the_item() -> None:
    for state in (None, classified(UNSURE).state, classified(SURE, draw=AUDITED).state):
        step = classified(WITHDRAWAL, state)
        assert closings(step) == [(1, None, "withdrawn")]
        assert step.state is not None and step.state.withdrawn and step.state.task is step.state.audit is None


def test_what_is_withdrawn_stays_so_until_a_higher_revision_comes() -> None:
    state = classified(replace(WITHDRAWAL, revision=2)).state
    assert classified(replace(UNSURE, revision=2), state).dropped == "withdrawn"
    assert closings(classified(UNSURE, state)) == [(1, None, "withdrawn")]
    assert classified(replace(WITHDRAWAL, revision=2), state).dropped == "repeat"
    again = classified(replace(UNSURE, revision=3), state)
    assert closings(again) == [] and [r.task_id for r in requests(again)] == ["demo/post-1@3.1"]


def test_a_withdrawal_of_what_was_edited_since_leaves_the_edit_alone() -> None:
    state = classified(replace(UNSURE, revision=2)).state
    step = classified(WITHDRAWAL, state)
    assert closings(step) == [(1, None, "withdrawn")] and step.state == state
