"""A small world in which everything happens once, as the services would write it: the clean case of the count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loadtests.manifest import Acknowledged, Line, Published, Retraction, Verdict
from loadtests.outcomes import OutcomeEvent
from services.events.ids import derived_id, item_key, task_id
from services.events.types import (
    Circumstances,
    ContentDecided,
    Item,
    LabelRecorded,
    Precedent,
    ReviewClosed,
    ReviewCompleted,
    ReviewRequested,
    ReviewSettled,
    Selection,
    Vote,
)

AT = "2026-01-31T12:00:00.000Z"
SELECTION = Selection(reason="uncertain", probability=1.0)


def decided(
    item: str,
    revision: int = 1,
    seq: int = 0,
    final: bool = True,
    basis: str = "automated",
    task: str | None = None,
    copy_of: str | None = None,
) -> ContentDecided:
    """A decision of the router; `copy_of` is the decision that it inherited."""
    values: dict[str, Any] = {"basis": basis, "task_id": task}
    precedent = None if copy_of is None else Precedent(decision=copy_of, action="allow")
    return ContentDecided(
        event_id=derived_id("decided", item, revision, seq, int(final)),
        occurred_at=AT,
        source="demo",
        item_id=item,
        revision=revision,
        decision_seq=seq,
        final=final,
        action="allow",
        circumstances=Circumstances(automation=True, precedent=precedent),
        **values,
    )


def requested(item: str, revision: int = 1, number: Any = 1, purpose: Any = "decision") -> ReviewRequested:
    """A task of the router."""
    return ReviewRequested(
        event_id=derived_id("requested", item, revision, number),
        occurred_at=AT,
        task_id=task_id("demo", item, revision, number),
        source="demo",
        item_id=item,
        revision=revision,
        decision_seq=1 if number == "audit" else number,
        purpose=purpose,
        queue="general",
        item=Item(kind="post", text="hello"),
        selection=SELECTION,
        severity=1,
        deadline=AT,
        expires_at=AT,
        votes_wanted=1,
        lease_seconds=60,
    )


def completed(
    of: ReviewRequested, who: str = "ann", seat: int = 0, retraction: bool = False
) -> ReviewCompleted:
    """A person's verdict."""
    return ReviewCompleted(
        event_id=derived_id("completed", of.task_id, who, int(retraction)),
        occurred_at=AT,
        task_id=of.task_id,
        source="demo",
        item_id=of.item_id,
        revision=of.revision,
        decision_seq=of.decision_seq,
        queue=of.queue,
        verdict_id=derived_id("verdict", of.task_id, who),
        retraction=retraction,
        reviewer=who,
        seat=seat,
        action=None if retraction else "allow",
        final_at=AT,
    )


def settled(of: ReviewRequested, *verdicts: ReviewCompleted, agreed: bool = True) -> ReviewSettled:
    """What the adjudicator makes of the verdicts."""
    votes = tuple(
        Vote(verdict_id=v.verdict_id, reviewer=v.reviewer, seat=v.seat, action="allow") for v in verdicts
    )
    return ReviewSettled(
        event_id=derived_id("settled", of.task_id),
        occurred_at=AT,
        task_id=of.task_id,
        source="demo",
        item_id=of.item_id,
        revision=of.revision,
        decision_seq=of.decision_seq,
        purpose=of.purpose,
        queue=of.queue,
        agreed=agreed,
        reason="agreed" if agreed else "split",
        action="allow" if agreed else None,
        agreement=1.0,
        votes=votes,
        selection=SELECTION,
        requested_at=AT,
    )


def label(of: ReviewRequested) -> LabelRecorded:
    """The label of a settled task."""
    return LabelRecorded(
        event_id=derived_id("label", of.task_id),
        occurred_at=AT,
        task_id=of.task_id,
        source="demo",
        item_id=of.item_id,
        revision=of.revision,
        kind="post",
        action="allow",
        purpose=of.purpose,
        queue=of.queue,
        selection=SELECTION,
        agreement=1.0,
    )


def closed(item: str, revision: int = 1, task: str | None = None, reason: Any = "withdrawn") -> ReviewClosed:
    """A closing, of a task or (without one) of the item."""
    return ReviewClosed(
        event_id=derived_id("closed", item, revision, task or "", reason),
        occurred_at=AT,
        source="demo",
        item_id=item,
        revision=revision,
        task_id=task,
        reason=reason,
    )


def manifest(*published: tuple[str, int, Any], verdicts: Sequence[Line] = ()) -> list[Line]:
    """Lines for (item, revision, kind), all of them acknowledged."""
    told: list[Line] = []
    for number, (item, revision, kind) in enumerate(published):
        told += [Published(number, "demo", item, revision, kind), Acknowledged(number)]
    return told + list(verdicts)


def given(verdict: ReviewCompleted) -> Verdict:
    """Its line in the manifest."""
    return Verdict(verdict.task_id, verdict.verdict_id, verdict.reviewer, "allow")


def clean() -> tuple[list[Line], list[OutcomeEvent]]:
    """A manifest and the events that fit it: machine, people, audit, disagreement, edit, withdrawal, late verdict."""
    asked, audit = requested("asked"), requested("audited", number="audit", purpose="audit")
    split, expert = requested("split"), requested("split", number=2)
    old, gone, expiring = requested("edited"), requested("gone"), requested("expiring")
    votes = {
        "asked": completed(asked),
        "audit": completed(audit),
        "yes": completed(split, "ann", 0),
        "no": completed(split, "bob", 1),
        "expert": completed(expert, "eve"),
        "late": completed(old, "ann"),
        "withdrawn": completed(gone, "bob"),
        "mistaken": completed(asked, "bob"),
    }
    undone = completed(asked, "bob", retraction=True)
    events: list[OutcomeEvent] = [
        decided("sure"),
        asked, decided("asked", seq=1, final=False, task=asked.task_id),
        votes["mistaken"], undone, votes["asked"],
        settled(asked, votes["asked"]), label(asked), decided("asked", seq=1, basis="human", task=asked.task_id),
        decided("audited"), audit, votes["audit"], settled(audit, votes["audit"]), label(audit),
        split, votes["yes"], votes["no"], settled(split, votes["yes"], votes["no"], agreed=False),
        expert, votes["expert"], settled(expert, votes["expert"]), label(expert),
        decided("split", seq=2, basis="human", task=expert.task_id),
        old, votes["late"], closed("edited", 1, old.task_id, "edited"), decided("edited", 2),
        closed("overtaken", 1, None, "edited"), decided("overtaken", 2),
        gone, votes["withdrawn"], closed("gone"),
        expiring, closed("expiring", 1, expiring.task_id, "expired"),
        decided("expiring", seq=1, basis="fallback", task=expiring.task_id),
    ]  # fmt: skip
    told = manifest(
        ("sure", 1, "post"), ("asked", 1, "post"), ("audited", 1, "post"), ("split", 1, "post"),
        ("edited", 1, "post"), ("edited", 2, "edit"), ("overtaken", 2, "edit"), ("overtaken", 1, "post"),
        ("gone", 1, "post"), ("gone", 1, "withdrawal"), ("expiring", 1, "post"),
        verdicts=[*(given(verdict) for verdict in votes.values()), Retraction(undone.verdict_id)],
    )  # fmt: skip
    return told, events


def name(event: OutcomeEvent) -> str:
    """Of an event, for the ids of tests."""
    task = getattr(event, "task_id", None) or item_key(event.source, event.item_id)
    return (
        f"{type(event).__name__} {task} {getattr(event, 'decision_seq', '')} {getattr(event, 'reviewer', '')}"
    )
