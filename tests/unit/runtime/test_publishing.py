"""Derived events are written unread, and the strict decoder takes them all the same."""

import pytest

from services.classifier.core import CategoryScore, Scored, classified
from services.events.codec import decode, encode
from services.events.errors import InvalidEvent
from services.events.submission import read
from services.events.topics import load_topics
from services.events.types import ContentClassified, ContentSubmitted, Item
from services.runtime.publishing import CHECKED, Publisher


def _scored(number: int, text: str) -> Scored:
    item = Item(kind="post", text=text)
    event = ContentSubmitted(
        event_id=f"{number:032x}", source="demo", item_id=f"i-{number}", revision=1, item=item
    )
    scores = (CategoryScore("spam", 0.25, 0.1), CategoryScore("hate", 1.0, 0.0))
    return classified(*read(encode(event)), "model@1", scores, 1_000, 2_000)


def test_what_is_written_unread_is_what_is_written_checked_and_what_strict_readers_take() -> None:
    strict, unread = Publisher("c", load_topics()), Publisher("c", load_topics(), derived=[Scored])
    for number, text in enumerate(['"quoted" \\ \u2028', "£ ω 😀", "\x00\x1f", "plain"] * CHECKED):
        event = _scored(number, text)
        value = unread.outgoing(event, f"demo/i-{number}").value
        assert value == strict.outgoing(event, f"demo/i-{number}").value
        assert value is not None and decode(ContentClassified, value).item_id == event.item_id


def test_a_sample_of_derived_events_is_read_again_and_all_others_always() -> None:
    wrong = _scored(1, "text")
    wrong = type(wrong)(
        **{name: getattr(wrong, name) for name in wrong.__struct_fields__} | {"revision": "one"}
    )
    publisher = Publisher("c", load_topics(), derived=[Scored])
    refused = 0
    for _ in range(2 * CHECKED):
        try:
            publisher.outgoing(wrong, "demo/i-1")
        except InvalidEvent:
            refused += 1
    assert refused == 2
    with pytest.raises(InvalidEvent):
        Publisher("c", load_topics()).outgoing(wrong, "demo/i-1")
