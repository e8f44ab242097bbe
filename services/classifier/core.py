"""What a submission becomes. Pure: the scores come in as numbers."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Literal

import msgspec
import numpy as np

from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.topics import suffix_of
from services.events.types import ContentSubmitted, InlineVerdict, Score
from services.scoring.scores import Scores
from services.scoring.text_hash import text_hash


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """content_classified.v1 with the item as it came: what platforms added to it goes on to people untouched."""

    schema: Literal["content_classified.v1"] = "content_classified.v1"
    event_id: str
    occurred_at: str
    source: str
    item_id: str
    revision: int
    withdrawn: bool
    item: msgspec.Raw
    text_hash: str | None
    scores: tuple[Score, ...]
    model_version: str | None
    tier: Literal["fast", "slow"]
    slow_until: str | None = None
    accepted_at: str | None
    run_id: str | None = None
    inline: InlineVerdict | None = None


class _Carried(msgspec.Struct):
    item: msgspec.Raw = msgspec.Raw(b"null")


_carried = msgspec.json.Decoder(_Carried).decode
Row = tuple[
    Sequence[float], Sequence[float | None]
]  # of one text: probability and disagreement of each category
BINS = 20  # equal bins of [0, 1] in a histogram of scores


def rows(scores: Scores) -> Iterator[Row]:
    """What `classified` takes of each text, in their order; probabilities within [0, 1], whatever a graph rounds to."""
    probability = np.fmin(1, np.fmax(0, scores.probability)).tolist()
    if scores.disagreement is None:
        return zip(probability, repeat((None,) * scores.probability.shape[1]), strict=False)
    return zip(probability, scores.disagreement.tolist(), strict=True)


def forged_source(topic: str, event: ContentSubmitted) -> str | None:
    """Why the event may not stand on this topic; None where it may.

    A platform has a topic of its own, to which Kafka's ACLs hold it: a source that is not the topic's is forged.
    """
    own = suffix_of(topic)
    if event.source == own:
        return None
    return f"source is {event.source!r} on the topic of {own!r}: publish to content.submitted.{event.source}"


def classified(
    event: ContentSubmitted,
    raw: bytes,
    model_version: str,
    categories: Sequence[str],
    row: Row | None,
    accepted: int,
    now: int,
    slow_until: int | None = None,
    normal: str | None = None,
) -> Scored:
    """The event, which `raw` encodes, with its scores.

    The row is in the order of `categories`, None for a withdrawal and for what was decided in line, which keeps the
    scores that it was decided with.
    `accepted` is when Kafka appended the submission, `now` the time of scoring, `slow_until` how long the slow tier's
    scores are to be waited for (None: none will come), all in ms; `normal` is the text
    normalised, from who has it. The id is derived from what was submitted, not from the model, so that a repeat yields
    the same event.
    """
    item = event.item
    scores = () if row is None else to_scores(categories, row)
    scored = item is not None and not event.withdrawn
    inline = event.inline if scored else None
    if inline is not None:
        scores, model_version = inline.scores, inline.model_version
    return Scored(
        event_id=derived_id(
            "content_classified", event.source, event.item_id, event.revision, int(event.withdrawn)
        ),
        occurred_at=from_millis(now),
        source=event.source,
        item_id=event.item_id,
        revision=event.revision,
        withdrawn=event.withdrawn,
        item=_carried(raw).item if scored else msgspec.Raw(b"null"),
        text_hash=text_hash(event.source, item.kind, item.text, item.media, normal)
        if scored and item
        else None,
        scores=scores,
        model_version=model_version if scored else None,
        tier="fast",
        slow_until=None if slow_until is None else from_millis(slow_until),
        accepted_at=from_millis(accepted),
        inline=inline,
    )


def to_scores(categories: Sequence[str], row: Row) -> tuple[Score, ...]:
    """A row in the order of `categories` as scores."""
    return tuple(
        [
            Score(category=category, probability=probability, disagreement=spread)
            for category, probability, spread in zip(categories, *row, strict=True)
        ]
    )


def add_to_histograms(histograms: dict[str, list[int]], scores: Iterable[Score]) -> None:
    """Count each score in the histogram of its category: 20 equal bins of [0, 1], 1 itself in the last."""
    for score in scores:
        if (bins := histograms.get(score.category)) is None:
            bins = histograms[score.category] = [0] * BINS
        bins[min(BINS - 1, int(score.probability * BINS))] += 1
