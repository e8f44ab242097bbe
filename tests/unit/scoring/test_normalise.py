"""Normalisation, and where each normalised character came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.normalise import align, normalise

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello  World", "hello world"),
        (" \t two\r\nlines ", "two lines"),
        ("ｗｉｄｅ Ⅳ ﬁne", "wide iv fine"),
        ("STRASSE Straße", "strasse strasse"),
        ("a\u00a0b\u2003c", "a b c"),
        ("nul\0byte", "nul byte"),
        ("e\u0301", "é"),
        ("", ""),
        ("  ", ""),
        ("\ud800 lone", "\ud800 lone"),
    ],
)
def test_what_a_text_becomes(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(ANY_TEXT)
def test_a_normalised_text_stays_as_it_is(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "\0" not in once


@given(ANY_TEXT)
def test_alignment_is_of_the_normalised_text(text: str) -> None:
    found = align(text)
    assert found.text == normalise(text)
    assert len(found.starts) == len(found.ends) == len(found.text)
    assert all(0 <= s < e <= len(text) for s, e in zip(found.starts, found.ends, strict=True))
    assert list(found.starts) == sorted(found.starts)


def test_offsets_lead_back_to_the_original() -> None:
    text = "  So  ﬁne,\u00a0e\u0301clair ＯＫ"
    found = align(text)
    begin = found.text.index("fine")
    assert text[slice(*found.original(begin, begin + 4))] == "ﬁne"
    begin = found.text.index("éclair")
    assert text[slice(*found.original(begin, begin + 6))] == "e\u0301clair"
    begin = found.text.index("ok")
    assert text[slice(*found.original(begin, begin + 2))] == "ＯＫ"
