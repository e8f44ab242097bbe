"""The count must find whatever is taken away and whatever is added; a count that cannot fail counts nothing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from loadtests.judge import Report, judge
from loadtests.manifest import Acknowledged, Line, Published, Refused, Verdict, fold
from loadtests.outcomes import OutcomeEvent, Outcomes
from services.events.types import ContentDecided, ReviewClosed, ReviewSettled
from tests.unit.loadtests.world import (
    clean,
    closed,
    completed,
    decided,
    given,
    label,
    manifest,
    name,
    requested,
    settled,
)

LINES, EVENTS = clean()


def count(lines: Sequence[Line], events: Sequence[OutcomeEvent]) -> Report:
    outcomes = Outcomes()
    for event in events:
        outcomes.add(event, 0)
    return judge(fold(lines), outcomes)


def findings(lines: Sequence[Line], events: Sequence[OutcomeEvent]) -> list[str]:
    return [f"{found.kind}: {found.what}: {found.where}" for found in count(lines, events).findings]


def test_nothing_is_found_in_a_clean_world() -> None:
    report = count(LINES, EVENTS)
    assert report.findings == []
    assert report.published == 10
    assert report.outcomes == {
        "machine": 4, "people": 2, "edited": 2, "withdrawn": 1, "fallback": 1,
    }  # fmt: skip
    assert report.verdicts == {
        "counted": 5, "retracted": 1, "task closed: edited": 1, "task closed: withdrawn": 1,
    }  # fmt: skip
    assert report.labels == 3


def test_the_order_of_topics_does_not_matter() -> None:
    assert findings(LINES, EVENTS[::-1]) == []


def optional(event: OutcomeEvent) -> bool:
    """An interim decision is one at most; what a fallback closes it also decides."""
    interim = isinstance(event, ContentDecided) and not event.final
    return interim or (isinstance(event, ReviewClosed) and event.reason == "expired")


@pytest.mark.parametrize("at", range(len(EVENTS)), ids=[name(event) for event in EVENTS])
def test_every_event_that_is_missing_is_found(at: int) -> None:
    if not optional(EVENTS[at]):
        assert findings(LINES, EVENTS[:at] + EVENTS[at + 1 :])


def test_a_missing_closing_of_an_expired_task_is_found() -> None:
    without = [e for e in EVENTS if not (isinstance(e, ReviewClosed) and e.reason == "expired")]
    assert findings(LINES, without) == [
        "lost: decision task that nobody settled or closed: demo/expiring@1.1",
    ]


@pytest.mark.parametrize("at", range(len(EVENTS)), ids=[name(event) for event in EVENTS])
def test_every_event_that_is_there_twice_is_found(at: int) -> None:
    if getattr(EVENTS[at], "retraction", False):  # taken back twice is taken back
        return
    found = findings(LINES, [*EVENTS, EVENTS[at]])
    assert any(line.startswith("duplicated") for line in found)


@pytest.mark.parametrize("at", range(len(EVENTS)), ids=[name(event) for event in EVENTS])
def test_every_event_that_is_there_again_under_another_id_is_found(at: int) -> None:
    if getattr(EVENTS[at], "retraction", False):
        return
    other = msgspec.structs.replace(EVENTS[at], event_id="0" * 32)
    assert any(line.startswith("duplicated") for line in findings(LINES, [*EVENTS, other]))


def test_an_acknowledged_post_without_outcome_is_lost_and_named() -> None:
    assert findings(manifest(("a", 1, "post")), []) == ["lost: nothing: demo/a@1"]


def test_a_post_that_was_never_acknowledged_may_have_an_outcome_or_none() -> None:
    unsure = [Published(0, "demo", "a", 1, "post")]
    assert findings(unsure, []) == []
    assert findings(unsure, [decided("a")]) == []


def test_a_refused_post_must_have_no_outcome() -> None:
    refused = [Published(0, "demo", "a", 1, "post"), Refused(0)]
    assert findings(refused, []) == []
    edited = [*refused, Published(1, "demo", "a", 2, "edit")]
    assert findings(edited, [decided("a")]) == [
        "wrong: decision on a revision that was never published: demo/a@1"
    ]


def test_a_repeat_may_give_the_same_automatic_decision_as_often_as_it_was_published() -> None:
    twice = [*manifest(("a", 1, "post")), Published(1, "demo", "a", 1, "post")]
    assert findings(twice, [decided("a"), decided("a")]) == []
    assert findings(twice, [decided("a")] * 3) == ["duplicated: decision 0 final=True: demo/a@1"]


def test_a_repeat_may_not_give_another_automatic_decision() -> None:
    twice = [*manifest(("a", 1, "post")), Published(1, "demo", "a", 1, "post")]
    other = msgspec.structs.replace(decided("a"), event_id="0" * 32)
    assert findings(twice, [decided("a"), other]) == ["duplicated: decision 0 final=True: demo/a@1"]


def test_a_repeat_may_not_give_a_second_task_nor_a_second_decision_of_people() -> None:
    task = requested("a")
    vote = completed(task)
    fine = [
        task,
        vote,
        settled(task, vote),
        label(task),
        decided("a", seq=1, basis="human", task=task.task_id),
    ]
    twice = [*manifest(("a", 1, "post")), Published(1, "demo", "a", 1, "post"), Acknowledged(1)]
    assert findings(twice, fine) == []
    assert "duplicated: task: demo/a@1.1" in findings(twice, [*fine, task])
    assert "duplicated: decision 1 final=True: demo/a@1" in findings(twice, [*fine, fine[-1]])


def test_an_item_decided_by_machine_and_asked_of_people_has_two_outcomes() -> None:
    task = requested("a")
    vote = completed(task)
    both = [decided("a"), task, vote, settled(task, vote), label(task)]
    both.append(decided("a", seq=1, basis="human", task=task.task_id))
    assert "duplicated: decided by machine, and people were asked: demo/a@1" in findings(
        manifest(("a", 1, "post")), both
    )


def copied() -> tuple[list[Line], list[OutcomeEvent]]:
    """One of three items with a text was decided by people; one was open, one came later, and inherited."""
    first, second = requested("a"), requested("b")
    vote = completed(first)
    told = manifest(("a", 1, "post"), ("b", 1, "post"), ("c", 1, "post"), verdicts=[given(vote)])
    return told, [
        first, vote, settled(first, vote), label(first),
        decided("a", seq=1, basis="human", task=first.task_id),
        second, decided("b", seq=1, basis="duplicate", task=second.task_id, copy_of="demo/a@1.1"),
        closed("b", 1, second.task_id, "copy_decided"),
        decided("c", basis="duplicate", copy_of="demo/a@1.1"),
    ]  # fmt: skip


def test_copies_that_inherit_are_accounted_for() -> None:
    report = count(*copied())
    assert report.findings == []
    assert report.outcomes == {"people": 1, "duplicate": 2}


@pytest.mark.parametrize("at", range(len(copied()[1])), ids=[name(event) for event in copied()[1]])
def test_every_event_of_copies_that_is_missing_or_there_twice_is_found(at: int) -> None:
    told, events = copied()
    assert findings(told, events[:at] + events[at + 1 :])
    assert findings(told, [*events, events[at]])


def test_a_copy_of_what_nobody_decided_is_found() -> None:
    told, events = copied()
    other = decided("c", basis="duplicate", copy_of="demo/a@1.2")
    assert findings(told, [*events[:-1], other]) == [
        "wrong: copy of a decision that people did not make: demo/c@1"
    ]


def test_an_open_task_is_counted_as_lost() -> None:
    assert findings(manifest(("a", 1, "post")), [requested("a")]) == [
        "lost: task without an end: demo/a@1",
        "lost: decision task that nobody settled or closed: demo/a@1.1",
    ]


def test_a_withdrawal_of_an_item_that_the_machine_decided_needs_its_closing_too() -> None:
    lines = manifest(("a", 1, "post"), ("a", 1, "withdrawal"))
    assert findings(lines, [decided("a")]) == ["lost: withdrawal without a closing: demo/a@1"]
    assert findings(lines, [decided("a"), closed("a")]) == []


def test_a_closing_of_a_lower_revision_does_not_answer_for_a_higher_one() -> None:
    lines = manifest(("a", 1, "post"), ("a", 1, "withdrawal"), ("a", 2, "post"))
    assert findings(lines, [closed("a")]) == ["lost: nothing: demo/a@2"]


def test_a_closing_without_cause_is_found() -> None:
    assert findings(manifest(("a", 1, "post")), [decided("a"), closed("a")]) == [
        "wrong: closed as withdrawn without cause: demo/a@1"
    ]


def test_a_revision_that_comes_after_its_withdrawal_is_closed_once_for_each_time_it_came() -> None:
    lines = manifest(("a", 2, "withdrawal"), ("a", 1, "post"))
    assert findings(lines, [closed("a", 2), closed("a", 1)]) == []
    assert findings(lines, [closed("a", 2), closed("a", 1), closed("a", 1)]) == [
        "duplicated: closed as withdrawn: demo/a@1"
    ]


def test_a_late_verdict_that_resurrects_an_edited_item_is_found() -> None:
    task = requested("a")
    vote = completed(task)
    lines = manifest(("a", 1, "post"), ("a", 2, "edit"), verdicts=[given(vote)])
    events = [task, vote, closed("a", 1, task.task_id, "edited"), decided("a", 2)]
    assert findings(lines, events) == []
    late = [settled(task, vote), label(task), decided("a", 1, seq=1, basis="human", task=task.task_id)]
    assert findings(lines, events + late) == ["wrong: decided by people although edited: demo/a@1.1"]


def test_a_verdict_without_effect_is_lost() -> None:
    task = requested("a")
    counted, ignored = completed(task, "ann", 0), completed(task, "bob", 1)
    lines = manifest(("a", 1, "post"), verdicts=[given(counted), given(ignored)])
    events = [task, counted, ignored, settled(task, counted), label(task)]
    events.append(decided("a", seq=1, basis="human", task=task.task_id))
    assert findings(lines, events) == [f"lost: verdict without effect: demo/a@1.1 {ignored.verdict_id}"]


def test_a_second_verdict_on_a_seat_is_without_effect_for_a_reason() -> None:
    task = requested("a")
    first, second = completed(task, "ann", 0), completed(task, "bob", 0)
    lines = manifest(("a", 1, "post"), verdicts=[given(first), given(second)])
    events = [task, first, second, settled(task, first), label(task)]
    events.append(decided("a", seq=1, basis="human", task=task.task_id))
    report = count(lines, events)
    assert report.findings == []
    assert report.verdicts == {"counted": 1, "seat or person had voted": 1}


def test_a_verdict_acknowledged_but_not_in_kafka_is_lost() -> None:
    lines = [*manifest(("a", 1, "post")), Verdict("demo/a@1.1", "f" * 32, "ann", "allow")]
    assert findings(lines, [decided("a")]) == [
        f"lost: verdict not in review.completed: demo/a@1.1 {'f' * 32}"
    ]


def test_a_retraction_acknowledged_but_not_in_kafka_is_lost_and_one_that_counted_is_wrong() -> None:
    retraction = next(e for e in EVENTS if getattr(e, "retraction", False))
    without = [e for e in EVENTS if e is not retraction]
    assert any(line.startswith("lost: retraction") for line in findings(LINES, without))
    vote = next(e for e in EVENTS if getattr(e, "reviewer", "") == "bob" and "asked" in name(e))
    counted = [
        settled(requested("asked"), vote) if isinstance(e, ReviewSettled) and e.item_id == "asked" else e  # type: ignore[arg-type]
        for e in EVENTS
    ]
    assert any(line.startswith("wrong: retracted verdict that counted") for line in findings(LINES, counted))


def test_a_disagreement_that_nobody_is_asked_about_again_is_lost() -> None:
    task = requested("a")
    votes = completed(task, "ann", 0), completed(task, "bob", 1)
    events = [task, *votes, settled(task, *votes, agreed=False)]
    assert "lost: disagreement that was not asked again: demo/a@1.1" in findings(
        manifest(("a", 1, "post")), events
    )


def test_an_audit_that_disagrees_may_supersede() -> None:
    task = requested("a", number="audit", purpose="audit")
    vote = completed(task)
    events = [decided("a"), task, vote, settled(task, vote), label(task)]
    events.append(decided("a", seq=1, basis="human", task=task.task_id))
    assert findings(manifest(("a", 1, "post")), events) == []


def test_other_platforms_items_are_not_looked_at() -> None:
    assert findings(manifest(("a", 1, "post")), [decided("a"), requested("other"), closed("third")]) == []
