"""What counts as a copy."""

import re

from services.events.types import Media
from services.scoring.text_hash import text_hash

PICTURE = Media(url="https://example.org/1.png", sha256="a" * 64)


def test_copies_differ_in_case_and_spaces_only() -> None:
    first = text_hash("demo", "post", "Buy  NOW\n", [])
    assert first is not None and re.fullmatch(r"[0-9a-f]{32}", first)
    assert first == text_hash("demo", "post", "buy now", [])


def test_source_kind_text_and_media_all_count() -> None:
    hashes = {
        text_hash("demo", "post", "buy now", []),
        text_hash("other", "post", "buy now", []),
        text_hash("demo", "comment", "buy now", []),
        text_hash("demo", "post", "buy later", []),
        text_hash("demo", "post", "buy now", [PICTURE]),
        text_hash("demo", "post", "buy now", [PICTURE, PICTURE]),
    }
    assert len(hashes) == 6


def test_a_medium_counts_by_its_bytes_where_their_hash_is_known() -> None:
    moved = Media(url="https://example.org/2.png", sha256="a" * 64)
    assert text_hash("demo", "post", "", [PICTURE]) == text_hash("demo", "post", None, [moved])
    assert text_hash("demo", "post", "", [Media(url="https://example.org/1.png")]) != text_hash(
        "demo", "post", "", [Media(url="https://example.org/2.png")]
    )


def test_an_empty_item_is_a_copy_of_nothing() -> None:
    assert text_hash("demo", "post", None, []) is None
    assert text_hash("demo", "post", " \n\0 ", []) is None


def test_fields_do_not_run_into_one_another() -> None:
    assert text_hash("demo", "posta", "b", []) != text_hash("demo", "post", "ab", [])


def test_a_lone_surrogate_is_hashed() -> None:
    assert text_hash("demo", "post", "\ud800", []) is not None
