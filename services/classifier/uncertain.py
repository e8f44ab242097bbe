"""What the fast tier hands to the slow one, and what comes back. Pure: the scores come in as numbers."""

from typing import Literal

import msgspec

from services.classifier.core import CategoryScore, Scored
from services.events.ids import derived_id
from services.events.instants import from_millis


class Uncertain(msgspec.Struct, frozen=True, kw_only=True):
    """content_uncertain.v1, the item as it came."""

    schema: Literal["content_uncertain.v1"] = "content_uncertain.v1"
    event_id: str
    occurred_at: str
    source: str
    item_id: str
    revision: int
    item: msgspec.Raw
    text_hash: str | None = None
    scores: tuple[CategoryScore, ...] = ()
    model_version: str | None = None
    slow_until: str | None = None
    accepted_at: str | None = None
    run_id: str | None = None


class _Text(msgspec.Struct):
    text: str | None = None


_text = msgspec.json.Decoder(_Text).decode


def handed_over(scored: Scored) -> Uncertain:
    """What the slow tier is asked with."""
    return Uncertain(
        event_id=derived_id(
            "content_uncertain", scored.source, scored.item_id, scored.revision, scored.run_id or ""
        ),
        occurred_at=scored.occurred_at,
        source=scored.source,
        item_id=scored.item_id,
        revision=scored.revision,
        item=scored.item,
        text_hash=scored.text_hash,
        scores=scored.scores,
        model_version=scored.model_version,
        slow_until=scored.slow_until,
        accepted_at=scored.accepted_at,
        run_id=scored.run_id,
    )


def text_of(event: Uncertain) -> str:
    """What is to be scored. Raises msgspec.ValidationError for an item that is none."""
    return _text(event.item).text or ""


def scored_slowly(
    event: Uncertain, model_version: str, scores: tuple[CategoryScore, ...], now: int
) -> Scored:
    """The slow tier's scores of an item; the id is derived from what was submitted and the tier. `now` in ms."""
    return Scored(
        event_id=derived_id(
            "content_classified", event.source, event.item_id, event.revision, "slow", event.run_id or ""
        ),
        occurred_at=from_millis(now),
        source=event.source,
        item_id=event.item_id,
        revision=event.revision,
        withdrawn=False,
        item=event.item,
        text_hash=event.text_hash,
        scores=scores,
        model_version=model_version,
        tier="slow",
        accepted_at=event.accepted_at,
        run_id=event.run_id,
    )
