"""What a submission becomes. Pure: the scores come in as numbers."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import cycle, repeat
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.events.ids import derived_id, derived_id_within, id_part
from services.events.instants import from_millis
from services.events.submission import NO_ITEM, Submission
from services.events.topics import suffix_of
from services.events.types import Category, InlineVerdict, Item, Probability
from services.scoring.scores import Scores
from services.scoring.text_hash import text_hash


class CategoryScore(msgspec.Struct, frozen=True, gc=False):
    """types.Score, made by position: there are several for every item, and names would cost twice as much."""

    category: Category
    probability: Probability
    disagreement: Annotated[float, msgspec.Meta(ge=0)] | None


class Scored(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """content_classified.v1 with the item as it came: what platforms added to it goes on to people untouched."""

    schema: Literal["content_classified.v1"] = msgspec.field(default_factory=lambda: "content_classified.v1")
    event_id: str
    occurred_at: str
    source: str
    item_id: str
    revision: int
    withdrawn: bool = False
    item: msgspec.Raw = NO_ITEM
    text_hash: str | None = None
    scores: tuple[CategoryScore, ...] = ()
    model_version: str | None = None
    tier: Literal["fast", "slow"]
    slow_until: str | None = None
    accepted_at: str | None = None
    run_id: str | None = None
    inline: InlineVerdict | None = None


ID = "content_classified"  # what ids of scored items begin with
DIGITS = (
    6  # of a score behind the point: each digit is written, sent, stored and read for every item three times
)


def scores_of(categories: Sequence[str], found: Scores) -> Iterator[tuple[CategoryScore, ...]]:
    """The scores of each text, in their order; probabilities within [0, 1], whatever a graph rounds to, and as many
    digits as a calibrated score can mean.

    `categories` are the columns of what was found.
    """
    probability = _rounded(np.fmin(1, np.fmax(0, found.probability)))
    spread = repeat(None) if found.disagreement is None else _rounded(found.disagreement)
    each = map(CategoryScore, cycle(categories), probability, spread)
    return zip(*[each] * len(categories), strict=True)


def _rounded(scores: NDArray[np.floating[Any]]) -> list[float]:
    """All of them, one after the other. As float64: those of float32 would be written with 17 digits."""
    return scores.astype(np.float64).round(DIGITS).ravel().tolist()


def forged_source(topic: str, event: Submission) -> str | None:
    """Why the event may not stand on this topic; None where it may.

    A platform has a topic of its own, to which Kafka's ACLs hold it: a source that is not the topic's is forged.
    """
    own = suffix_of(topic)
    if event.source == own:
        return None
    return f"source is {event.source!r} on the topic of {own!r}: publish to content.submitted.{event.source}"


def classified(
    event: Submission,
    item: Item | None,
    model_version: str,
    scores: tuple[CategoryScore, ...],
    accepted: int,
    now: int,
    slow_until: int | None = None,
    normal: str | None = None,
) -> Scored:
    """The event with its scores; `item` is what it has decoded.

    A withdrawal has no scores, and what was decided in line keeps those that it was decided with, whatever is given.
    `accepted` is when Kafka appended the submission, `now` the time of scoring, `slow_until` how long the slow tier's
    scores are to be waited for (None: none will come), all in ms; `normal` is the text normalised, from who has it. The
    id is derived from what was submitted, not from the model, so that a repeat yields the same event.
    """
    occurred_at, accepted_at = from_millis(now), from_millis(accepted)
    if item is None or event.withdrawn:
        return Scored(
            event_id=derived_id(ID, event.source, event.item_id, event.revision, int(event.withdrawn)),
            occurred_at=occurred_at,
            source=event.source,
            item_id=event.item_id,
            revision=event.revision,
            withdrawn=event.withdrawn,
            tier="fast",
            accepted_at=accepted_at,
        )
    if (inline := event.inline) is not None:
        model_version = inline.model_version
        scores = tuple([CategoryScore(s.category, s.probability, s.disagreement) for s in inline.scores])
    return Scored(
        event_id=derived_id_within(_id_begin(event.source), event.item_id, _id_end(event.revision)),
        occurred_at=occurred_at,
        source=event.source,
        item_id=event.item_id,
        revision=event.revision,
        item=event.item,
        text_hash=text_hash(event.source, item.kind, item.text, item.media, normal),
        scores=scores,
        model_version=model_version,
        tier="fast",
        slow_until=None if slow_until is None else from_millis(slow_until),
        accepted_at=accepted_at,
        inline=inline,
    )


@lru_cache(1024)
def _id_begin(source: str) -> str:
    return id_part(ID, source)


@lru_cache(1024)
def _id_end(revision: int) -> str:
    return id_part(revision, 0)
