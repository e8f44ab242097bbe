"""Events with an item that is passed on as it came: fields of a platform's own reach the reviewer untouched."""

from typing import Annotated, Literal

import msgspec

from services.events.types import (
    DecisionSeq,
    EventId,
    InlineVerdict,
    Instant,
    ItemId,
    Purpose,
    Queue,
    Revision,
    RunId,
    Score,
    Selection,
    Source,
    Span,
    TaskId,
    TextHash,
    Tier,
    Version,
)

NOTHING = msgspec.Raw(b"null")


class Classified(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """content_classified.v1, its item as bytes."""

    schema: Literal["content_classified.v1"] = "content_classified.v1"
    event_id: EventId
    occurred_at: Instant
    source: Source
    item_id: ItemId
    revision: Revision
    withdrawn: bool = False
    item: msgspec.Raw = NOTHING
    text_hash: TextHash | None = None
    scores: tuple[Score, ...] = ()
    model_version: Version | None = None
    tier: Tier
    slow_until: Instant | None = None
    accepted_at: Instant | None = None
    run_id: RunId | None = None
    inline: InlineVerdict | None = None
    fast_model_version: Version | None = None  # ours: whose the scores are that the slow tier did not give

    def __post_init__(self) -> None:
        if not self.withdrawn and bytes(self.item) == b"null":
            raise ValueError("`item` must not be null where `withdrawn` is false")


class Requested(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """review_requested.v1, its item as bytes."""

    schema: Literal["review_requested.v1"] = "review_requested.v1"
    event_id: EventId
    occurred_at: Instant
    task_id: TaskId
    source: Source
    item_id: ItemId
    revision: Revision
    decision_seq: DecisionSeq
    purpose: Purpose
    queue: Queue
    item: msgspec.Raw
    text_hash: TextHash | None
    scores: tuple[Score, ...]
    explanation: tuple[Span, ...] = ()
    selection: Selection
    severity: Annotated[float, msgspec.Meta(ge=0)]
    deadline: Instant
    expires_at: Instant
    votes_wanted: Annotated[int, msgspec.Meta(ge=1, le=9)]
    lease_seconds: Annotated[int, msgspec.Meta(ge=5, le=86400)]
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    follows_text: bool = False
    replaces: TaskId | None
    model_version: Version | None
    policy_version: Version | None
    accepted_at: Instant | None
    run_id: RunId | None
