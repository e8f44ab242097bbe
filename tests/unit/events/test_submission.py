"""The classifier's reader takes what the strict one takes, refuses what it refuses, and in its words."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events import submission
from services.events.codec import MAX_ITEM_BYTES, decode, encode
from services.events.errors import UndecodableEvent
from services.events.submission import Submission, read
from services.events.types import ContentSubmitted, Item

FULL: dict[str, Any] = {
    "schema": "content_submitted.v1",
    "event_id": "0" * 32,
    "occurred_at": "2026-01-31T12:00:00.000Z",
    "source": "demo",
    "item_id": "post-1",
    "revision": 1,
    "withdrawn": False,
    "item": {"kind": "post", "text": "Hello", "author": {"id": "user-1"}, "thread": {"id": 7}},
    "inline": None,
}
ODD: list[Any] = [
    None, True, 0, 1, -1, 2**53, 1.5, "", " ", "\n", "demo", "demo\n", "De mo", "x" * 41, "x" * 201, "é", "0" * 31,
    "0" * 32, "F" * 32, "0" * 32 + " x", "01234567-89ab-cdef-0123-456789abcdef", "2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00.000Z\n", "2026-13-01T00:00:00Z", "2026-01-31 12:00:00Z", "content_submitted.v2", [], {},
    {"kind": "post"}, {"kind": "Post"}, {"kind": "post\n"}, {"kind": "post", "text": 1},
    {"kind": "post", "media": None}, {"kind": "post", "language": "e"}, {"kind": "post", "author": {"id": ""}},
    {"kind": "post", "author": {"id": "u", "created_at": "yesterday"}}, {"text": "no kind"},
]  # fmt: skip


def agree(raw: bytes) -> None:
    """Both readers say the same of the bytes."""
    try:
        strict = decode(ContentSubmitted, raw)
    except UndecodableEvent as refused:
        with pytest.raises(UndecodableEvent) as raised:
            read(raw)
        assert str(raised.value) == str(refused)
        return
    event, item = read(raw)
    for name in ContentSubmitted.__struct_fields__:
        if name != "item":
            assert getattr(event, name) == getattr(strict, name), name
    assert item == strict.item
    assert msgspec.json.decode(event.item) == msgspec.json.decode(raw).get("item")


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_any_value_of_any_field(name: str, value: object) -> None:
    agree(msgspec.json.encode(FULL | {name: value}))


@given(
    st.fixed_dictionaries({}, optional={name: st.just(value) | st.sampled_from(ODD) for name, value in FULL.items()})
)  # fmt: skip
def test_fields_that_are_missing_or_odd_together(fields: dict[str, Any]) -> None:
    agree(msgspec.json.encode(fields))


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_text_in_ids(event_id: str, source: str, item_id: str) -> None:
    agree(msgspec.json.encode(FULL | {"event_id": event_id, "source": source, "item_id": item_id}))


@given(st.permutations(list(FULL)))
def test_fields_in_any_order(names: list[str]) -> None:
    agree(msgspec.json.encode({name: FULL[name] for name in names}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        msgspec.json.encode(FULL) + b"}",
        msgspec.json.encode(FULL).replace(b"Hello", b"\xff\xfe"),
        msgspec.json.encode(FULL).replace(b"Hello", "größer 🙂".encode()),
        msgspec.json.encode(FULL).replace(b"Hello", b"\\ud800"),
        msgspec.json.encode(FULL).replace(b'"Hello"', b'"Hello"' + b',"a":' + b"[" * 5000 + b"]" * 5000),
        msgspec.json.encode(FULL).replace(b"Hello", b"x" * MAX_ITEM_BYTES),
        msgspec.json.encode(FULL | {"note": "x" * MAX_ITEM_BYTES}),
        msgspec.json.format(msgspec.json.encode(FULL), indent=2),
    ],
    ids=range(13),
)
def test_bytes_of_any_kind(raw: bytes) -> None:
    agree(raw)


def test_it_reads_every_field() -> None:
    assert Submission.__struct_fields__ == ContentSubmitted.__struct_fields__


def test_a_name_in_an_item_that_stands_twice_is_looked_at_twice() -> None:
    """The item goes on as it came, so whoever reads it next sees both."""
    agree(encode(event(kind="post")).replace(b'"kind":"post"', b'"kind":"No","kind":"post"'))


def test_of_an_item_that_stands_twice_the_last_counts_and_goes_on() -> None:
    raw = encode(event(kind="post")).replace(b'"item":', b'"item":{"kind":"No"},"item":')
    found, item = read(raw)
    assert item == Item(kind="post") and b"No" not in bytes(found.item)


def event(kind: str) -> ContentSubmitted:
    """A submission."""
    return ContentSubmitted(source="demo", item_id="1", revision=1, item=Item(kind=kind))


@pytest.mark.parametrize("field", ["occurred_at", "source"])
def test_strings_that_are_too_long_are_not_kept(field: str) -> None:
    kept = (submission._is_instant.cache_info().currsize, submission._is_source.cache_info().currsize)
    with pytest.raises(UndecodableEvent):
        read(msgspec.json.encode(FULL | {field: "9" * 250_000}))
    assert kept == (submission._is_instant.cache_info().currsize, submission._is_source.cache_info().currsize)
