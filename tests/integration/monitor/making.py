"""Events for the monitor, the fields that matter to it chosen."""

from services.events.fresh import fresh_id
from services.events.instants import from_millis
from services.events.types import (
    LabelRecorded,
    ReviewCompleted,
    ReviewSettled,
    Score,
    ScoresSummarized,
    Selection,
    Vote,
)

CHOSEN = Selection(reason="uncertain", probability=1.0)


def settled(
    item: str,
    at: int,
    *,
    actions: tuple[str, ...] = ("remove",),
    spam: float = 0.9,
    people: bool = True,
    model: str = "m1",
) -> tuple[ReviewSettled, str]:
    """A settlement at `at` (ms) with a vote for each action; `people` says whether people called it spam."""
    agreed = len(set(actions)) == 1
    event = ReviewSettled(
        event_id=fresh_id(),
        occurred_at=from_millis(at),
        task_id=f"demo/{item}@1.1",
        source="demo",
        item_id=item,
        revision=1,
        decision_seq=1,
        purpose="decision",
        queue="general",
        agreed=agreed,
        reason="agreed" if agreed else "split",
        action=actions[0] if agreed else None,  # type: ignore[arg-type]
        categories=("spam",) if people else (),
        agreement=1.0,
        votes=tuple(
            Vote(verdict_id=fresh_id(), reviewer=f"r{seat}", seat=seat, action=action)  # type: ignore[arg-type]
            for seat, action in enumerate(actions)
        ),
        selection=CHOSEN,
        scores=(Score(category="spam", probability=spam), Score(category="hate", probability=0.1)),
        requested_at=from_millis(at - 1000),
        model_version=model,
    )
    return event, f"demo/{item}"


def verdict(item: str, at: int, *, retraction: bool = False) -> tuple[ReviewCompleted, str]:
    """A verdict, or its retraction."""
    event = ReviewCompleted(
        event_id=fresh_id(),
        occurred_at=from_millis(at),
        task_id=f"demo/{item}@1.1",
        source="demo",
        item_id=item,
        revision=1,
        decision_seq=1,
        queue="general",
        verdict_id=fresh_id(),
        retraction=retraction,
        reviewer="ada",
        seat=0,
        action=None if retraction else "allow",
        final_at=from_millis(at + 5000),
    )
    return event, f"demo/{item}"


def label(item: str, at: int) -> tuple[LabelRecorded, str]:
    """A label."""
    event = LabelRecorded(
        event_id=fresh_id(),
        occurred_at=from_millis(at),
        task_id=f"demo/{item}@1.1",
        source="demo",
        item_id=item,
        revision=1,
        kind="post",
        action="remove",
        purpose="decision",
        queue="general",
        selection=CHOSEN,
        agreement=1.0,
    )
    return event, f"demo/{item}"


def summary(service: str, at: int, items: int, model: str | None = None) -> tuple[ScoresSummarized, str]:
    """A summary of ten seconds from `at` on."""
    event = ScoresSummarized(
        event_id=fresh_id(),
        occurred_at=from_millis(at + 10_000),
        service=service,
        worker=f"{service}-0",
        window_start=from_millis(at),
        window_end=from_millis(at + 10_000),
        model_version=model,
        items=items,
    )
    return event, f"{service}-0"
