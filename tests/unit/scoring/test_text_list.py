"""What a file of texts is, which texts it then has, and what is said of one that is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring import text_list
from services.scoring.normalise import normalise
from services.scoring.text_list import InvalidList, TextList, key_of, parsed, read


def has(found: TextList, text: str) -> bool:
    return key_of(text) in found.texts


def refused(raw: bytes) -> list[str]:
    with pytest.raises(InvalidList) as no:
        parsed(raw, "spam.txt")
    return str(no.value).split("\n")


def test_lines_are_texts_but_for_comments_and_blank_ones() -> None:
    found = parsed("\ufeff# of last week\r\n#\r\n\r\nBuy now\r\n #tag\n# no\n#free\n".encode(), "spam.txt")
    assert len(found.texts) == 3
    assert has(found, "buy   NOW") and has(found, "#tag") and has(found, "#free")
    assert not has(found, "no") and not has(found, "of last week") and not has(found, "buy")


@pytest.mark.parametrize(
    "disguise",
    [
        "BUY CHEAP PILLS",
        "buy\ncheap\tpills",
        "b\u200buy che\u00adap pills",
        "ｂｕｙ cheap pills",
        "buy che\u0430p p\u0456lls",
        "buy ch34p p1lls",
        "buy cheap p.i.l.l.s",
    ],
)
def test_tricks_do_not_get_past_it(disguise: str) -> None:
    assert has(parsed(b"Buy cheap pills\n", "spam.txt"), disguise)


@given(st.lists(st.text(max_size=30), max_size=20))
def test_every_text_that_is_listed_is_found_again(texts: list[str]) -> None:
    lines = [" " + " ".join(text.split()) for text in texts if normalise(" ".join(text.split()))]
    raw = "\n".join(["# these", *lines]).encode("utf-8", "replace")
    found = parsed(raw, "any.txt")
    assert all(has(found, line) for line in raw.decode().split("\n")[1:])
    assert len(found.texts) <= len(lines)


def test_the_version_is_that_of_the_bytes() -> None:
    assert parsed(b"a\n", "x").version == parsed(b"a\n", "y").version != parsed(b"a\n\n", "x").version


def test_what_is_wrong_is_said_with_file_and_line() -> None:
    assert refused(b"fine\n\xff\xfe\nb\xc3\xa4d \xe4\n") == [
        "spam.txt, line 2: not UTF-8 at byte 1: save the file as UTF-8",
        "spam.txt, line 3: not UTF-8 at byte 6: save the file as UTF-8",
    ]
    assert "line 2: 10001 characters are too many" in refused(b"fine\n" + b"x" * 10_001)[0]
    (nothing,) = refused("fine\n\u200b\u200d\n".encode())
    assert nothing.startswith("spam.txt, line 2: nothing is left of it once it is normalised")


def test_an_empty_file_is_no_list_but_a_comment_is() -> None:
    assert "is empty" in refused(b"")[0]
    assert parsed(b"# nothing yet\n", "spam.txt").texts == frozenset()


def test_too_many_texts_are_refused_and_many_problems_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_list, "MOST_ENTRIES", 3)
    assert len(parsed(b"a\nb\nc\nA\n", "spam.txt").texts) == 3
    assert refused(b"a\nb\nc\nd\ne\n") == ["spam.txt, line 4: a list has at most 3 texts: split it"]
    many = refused(b"\xff\n" * 14)
    assert len(many) == 11 and many[-1] == "spam.txt: and 4 lines more"


def test_a_file_that_cannot_be_read_says_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidList, match=r"spam\.txt: No such file or directory: put the list there"):
        read(tmp_path / "spam.txt")
    (tmp_path / "spam.txt").mkdir()
    with pytest.raises(InvalidList, match=r"spam\.txt: Is a directory"):
        read(tmp_path / "spam.txt")
    (tmp_path / "big.txt").write_bytes(b"12345678\n")
    monkeypatch.setattr(text_list, "MOST_BYTES", 8)
    with pytest.raises(InvalidList, match="9 bytes are too many"):
        read(tmp_path / "big.txt")
