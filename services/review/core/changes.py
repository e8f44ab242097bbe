"""What a record changes on the board of a queue. Lua applies it to Redis, `board` to a model; any order will do.

Source of the method: a task is a function of the set of its request, verdicts, retractions and endings.
"""

from typing import Any, TypeAlias

import msgspec

from services.events.ids import item_key
from services.events.instants import to_millis
from services.events.types import (
    ReviewChanged,
    ReviewClosed,
    ReviewClustered,
    ReviewCompleted,
    ReviewRequested,
    ReviewSettled,
)
from services.review.core.abilities import needs


class _Change(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    offset: int | None = None  # in its partition; None where the API applies what Kafka has just acknowledged


class Requested(_Change, frozen=True, kw_only=True, tag="requested"):
    """People are asked. Times in ms; `body` is what they are shown, JSON."""

    task_id: str
    deadline: int
    expires: int
    wanted: int
    lease_ms: int
    item: str
    revision: int
    accepted: int
    body: str
    needs: str = ""  # of who is given it, see services.review.core.abilities
    text: str = ""  # open tasks with the same are given out one at a time, see services.review.core.board


class Completed(_Change, frozen=True, kw_only=True, tag="completed"):
    """A verdict, or its retraction. `record` is what the person's history shows, JSON."""

    task_id: str
    verdict_id: str
    seat: int
    reviewer: str
    final_at: int
    at: int
    retraction: bool = False
    record: str = ""


class Ended(_Change, frozen=True, kw_only=True, tag="ended"):
    """A task is over. `decided`: the router now closes its copies, or keeps them for people."""

    task_id: str
    why: str
    decided: bool = False


class Withdrawn(_Change, frozen=True, kw_only=True, tag="withdrawn"):
    """An item is over: every revision up to this one."""

    item: str
    revision: int
    why: str


class Paused(_Change, frozen=True, kw_only=True, tag="paused"):
    """Nothing of the queue is handed out, or again."""

    paused: bool = False


class Clustered(_Change, frozen=True, kw_only=True, tag="clustered"):
    """A task is one of a cluster of near copies."""

    task_id: str
    cluster: str


Change: TypeAlias = Requested | Clustered | Completed | Ended | Withdrawn | Paused
Event: TypeAlias = (
    ReviewRequested | ReviewClustered | ReviewCompleted | ReviewSettled | ReviewClosed | ReviewChanged
)

AUDIT = ".audit"  # how the id of a task ends that is an audit: blind, so nobody is told what is like it
EVENTS: dict[str, type[Event]] = {
    "review.requested": ReviewRequested,
    "review.clustered": ReviewClustered,
    "review.completed": ReviewCompleted,
    "review.settled": ReviewSettled,
    "review.closed": ReviewClosed,
    "review.changed": ReviewChanged,
}


def change_of(event: Event, offset: int | None = None) -> tuple[str | None, Change] | None:
    """The queue that an event concerns (None: every one) and what it changes there; None where it changes nothing."""
    match event:
        case ReviewRequested():
            return event.queue, Requested(
                offset=offset,
                task_id=event.task_id,
                deadline=to_millis(event.deadline),
                expires=to_millis(event.expires_at),
                wanted=event.votes_wanted,
                lease_ms=event.lease_seconds * 1000,
                item=item_key(event.source, event.item_id),
                revision=event.revision,
                accepted=to_millis(event.accepted_at or event.occurred_at),
                body=json(sheet(event)),
                needs=needs(event.skills, event.languages),
                text=text_of(event),
            )
        case ReviewClustered():
            if event.task_id.endswith(AUDIT):
                return None
            return event.queue, Clustered(offset=offset, task_id=event.task_id, cluster=event.cluster)
        case ReviewCompleted():
            return event.queue, Completed(
                offset=offset,
                task_id=event.task_id,
                verdict_id=event.verdict_id,
                seat=event.seat,
                reviewer=event.reviewer,
                final_at=to_millis(event.final_at),
                at=to_millis(event.occurred_at),
                retraction=event.retraction,
                record="" if event.retraction else json(remembered(event)),
            )
        case ReviewSettled():
            why = f"agreed:{event.action}" if event.agreed else event.reason
            return event.queue, Ended(offset=offset, task_id=event.task_id, why=why, decided=event.agreed)
        case ReviewClosed(task_id=str() as task):
            copied = event.reason == "copy_decided"
            return None, Ended(offset=offset, task_id=task, why=event.reason, decided=copied)
        case ReviewClosed():
            item = item_key(event.source, event.item_id)
            return None, Withdrawn(offset=offset, item=item, revision=event.revision, why=event.reason)
        case ReviewChanged(change="queue_paused" | "queue_resumed"):
            return event.queue, Paused(offset=offset, paused=event.change == "queue_paused")
    return None


def text_of(event: ReviewRequested) -> str:
    """What tasks have in common of which one is given out at a time; empty for one that stands alone.

    Who may do one of them may do all: otherwise copies could wait for somebody who is not there.
    """
    if not event.follows_text or event.text_hash is None:
        return ""
    return f"{event.text_hash}|{needs(event.skills, event.languages)}"


def sheet(event: ReviewRequested) -> dict[str, Any]:
    """What a person is shown. An audit is blind: of the scores only the categories, and not why it was chosen."""
    shown: dict[str, Any] = msgspec.to_builtins(event)
    for name in ("schema", "event_id", "text_hash", "follows_text", "replaces", "run_id"):
        shown.pop(name)
    shown["requested_at"] = shown.pop("occurred_at")
    shown["categories"] = [score.category for score in event.scores]
    if event.purpose == "audit":
        shown["categories"].sort()
        shown |= {"scores": [], "explanation": [], "selection": None, "severity": None, "model_version": None}
    return shown


def remembered(event: ReviewCompleted) -> dict[str, Any]:
    """What a person's history shows of a verdict. No text: a withdrawn one must not stay anywhere."""
    return {
        "verdict_id": event.verdict_id,
        "task_id": event.task_id,
        "source": event.source,
        "item_id": event.item_id,
        "revision": event.revision,
        "decision_seq": event.decision_seq,
        "queue": event.queue,
        "reviewer": event.reviewer,
        "seat": event.seat,
        "action": event.action,
        "categories": list(event.categories),
        "decided_at": event.occurred_at,
        "final_at": event.final_at,
        "final_at_ms": to_millis(event.final_at),
    }


def json(value: Any) -> str:
    """JSON text."""
    return msgspec.json.encode(value).decode()
