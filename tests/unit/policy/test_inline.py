"""A verdict in line is known again on the content that it was signed for, and nowhere else."""

from typing import Any

import msgspec
import pytest

from services.events.codec import encode
from services.events.types import Circumstances, ContentSubmitted, InlineVerdict, Item, Score
from services.policy.inline import UNSIGNED, forged, signed

SECRET = b"of ingest"
ITEM = Item(kind="post", text="Ünïcödé, and 0.1", context={"thread": 7})
VERDICT = InlineVerdict(
    action="allow",
    categories=(),
    rule="every category at or below its allow threshold",
    scores=(Score(category="toxicity", probability=0.1, disagreement=1 / 3),),
    circumstances=Circumstances(automation=True, draw=0.25),
    model_version="starter-1",
    policy_version="trial-1",
    decided_at="2026-01-31T12:00:00.000Z",
    signature=UNSIGNED,
)
EVENT = ContentSubmitted(source="demo", item_id="a/b@1", revision=2, item=ITEM)


def submitted(secret: bytes = SECRET, **changes: Any) -> bytes:
    """A signed event as ingest writes it, with fields changed after it was signed."""
    verdict = signed(secret, "demo", "a/b@1", 2, msgspec.json.encode(ITEM), VERDICT)
    return encode(msgspec.structs.replace(EVENT, inline=verdict, **changes))


def refused(raw: bytes, secret: bytes = SECRET) -> bool:
    event = msgspec.json.decode(raw, type=ContentSubmitted)
    return forged(secret, event.source, event.item_id, event.revision, raw) is not None


def test_what_was_signed_is_known_again() -> None:
    assert not refused(submitted())


def test_a_field_that_a_later_ingest_adds_is_covered_and_does_no_harm() -> None:
    plain = msgspec.to_builtins(VERDICT) | {"reading": {"of": ["tomorrow", 1.5]}}
    item = msgspec.json.encode(ITEM)

    class Later(InlineVerdict, frozen=True, kw_only=True):
        reading: dict[str, Any]

    later = msgspec.convert(plain, Later)
    raw = encode(msgspec.structs.replace(EVENT, inline=signed(SECRET, "demo", "a/b@1", 2, item, later)))
    assert b"tomorrow" in raw
    assert not refused(raw)
    assert refused(raw.replace(b"tomorrow", b"today"))


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "forum"},
        {"item_id": "a/b@2"},
        {"revision": 3},
        {"item": msgspec.structs.replace(ITEM, text="Something else")},
        {"item": msgspec.structs.replace(ITEM, language="en")},
        {"withdrawn": True, "item": None},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_it_cannot_be_moved_to_other_content(changes: dict[str, Any]) -> None:
    assert refused(submitted(**changes))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"action":"allow"', b'"action":"limit"'),
        (b'"probability":0.1', b'"probability":0.2'),
        (b'"model_version":"starter-1"', b'"model_version":"starter-2"'),
        (b'"policy_version":"trial-1"', b'"policy_version":"trial-2"'),
        (b'"automation":true', b'"automation":false'),
        (b'"draw":0.25', b'"draw":0.26'),
        (b"12:00:00.000Z", b"12:00:00.001Z"),
        (b'"text":"', b'"text" :"'),
    ],
)
def test_nothing_of_it_can_be_changed(before: bytes, after: bytes) -> None:
    raw = submitted()
    assert raw.count(before) == 1
    assert refused(raw.replace(before, after))


def test_another_secret_or_none_signs_nothing_of_ours() -> None:
    assert refused(submitted(b"of somebody else"))
    assert refused(encode(msgspec.structs.replace(EVENT, inline=VERDICT)))
    assert "SLUICEGATE_INLINE_SECRET" in (forged(b"x", "demo", "a/b@1", 2, submitted()) or "")
