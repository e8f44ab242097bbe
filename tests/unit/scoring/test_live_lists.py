"""Lists are read again when their files change, and never vanish."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from services.events.types import Listed
from services.scoring.live_lists import LiveLists, file_of

Write = Callable[[str, str | bytes], None]


class Gauges:
    def __init__(self) -> None:
        self.count: dict[str, int] = {}
        self.bad: dict[str, bool] = {}

    def entries(self, name: str, count: int) -> None:
        self.count[name] = count

    def stale(self, name: str, stale: bool) -> None:
        self.bad[name] = stale


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / "lists").mkdir()

    def write(name: str, text: str | bytes) -> None:
        file_of(tmp_path, name).write_bytes(text.encode() if isinstance(text, str) else text)

    return write


def names(found: tuple[Listed, ...]) -> list[str]:
    return [each.name for each in found]


def test_a_change_is_live_once_the_file_has_settled(tmp_path: Path, write: Write) -> None:
    write("spam", "buy\n")
    lists = LiveLists(tmp_path)
    assert lists.lacking("live", ["spam"]) == ""
    before = lists.of("BUY")
    assert names(before) == ["spam"] and lists.of("sell") == ()
    write("spam", "sell\n# half of i")
    lists.look()
    assert lists.of("buy") == before, "it may be being written"
    write("spam", "sell\n# half of it no more\n")
    lists.look()
    assert lists.of("buy") == before, "it was"
    lists.look()
    assert lists.of("buy") == () and names(lists.of("sell")) == ["spam"]
    assert lists.of("sell")[0].version != before[0].version
    write("spam", "buy\n")
    lists.look(), lists.look()
    assert lists.of("buy") == before, "the version is that of the content"


@pytest.mark.parametrize("bad", [b"\xff\n", b"", None])
def test_a_file_that_turns_bad_leaves_the_live_list_in_place(
    tmp_path: Path, write: Write, bad: bytes | None
) -> None:
    write("spam", "buy\n")
    gauges = Gauges()
    lists = LiveLists(tmp_path, gauges)
    assert lists.lacking("live", ["spam"]) == "" and (gauges.count, gauges.bad) == (
        {"spam": 1},
        {"spam": False},
    )
    before = lists.of("buy")
    if bad is None:
        file_of(tmp_path, "spam").unlink()
    else:
        write("spam", bad)
    for _ in range(3):
        lists.look()
    assert lists.of("buy") == before and lists.lacking("live", ["spam"]) == ""
    assert (gauges.count, gauges.bad) == ({"spam": 1}, {"spam": True})
    write("spam", "buy\nsell\n")
    lists.look(), lists.look()
    assert (gauges.count, gauges.bad) == ({"spam": 2}, {"spam": False})


def test_a_list_that_cannot_be_had_is_said_to_lack_until_it_can(tmp_path: Path, write: Write) -> None:
    write("spam", "buy\n")
    lists = LiveLists(tmp_path)
    assert "lists/fine.txt: No such file" in lists.lacking("live", ["spam", "fine"])
    assert names(lists.of("buy")) == ["spam"], "the others are live"
    write("fine", b"ok\n\xff\n")
    lists.look(), lists.look()
    assert "lists/fine.txt, line 2: not UTF-8" in lists.lacking("live", ["spam", "fine"])
    write("fine", "ok\nBUY\n")
    lists.look(), lists.look()
    assert lists.lacking("live", ["spam", "fine"]) == ""
    assert names(lists.of("buy")) == ["spam", "fine"] and names(lists.of("ok")) == ["fine"]
    assert lists.lacking("live", ["fine"]) == "" and names(lists.of("buy")) == ["fine"], (
        "it is no longer followed"
    )


def test_an_item_is_looked_up_by_its_text(tmp_path: Path, write: Write) -> None:
    write("spam", "buy\n")
    lists = LiveLists(tmp_path)
    lists.lacking("live", ["spam"])
    for item, wanted in (
        ({"kind": "post", "text": "bUy"}, ["spam"]),
        ({"kind": "post", "text": None}, []),
        ({"kind": "post", "text": "\u200b"}, []),
        ({"kind": "post"}, []),
    ):
        assert names(lists.of_item(msgspec.Raw(msgspec.json.encode(item)))) == wanted


def test_who_follows_other_lists_takes_none_away(tmp_path: Path, write: Write) -> None:
    write("spam", "buy\n")
    write("fine", "ok\n")
    lists = LiveLists(tmp_path)
    assert lists.lacking("live", ["spam"]) == ""
    assert "lists/none.txt" in lists.lacking("shadow", ["fine", "none"])
    assert lists.lacking("live", ["spam"]) == ""
    assert names(lists.of("buy")) == ["spam"] and names(lists.of("ok")) == ["fine"]
    lists.lacking("shadow", [])
    assert names(lists.of("buy")) == ["spam"] and lists.of("ok") == ()
