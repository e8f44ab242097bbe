"""What strangers wrote cannot steer the terminal of who reads it."""

import csv
import io
import json
import sys

import pytest

from services.cli.printable import printable
from services.cli.query import show

EVIL = "ü\U000e0041a\x1b[2Jb\x9bc\u202ed\x7f"
SHOWN = r"ü\U000e0041a\x1b[2Jb\x9bc\u202ed\x7f"
FOUND = {"meta": [{"name": "text"}], "data": [[EVIL]]}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("to", [Terminal, io.StringIO])
def test_a_table_is_always_escaped(monkeypatch: pytest.MonkeyPatch, to: type[io.StringIO]) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stdout", out := to())
    show(FOUND, "table")
    assert SHOWN in out.getvalue()
    assert not {"\x9b", "\u202e", "\x7f"} & set(out.getvalue())


def test_csv_is_escaped_on_a_terminal_and_as_it_is_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", out := Terminal())
    show(FOUND, "csv")
    assert out.getvalue().splitlines() == ["text", SHOWN]
    monkeypatch.setattr(sys, "stdout", piped := io.StringIO())
    show(FOUND, "csv")
    assert list(csv.reader(io.StringIO(piped.getvalue(), newline=""))) == [["text"], [EVIL]]


@pytest.mark.parametrize("to", [Terminal, io.StringIO])
def test_json_says_the_same_everywhere(monkeypatch: pytest.MonkeyPatch, to: type[io.StringIO]) -> None:
    monkeypatch.setattr(sys, "stdout", out := to())
    show(FOUND, "json")
    assert json.loads(out.getvalue()) == [{"text": EVIL}]
    assert "ü" in out.getvalue()
    assert ("\u202e" in out.getvalue()) == (to is not Terminal)


def test_letters_of_every_script_emoji_and_lines_stay() -> None:
    text = "ünï ชื่อ 👩\u200d👩\u200d👧 می\u200cخواهم\nline\ttab"
    assert printable(text) == text
