"""From bytes to a submission."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events.codec import MAX_ITEM_BYTES, decode, encode
from services.events.types import ContentSubmitted
from services.ingest.core import MAX_LINES, Refused, lines_of, of_text, submission, withdrawal

NOW = 1_790_000_000_000


def body(**more: Any) -> bytes:
    return json.dumps({"item_id": "p", "item": {"kind": "post", "text": "hi"}} | more).encode()


def test_the_same_item_and_revision_has_the_same_id_whatever_it_says() -> None:
    first, other = submission(body(), "demo", NOW), submission(body(item={"kind": "post"}), "demo", NOW + 5)
    assert first.event_id == other.event_id
    assert first.fingerprint != other.fingerprint
    assert first.fingerprint == submission(b" " + body(), "demo", NOW + 9).fingerprint


def test_source_revision_and_withdrawal_make_another_id() -> None:
    ids = {
        submission(body(), "demo", NOW).event_id,
        submission(body(), "other", NOW).event_id,
        submission(body(revision=2), "demo", NOW).event_id,
        submission(body(item_id="q"), "demo", NOW).event_id,
        withdrawal("demo", "p", 1, NOW).event_id,
    }
    assert len(ids) == 5


def test_a_withdrawal_carries_no_item() -> None:
    event = submission(body(withdrawn=True), "demo", NOW).event
    assert (event.withdrawn, event.item) == (True, None)
    assert event.event_id == withdrawal("demo", "p", 1, NOW).event_id


def test_the_time_is_the_callers_or_now() -> None:
    assert submission(body(), "demo", NOW).event.occurred_at == "2026-09-21T14:13:20.000Z"
    assert submission(body(occurred_at="2026-01-01T00:00:00Z"), "demo", NOW).event.occurred_at[:4] == "2026"  # type: ignore[index]


@pytest.mark.parametrize(
    ("raw", "status", "pointer"),
    [
        (body(source="other"), 403, "/source"),
        (body(revision="1"), 422, "/revision"),
        (body(item={"kind": "post", "author": {"id": ""}}), 422, "/item/author/id"),
        (body(item={"kind": "post", "media": [{"url": "x"}, {}]}), 422, "/item/media/1/url"),
        (
            body(item={"kind": "post", "context": {"a": 0}}).replace(b"0", b"[" * 100_000 + b"]" * 100_000),
            400,
            None,
        ),
        (b"\xc3(", 400, None),
    ],
)
def test_what_is_wrong_is_named(raw: bytes, status: int, pointer: str | None) -> None:
    with pytest.raises(Refused) as refused:
        submission(raw, "demo", NOW)
    assert (refused.value.status, refused.value.pointer) == (status, pointer)


@pytest.mark.parametrize(
    "half", [r"\ud800", r"\uDFFF", r"\\\udbff", r"\ud83d\ude00\ud83d", r"\ud800\ud83d\ude00"]
)
def test_half_of_a_surrogate_pair_is_named(half: str) -> None:
    for text in (half, half + " and more of it"):
        raw = b'{"item_id": "p", "item": {"kind": "post", "text": "%s"}}' % text.encode()
        with pytest.raises(
            Refused, match=r"^send one JSON object: \\u[dD]\w{3} \(byte \d+\) is half of"
        ) as refused:
            submission(raw, "demo", NOW)
        byte = int(str(refused.value).partition("(byte ")[2].partition(")")[0])
        assert raw[byte : byte + 2] == b"\\u"
        with pytest.raises(UnicodeEncodeError):
            json.loads(b'"' + raw[byte : byte + 6] + b'"').encode()


@pytest.mark.parametrize("cut", [b'{"text": "\\u12', b'{"text": "\\ud83d\\ude00', rb'{"text": "\\ud800'])
def test_what_is_cut_off_is_told_as_such(cut: bytes) -> None:
    with pytest.raises(Refused, match="Input data was truncated"):
        submission(cut, "demo", NOW)


def test_an_item_that_is_too_large_is_told_without_the_names_of_ours() -> None:
    long = "x" * (MAX_ITEM_BYTES + 1)
    for sent in (
        lambda: of_text(long, "demo", "p", NOW),
        lambda: submission(body(item={"kind": "post", "text": long}), "demo", NOW),
    ):
        with pytest.raises(Refused) as refused:
            sent()
        assert (refused.value.status, refused.value.pointer) == (413, "/item/text")
        assert str(refused.value) == f"the item takes more than {MAX_ITEM_BYTES} bytes: shorten its text"


def test_what_no_item_may_have_is_told_without_the_names_of_ours() -> None:
    with pytest.raises(Refused) as refused:
        of_text("hi", "demo", "p", NOW, language="x" * 1000)
    assert "ContentSubmitted" not in str(refused.value) and refused.value.pointer == "/item/language"


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(max_size=5), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_no_bytes_do_anything_but_be_refused_or_make_an_event_that_services_read(raw: bytes) -> None:
    try:
        made = submission(raw, "demo", NOW)
    except Refused as refused:
        assert refused.status in (400, 403, 413, 422)
    else:
        raise AssertionError(f"{raw!r} is an item: {made}")


@given(
    st.fixed_dictionaries(
        {"kind": st.from_regex(r"\A[a-z][a-z0-9_]{0,9}\Z")},
        optional={
            "text": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
            "reach": st.integers(0, 9),
        },
    )
)
def test_what_is_accepted_is_read_by_services(item: dict[str, Any]) -> None:
    made = submission(body(item=item), "demo", NOW)
    assert decode(ContentSubmitted, encode(made.event)) == made.event


def test_a_batch_is_its_lines() -> None:
    assert lines_of(b"a\n\nb\n") == [b"a", b"", b"b"]
    assert len(lines_of(b"{}\n" * MAX_LINES)) == MAX_LINES
    with pytest.raises(Refused) as refused:
        lines_of(b"{}\n" * (MAX_LINES + 1))
    assert refused.value.status == 413
    with pytest.raises(Refused):
        lines_of(b"\n")


@pytest.mark.parametrize("item_id", ["", "a b", "ü", "x" * 201, "p\n"])
def test_an_id_that_breaks_the_rule_is_told_the_rule_and_not_a_pattern(item_id: str) -> None:
    with pytest.raises(Refused) as submitted:
        submission(body(item_id=item_id), "demo", NOW)
    with pytest.raises(Refused) as withdrawn:
        withdrawal("demo", item_id, 1, NOW)
    for refused in (submitted.value, withdrawn.value):
        assert (refused.status, refused.pointer) == (422, "/item_id")
        assert refused.detail == "an item_id is 1 to 200 printable ASCII characters without spaces"
