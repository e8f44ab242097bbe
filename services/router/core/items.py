"""Events with an item that is passed on as it came: fields of a platform's own reach the reviewer untouched."""

from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec

from services.events.types import (
    Category,
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
HEX = "0123456789abcdef"


class GivenScore(Score, frozen=True, kw_only=True, gc=False):
    """A score whose category is checked by Classified."""

    category: str
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)]
    disagreement: Annotated[float, msgspec.Meta(ge=0)] | None = None


class Classified(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """content_classified.v1, its item as bytes.

    Patterns of strings are most of what a strict decode costs. So strings are plain here, and those that are passed on
    are checked when all is read, the ones that most items share once
    (docs/decisions/0076-what-the-router-checks-of-what-it-reads.md). `event_id` and `occurred_at` go nowhere.
    """

    schema: Literal["content_classified.v1"] = "content_classified.v1"
    event_id: str
    occurred_at: str
    source: str
    item_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    revision: Revision
    withdrawn: bool = False
    item: msgspec.Raw = NOTHING
    text_hash: str | None = None
    scores: tuple[GivenScore, ...] = ()
    model_version: str | None = None
    tier: Tier
    slow_until: str | None = None
    accepted_at: str | None = None
    run_id: RunId | None = None
    inline: InlineVerdict | None = None
    fast_model_version: str | None = None  # ours: whose the scores are that the slow tier did not give

    def __post_init__(self) -> None:
        if not self.withdrawn and len(item := self.item) == len(NOTHING) and item == NOTHING:
            raise ValueError("`item` must not be null where `withdrawn` is false")
        name, text = self.item_id, self.text_hash
        if not (name.isascii() and name.isprintable()) or " " in name:
            _check(name, ItemId, "item_id")
        if text is not None and (len(text) != 32 or text.strip(HEX)):
            _check(text, TextHash, "text_hash")
        _check_shared(self.source, self.model_version, *[score.category for score in self.scores])
        if self.accepted_at is not None:
            _check_instant(self.accepted_at, "accepted_at")
        if self.slow_until is not None:
            _check_instant(self.slow_until, "slow_until")


@lru_cache(1024)
def _check_shared(source: str, model_version: str | None, *categories: str) -> None:
    """Raises ValueError where one is none; what was right once is looked up."""
    _check(source, Source, "source")
    _check(model_version, Version | None, "model_version")
    for number, category in enumerate(categories):
        _check(category, Category, f"scores[{number}].category")


@lru_cache(4096)
def _check_instant(instant: str, field: str) -> None:
    """Raises ValueError where it is none."""
    _check(instant, Instant, field)


def _check(value: str | None, of: Any, field: str) -> None:
    """Raises ValueError where the contract does not have such a value."""
    try:
        msgspec.convert(value, of)
    except msgspec.ValidationError as error:
        raise ValueError(f"{error} - at `$.{field}`") from None


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
