"""Events of review, made up."""

from __future__ import annotations

from typing import Any

from services.events.ids import parse_task_id
from services.events.instants import from_millis
from services.events.types import (
    Item,
    ReviewClosed,
    ReviewCompleted,
    ReviewRequested,
    ReviewSettled,
    Score,
    Selection,
    Span,
)

NOW = 1_770_000_000_000
ID = "0" * 32
TASK = "demo/post-1@1.1"


def requested(task: str = TASK, **more: Any) -> ReviewRequested:
    """A request."""
    parts = parse_task_id(task)
    fields: dict[str, Any] = {
        "event_id": ID,
        "occurred_at": from_millis(NOW),
        "task_id": task,
        "source": parts.source,
        "item_id": parts.item_id,
        "revision": parts.revision,
        "decision_seq": 1,
        "purpose": "decision",
        "queue": "general",
        "item": Item(kind="post", text="hello"),
        "scores": (Score(category="toxicity", probability=0.6), Score(category="hate", probability=0.1)),
        "explanation": (Span(start=0, end=2, category="toxicity", weight=1.0),),
        "selection": Selection(reason="uncertain", probability=1.0),
        "severity": 2.0,
        "deadline": from_millis(NOW + 1000),
        "expires_at": from_millis(NOW + 10_000),
        "votes_wanted": 1,
        "lease_seconds": 60,
        "model_version": "m@1",
    }
    return ReviewRequested(**(fields | more))


def completed(person: str, verdict: str, task: str = TASK, **more: Any) -> ReviewCompleted:
    """A verdict, or with retraction=True the end of it."""
    parts = parse_task_id(task)
    fields: dict[str, Any] = {
        "event_id": ID,
        "occurred_at": from_millis(NOW),
        "task_id": task,
        "source": parts.source,
        "item_id": parts.item_id,
        "revision": parts.revision,
        "decision_seq": 1,
        "queue": "general",
        "verdict_id": verdict,
        "reviewer": person,
        "seat": 0,
        "action": "remove",
        "categories": ("toxicity",),
        "final_at": from_millis(NOW + 5000),
        "note": "between us",
    }
    if more.get("retraction"):
        fields |= {"action": None, "categories": ()}
    return ReviewCompleted(**(fields | more))


def settled(task: str = TASK, agreed: bool = True) -> ReviewSettled:
    """A settlement."""
    parts = parse_task_id(task)
    return ReviewSettled(
        event_id=ID,
        occurred_at=from_millis(NOW),
        task_id=task,
        source=parts.source,
        item_id=parts.item_id,
        revision=parts.revision,
        decision_seq=1,
        purpose="decision",
        queue="general",
        agreed=agreed,
        reason="agreed" if agreed else "split",
        action="remove" if agreed else None,
        agreement=1.0,
        selection=Selection(reason="uncertain", probability=1.0),
        requested_at=from_millis(NOW),
    )


def closed(
    task: str | None = None, item: str = "post-1", revision: int = 1, reason: Any = "withdrawn"
) -> ReviewClosed:
    """A closing, of a task or of an item."""
    return ReviewClosed(
        event_id=ID,
        occurred_at=from_millis(NOW),
        source="demo",
        item_id=item,
        revision=revision,
        task_id=task,
        reason=reason,
    )
