"""Settlements, and the router's steps with the trial policy."""

from typing import Any

from services.events.codec import decode, encode
from services.events.ids import parse_task_id
from services.events.instants import from_millis, to_millis
from services.events.types import (
    ContentClassified,
    ContentDecided,
    ReviewClosed,
    ReviewSettled,
    Selection,
    Vote,
)
from services.policy.facts import Facts
from services.policy.model import Policy
from services.router.core import ItemState, Step, classify
from services.router.core.items import Classified, Requested
from tests.unit.policy.making import NOT_AUDITED, policy

POLICY = policy()
NOW = to_millis("2026-01-31T12:00:00.000Z")
HOUR = 3_600_000


def classified(
    item: ContentClassified,
    state: ItemState | None = None,
    now: int = NOW,
    by: Policy = POLICY,
    draw: float = NOT_AUDITED,
) -> Step:
    """The step for an item, without alarms."""
    return classify(passed(item), state, by, Facts(draw=draw), now)


def passed(item: ContentClassified) -> Classified:
    """The event as the router reads it."""
    return decode(Classified, encode(item))


def settlement(task: str, action: str | None = "remove", **changes: Any) -> ReviewSettled:
    """A settlement of a task; `action` None: not agreed."""
    made = parse_task_id(task)
    audit = made.number == "audit"
    voted: Any = "remove" if action is None else action
    fields: dict[str, Any] = {
        "event_id": "1" * 32,
        "occurred_at": from_millis(NOW),
        "task_id": task,
        "source": made.source,
        "item_id": made.item_id,
        "revision": made.revision,
        "decision_seq": 1 if made.number == "audit" else made.number,
        "purpose": "audit" if audit else "decision",
        "queue": "audit" if audit else "general",
        "agreed": action is not None,
        "reason": "agreed" if action else "split",
        "action": action,
        "categories": ("toxicity",) if action == "remove" else (),
        "agreement": 1.0,
        "votes": (Vote(verdict_id="2" * 32, reviewer="ada", seat=0, action=voted),),
        "selection": Selection(reason="uncertain", probability=1.0),
        "requested_at": from_millis(NOW),
    }
    return ReviewSettled(**(fields | changes))


def decisions(step: Step) -> list[ContentDecided]:
    return [event for event in step.events if isinstance(event, ContentDecided)]


def requests(step: Step) -> list[Requested]:
    return [event for event in step.events if isinstance(event, Requested)]


def closings(step: Step) -> list[tuple[int, str | None, str]]:
    return [(e.revision, e.task_id, e.reason) for e in step.events if isinstance(e, ReviewClosed)]
