"""What is remembered of text.decided: the last record of a text, for seven days, and not without bound."""

import pytest

from services.events.codec import encode
from services.events.errors import UndecodableEvent
from services.events.types import Precedent, TextDecided
from services.policy.precedents import Precedents

WEEK = 7 * 24 * 3_600_000
TEXTS = [f"{number:032x}" for number in range(5)]


def said(
    text: str, action: str = "remove", at: int = 0, value: bytes | None = b""
) -> tuple[bytes, bytes | None, int]:
    event = TextDecided(
        event_id="1" * 32,
        occurred_at="2026-01-31T12:00:00.000Z",
        text_hash=text,
        source="demo",
        item_id=f"post-{action}",
        revision=2,
        decision_seq=3,
        action=action,  # type: ignore[arg-type]
        categories=("toxicity",),
    )
    body = encode(event) if value == b"" else value
    return text.encode(), body, at


def test_the_last_record_of_a_text_counts() -> None:
    held = Precedents(10)
    held.take(*said(TEXTS[0]))
    held.take(*said(TEXTS[0], "allow"))
    assert held.of(TEXTS[0]) == Precedent(
        decision="demo/post-allow@2.3", action="allow", categories=("toxicity",)
    )
    assert held.of(TEXTS[1]) is None and held.of(None) is None


def test_a_week_later_people_are_asked_again() -> None:
    held = Precedents(10)
    held.take(*said(TEXTS[0], at=1_000))
    assert held.of(TEXTS[0], 1_000 + WEEK - 1) is not None
    assert held.of(TEXTS[0], 1_000 + WEEK) is None
    held.take(*said(TEXTS[1], at=1_000 + WEEK))
    assert len(held) == 1, "what is too old is forgotten"


def test_the_oldest_make_room_and_what_is_decided_again_is_new() -> None:
    held = Precedents(2)
    for number, text in enumerate([TEXTS[0], TEXTS[1], TEXTS[0], TEXTS[2]]):
        held.take(*said(text, at=number))
    assert [held.of(text) is not None for text in TEXTS[:3]] == [True, False, True]


def test_a_tombstone_takes_it_back() -> None:
    held = Precedents(2)
    held.take(*said(TEXTS[0]))
    held.take(*said(TEXTS[0], value=None))
    assert len(held) == 0


def test_what_cannot_be_read_changes_nothing() -> None:
    held = Precedents(2)
    held.take(*said(TEXTS[0]))
    with pytest.raises(UndecodableEvent):
        held.take(*said(TEXTS[0], value=b"{}"))
    assert held.of(TEXTS[0]) is not None
