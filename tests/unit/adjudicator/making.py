"""Requests, verdicts and closings, and what they come to."""

from typing import Any

from services.adjudicator.core import ItemState, Step, receive, settle_due
from services.events.ids import derived_id, task_id
from services.events.instants import from_millis, to_millis
from services.events.types import (
    Item,
    LabelRecorded,
    ReviewClosed,
    ReviewCompleted,
    ReviewRequested,
    ReviewSettled,
    Score,
    Selection,
)

NOW = to_millis("2026-01-31T12:00:00.000Z")
HOUR = 3_600_000
UNDO = 5_000
LATER = NOW + HOUR


def task(revision: int = 1, number: int = 1) -> str:
    return task_id("demo", "post-1", revision, number)


def request(votes: int = 1, revision: int = 1, number: int = 1, **changes: Any) -> ReviewRequested:
    fields: dict[str, Any] = {
        "event_id": derived_id("request", revision, number),
        "occurred_at": from_millis(NOW),
        "task_id": task(revision, number),
        "source": "demo",
        "item_id": "post-1",
        "revision": revision,
        "decision_seq": number,
        "purpose": "decision",
        "queue": "general",
        "item": Item(kind="post", text="a post", language="en"),
        "text_hash": "a" * 32,
        "scores": (Score(category="toxicity", probability=0.6), Score(category="spam", probability=0.1)),
        "selection": Selection(reason="uncertain", probability=1.0),
        "severity": 2.0,
        "deadline": from_millis(NOW + HOUR),
        "expires_at": from_millis(NOW + 100 * HOUR),
        "votes_wanted": votes,
        "lease_seconds": 300,
    }
    return ReviewRequested(**(fields | changes))


def verdict(
    reviewer: str,
    action: str | None = "remove",
    seat: int = 0,
    categories: tuple[str, ...] | None = None,
    at: int = NOW,
    **changes: Any,
) -> ReviewCompleted:
    """A verdict that becomes final UNDO ms after `at`."""
    fields: dict[str, Any] = {
        "event_id": derived_id("verdict", reviewer, seat, at),
        "occurred_at": from_millis(at),
        "task_id": task(),
        "source": "demo",
        "item_id": "post-1",
        "revision": 1,
        "decision_seq": 1,
        "queue": "general",
        "verdict_id": derived_id("verdict", reviewer, seat, at),
        "reviewer": reviewer,
        "seat": seat,
        "action": action,
        "categories": categories if categories is not None else (("toxicity",) if action == "remove" else ()),
        "final_at": from_millis(at + UNDO),
    }
    return ReviewCompleted(**(fields | changes))


def retraction(of: ReviewCompleted, at: int = NOW + 1_000) -> ReviewCompleted:
    return verdict(
        of.reviewer,
        seat=of.seat,
        event_id=derived_id("retraction", of.verdict_id),
        occurred_at=from_millis(at),
        verdict_id=of.verdict_id,
        retraction=True,
        action=None,
        categories=(),
        final_at=of.final_at,
    )


def closing(task: str | None = None, revision: int = 1, reason: str = "edited") -> ReviewClosed:
    return ReviewClosed(
        event_id=derived_id("closing", revision, task or "", reason),
        occurred_at=from_millis(NOW),
        source="demo",
        item_id="post-1",
        revision=revision,
        task_id=task,
        reason=reason,  # type: ignore[arg-type]
    )


def told(*events: Any, state: ItemState | None = None, now: int = NOW) -> ItemState:
    """The state after these events, verdicts at offsets in this order."""
    for offset, event in enumerate(events):
        state = receive(event, offset, state, now).state
    assert state is not None
    return state


def due(state: ItemState | None, now: int = LATER) -> Step:
    """The step when the loop looks at `now`."""
    assert state is not None
    return settle_due(state, now)


def settled(step: Step) -> list[ReviewSettled]:
    return [event for event in step.events if isinstance(event, ReviewSettled)]


def labels(step: Step) -> list[LabelRecorded]:
    return [event for event in step.events if isinstance(event, LabelRecorded)]
