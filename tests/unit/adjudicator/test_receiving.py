"""Events join what is known of their task, in whatever order, and once."""

import itertools

from services.adjudicator.core import receive
from services.adjudicator.core.state import GRACE_MS, REMEMBER_MS
from tests.unit.adjudicator.making import (
    HOUR,
    LATER,
    NOW,
    UNDO,
    closing,
    due,
    labels,
    request,
    retraction,
    settled,
    task,
    told,
    verdict,
)


def test_a_vote_counts_when_it_is_final_and_a_retraction_can_no_longer_be_on_its_way() -> None:
    state = told(request(), verdict("ada"))
    assert state.due == NOW + UNDO + GRACE_MS
    assert due(state, state.due - 1).events == ()
    assert settled(due(state, state.due))


def test_votes_that_settle_nothing_are_not_looked_at_again_until_there_is_another() -> None:
    state = due(told(request(2), verdict("ada"))).state
    assert state is not None and state.due is not None and state.due > NOW + 100 * HOUR
    state = told(verdict("grace", seat=1, at=LATER), state=state, now=LATER)
    assert state.due == NOW + UNDO + GRACE_MS, "at once"


def test_a_verdict_waits_for_its_request() -> None:
    early = told(verdict("ada"))
    assert early.due == NOW + REMEMBER_MS
    assert settled(due(told(request(), state=early)))


def test_a_verdict_whose_request_never_comes_is_given_up() -> None:
    step = due(told(verdict("ada")), NOW + REMEMBER_MS)
    assert (step.state, step.events) == (None, ())


def test_a_task_that_nobody_closes_is_given_up() -> None:
    state = told(request())
    assert state.due == NOW + 100 * HOUR + REMEMBER_MS
    assert due(state, state.due).state is None


def test_a_settled_task_never_settles_again() -> None:
    done = due(told(request(), verdict("ada"))).state
    assert done is not None
    assert receive(request(), 5, done, LATER).dropped == "done"
    assert receive(verdict("grace"), 6, done, LATER).dropped == "done_verdict"
    assert due(done, LATER + 10 * HOUR).events == ()
    assert due(done, LATER + REMEMBER_MS).state is None, "it is remembered for a while only"


def test_a_repeat_changes_nothing() -> None:
    state = told(request(), verdict("ada"))
    for event in (request(), verdict("ada")):
        step = receive(event, 9, state, NOW)
        assert (step.dropped, step.state) == ("repeat", state)


def test_what_is_closed_does_not_settle_whichever_comes_first() -> None:
    for close in (closing(task()), closing(), closing(revision=2, reason="withdrawn")):
        for events in ((request(), verdict("ada"), close), (close, request(), verdict("ada"))):
            state = told(*events)
            assert state.tasks == {} and due(state).events == ()


def test_a_closing_of_one_task_leaves_the_next_alone() -> None:
    step = due(
        told(closing(task()), request(number=2), verdict("ada", task_id=task(number=2), decision_seq=2))
    )
    assert [s.task_id for s in settled(step)] == [task(number=2)]


def test_a_closing_of_an_item_leaves_newer_revisions_alone() -> None:
    newer = verdict("ada", task_id=task(2), revision=2)
    assert settled(due(told(closing(reason="withdrawn"), request(revision=2), newer)))
    assert settled(due(told(request(revision=2), newer, closing(reason="withdrawn"))))


def test_a_withdrawal_takes_the_label_with_it() -> None:
    labelled = due(told(request(), verdict("ada"))).state
    assert receive(closing(reason="withdrawn"), 0, labelled, LATER).forget_label
    assert receive(closing(reason="withdrawn"), 0, None, LATER).forget_label, (
        "one that is long forgotten here too"
    )
    assert not receive(closing(reason="edited"), 0, labelled, LATER).forget_label
    assert not receive(closing(task(), reason="expired"), 0, labelled, LATER).forget_label


def test_a_withdrawal_of_an_older_revision_leaves_the_label_of_a_newer_one() -> None:
    step = due(told(request(revision=2), verdict("ada", task_id=task(2), revision=2)))
    assert labels(step)
    assert not receive(closing(revision=1, reason="withdrawn"), 0, step.state, LATER).forget_label
    open_only = told(request(revision=2))
    assert receive(closing(revision=1, reason="withdrawn"), 0, open_only, LATER).forget_label


def test_a_closing_is_forgotten_in_the_end() -> None:
    state = told(closing(reason="withdrawn"))
    assert state.due == NOW + REMEMBER_MS and due(state, state.due).state is None


def test_a_retraction_may_come_again() -> None:
    first = verdict("ada")
    assert due(told(request(), first, retraction(first), retraction(first, NOW + 60_000))).events == ()


def test_a_copy_that_was_decided_elsewhere_gets_no_label_whether_its_votes_came_before_or_after() -> None:
    closed = closing(task(), reason="copy_decided")
    for events in itertools.permutations([request(), verdict("ada"), closed]):
        step = due(told(*events))
        assert settled(step) == [] and labels(step) == []


def test_one_that_people_decided_first_keeps_its_one_label() -> None:
    step = due(told(request(), verdict("ada")))
    assert len(labels(step)) == 1
    again = due(told(closing(task(), reason="copy_decided"), state=step.state))
    assert settled(again) == [] and labels(again) == [] and not again.forget_label
