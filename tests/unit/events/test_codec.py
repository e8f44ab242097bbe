"""Decoding says what is wrong and where; encoding writes nothing that a reader refuses."""

import json
from typing import Any, Literal

import msgspec
import pytest

from services.events.codec import (
    MAX_ITEM_BYTES,
    MAX_RECORD_BYTES,
    DerivedEncoder,
    check_item,
    decode,
    encode,
    schema_name,
)
from services.events.errors import InvalidEvent, TooLarge, UndecodableEvent
from services.events.types import (
    AuditRecorded,
    Author,
    ContentClassified,
    ContentSubmitted,
    Item,
    PolicyReleased,
    Score,
)

SUBMITTED: dict[str, Any] = {
    "schema": "content_submitted.v1",
    "source": "demo",
    "item_id": "1",
    "revision": 1,
    "item": {"kind": "post", "text": "hello"},
}


def raw(**changed: Any) -> bytes:
    return json.dumps({**SUBMITTED, **changed}, ensure_ascii=False).encode()


def refused(data: bytes) -> str:
    with pytest.raises(UndecodableEvent) as error:
        decode(ContentSubmitted, data)
    return str(error.value)


def classified(**changed: Any) -> ContentClassified:
    fields = {
        "event_id": "0" * 32,
        "occurred_at": "2026-01-31T12:00:00.000Z",
        "source": "demo",
        "item_id": "1",
        "revision": 1,
        "item": Item(kind="post"),
        "tier": "fast",
    }
    return ContentClassified(**{**fields, **changed})


class TestReadersAreLenientWhereTheContractIs:
    def test_absent_nullable_fields_are_none_and_absent_arrays_empty(self) -> None:
        event = decode(ContentSubmitted, raw())
        assert event.event_id is None
        assert event.item is not None
        assert event.item.author is None
        assert event.item.media == ()

    def test_unknown_fields_are_ignored_at_every_depth(self) -> None:
        assert decode(ContentSubmitted, raw(new=[1], item={**SUBMITTED["item"], "new": {}})) == decode(
            ContentSubmitted, raw()
        )

    def test_the_order_of_fields_does_not_matter(self) -> None:
        backwards = json.dumps(dict(reversed(SUBMITTED.items()))).encode()
        assert decode(ContentSubmitted, backwards) == decode(ContentSubmitted, raw())

    def test_a_whole_number_may_stand_where_a_fraction_is_meant(self) -> None:
        assert decode(ContentClassified, encode(classified(scores=(Score(category="spam", probability=1),))))


class TestReasons:
    @pytest.mark.parametrize(
        "data", [b"", b"{", b"not json", raw()[:-1], raw() + b"x", b"\x00", b"\xef\xbb\xbf" + raw()]
    )
    def test_broken_json(self, data: bytes) -> None:
        assert refused(data).startswith("not JSON: ")

    @pytest.mark.parametrize("data", [b"[]", b"17", b"null", b'"text"'])
    def test_json_that_is_no_object(self, data: bytes) -> None:
        assert "Expected `object`" in refused(data)

    def test_not_utf8(self) -> None:
        assert refused(raw().replace(b"hello", b"h\xffllo")) == "not UTF-8: byte 119 is 0xff"

    def test_not_utf8_in_a_field_that_nobody_reads(self) -> None:
        assert refused(raw(unknown="hello!").replace(b"hello!", b"h\xff")).startswith("not UTF-8: ")

    def test_utf16(self) -> None:
        assert refused(raw().decode().encode("utf-16")).startswith("not UTF-8: ")

    def test_half_a_surrogate_pair(self) -> None:
        assert refused(raw().replace(b"hello", rb"\ud83d")).startswith("not JSON: ")

    def test_another_schema_is_named_with_the_one_expected(self) -> None:
        assert refused(raw(schema="content_submitted.v2", item=17)) == (
            "schema is 'content_submitted.v2', expected 'content_submitted.v1' - at `$.schema`"
        )

    def test_no_schema(self) -> None:
        without = {name: value for name, value in SUBMITTED.items() if name != "schema"}
        assert "missing required field `schema`" in refused(json.dumps(without).encode())

    def test_a_second_schema_is_seen(self) -> None:
        assert "$.schema" in refused(raw()[:-1] + b',"schema":"content_submitted.v9"}')

    def test_a_missing_field_is_named(self) -> None:
        without = {name: value for name, value in SUBMITTED.items() if name != "revision"}
        assert "missing required field `revision`" in refused(json.dumps(without).encode())

    def test_a_bad_value_is_named_with_its_path(self) -> None:
        assert refused(raw(item={"kind": "post", "author": {"id": ""}})) == (
            "content_submitted.v1: Expected `str` of length >= 1 - at `$.item.author.id`"
        )

    @pytest.mark.parametrize(
        ("field", "value"), [("source", "demo\n"), ("item_id", "1\n"), ("item_id", "1 2")]
    )
    def test_a_line_break_is_no_part_of_a_name(self, field: str, value: str) -> None:
        assert f"$.{field}" in refused(raw(**{field: value}))

    def test_nesting_without_end(self) -> None:
        assert "nested too deeply" in refused(raw()[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")

    def test_a_withdrawal_needs_no_item_and_anything_else_does(self) -> None:
        assert decode(ContentSubmitted, raw(item=None, withdrawn=True)).withdrawn
        assert "`item` must not be null" in refused(raw(item=None))


class TestSizes:
    def test_an_item_of_the_largest_size_passes(self) -> None:
        item = Item(kind="post", text="")
        item = Item(kind="post", text="x" * (MAX_ITEM_BYTES - len(msgspec.json.encode(item))))
        event = ContentSubmitted(source="demo", item_id="1", revision=1, item=item)
        assert decode(ContentSubmitted, encode(event)) == event

    def test_an_item_past_it_is_refused_when_written_and_when_read(self) -> None:
        item = Item(kind="post", text="x" * (MAX_ITEM_BYTES - 20))
        event = ContentSubmitted(source="demo", item_id="1", revision=1, item=item)
        with pytest.raises(TooLarge, match=r"at most 262144 are allowed - at `\$.item`"):
            encode(event)
        with pytest.raises(TooLarge):
            check_item(event)
        assert "at most 262144 are allowed" in refused(msgspec.json.encode(event))

    def test_bytes_count_not_characters(self) -> None:
        event = ContentSubmitted(
            source="demo", item_id="1", revision=1, item=Item(kind="post", text="é" * 140_000)
        )
        with pytest.raises(TooLarge):
            encode(event)

    def test_a_wordy_writer_is_judged_by_the_item_itself(self) -> None:
        """Escapes and spaces make a record longer, not the item."""
        text = json.dumps({**SUBMITTED, "item": {"kind": "post", "text": "é" * 60_000}}, indent=9)
        assert len(text) > MAX_ITEM_BYTES
        assert decode(ContentSubmitted, text.encode()).item == Item(kind="post", text="é" * 60_000)

    def test_a_text_of_two_megabytes(self) -> None:
        assert "$.item.text" in refused(raw(item={"kind": "post", "text": "x" * 2_000_000}))

    def test_a_record_past_its_limit_is_not_written(self) -> None:
        event = AuditRecorded(
            event_id="0" * 32,
            occurred_at="2026-01-31T12:00:00.000Z",
            actor="ada",
            actor_kind="account",
            action="query.run",
            subject="all",
            detail={"sql": "x" * MAX_RECORD_BYTES},
        )
        with pytest.raises(TooLarge, match="a record at most 1048576"):
            encode(event)


class TestWritersAreStrict:
    def test_the_schema_is_always_written_and_first(self) -> None:
        assert encode(classified()).startswith(b'{"schema":"content_classified.v1",')

    def test_what_readers_refuse_is_not_written(self) -> None:
        with pytest.raises(InvalidEvent, match=r"ContentClassified cannot be written: .*\$\.source"):
            encode(classified(source="De mo"))

    def test_not_a_number_is_not_written_as_null(self) -> None:
        with pytest.raises(InvalidEvent, match="probability"):
            encode(classified(scores=(Score(category="spam", probability=float("nan")),)))

    def test_half_a_surrogate_pair_is_not_written(self) -> None:
        with pytest.raises(InvalidEvent):
            encode(classified(item=Item(kind="post", text="\ud83d")))

    def test_an_event_that_contradicts_itself_cannot_be_made(self) -> None:
        with pytest.raises(ValueError, match="`item` must not be null where `withdrawn` is false"):
            classified(item=None)


class Passing(msgspec.Struct, frozen=True, kw_only=True):
    """A struct of a stage that only passes the item on."""

    schema: Literal["content_submitted.v1"] = "content_submitted.v1"
    source: str
    item: msgspec.Raw = msgspec.Raw(b"null")


class TestPassingOn:
    def test_a_part_left_raw_is_passed_on_with_what_nobody_knows(self) -> None:
        item = b'{"kind":"post","author":{"id":"7","karma":12345678901234567890123},"mood":"cheerful"}'
        data = (
            b'{"schema":"content_submitted.v1","source":"demo","item_id":"1","revision":1,"item":'
            + item
            + b"}"
        )
        event = decode(Passing, data)
        assert bytes(event.item) == item
        assert msgspec.json.decode(event.item, type=Item).author == Author(id="7")
        assert b'"item":' + item + b"}" in encode(event)

    def test_its_schema_is_checked_as_any(self) -> None:
        with pytest.raises(UndecodableEvent, match=r"expected 'content_submitted\.v1'"):
            decode(Passing, b'{"schema":"content_decided.v1","source":"demo"}')

    def test_what_is_no_event_has_no_schema(self) -> None:
        with pytest.raises(TypeError, match="Item is no event"):
            schema_name(Item)


def test_events_are_values() -> None:
    """Equal where their fields are, hashable without free-form parts, never changed."""
    assert {classified(), classified()} == {classified()}
    with pytest.raises(AttributeError):
        classified().revision = 2  # type: ignore[misc]
    assert schema_name(PolicyReleased) == "policy_released.v1"


class TestDerivedEvents:
    """One buffer for all of them: nothing of an event is left in what the next one is."""

    def submitted(self, text: str) -> ContentSubmitted:
        return ContentSubmitted(source="demo", item_id="1", revision=1, item=Item(kind="post", text=text))

    def test_shorter_and_longer_events_are_what_they_are_alone(self) -> None:
        encoder = DerivedEncoder()
        events = [self.submitted("x" * length) for length in (5000, 0, 70, 9000, 1)]
        written = [encoder.encode(event) for event in events]
        assert written == [encode(event) for event in events]

    def test_one_that_cannot_be_written_leaves_nothing_behind(self) -> None:
        encoder = DerivedEncoder()
        with pytest.raises(InvalidEvent, match="ContentSubmitted cannot be written"):
            encoder.encode(self.submitted("half of a pair: \ud800"))
        assert encoder.encode(self.submitted("next")) == encode(self.submitted("next"))

    def test_one_that_is_too_large_is_refused_and_the_next_is_not(self) -> None:
        encoder = DerivedEncoder()
        with pytest.raises(TooLarge, match=r"at `\$.item`"):
            encoder.encode(self.submitted("x" * MAX_ITEM_BYTES))
        assert encoder.encode(self.submitted("next")) == encode(self.submitted("next"))
