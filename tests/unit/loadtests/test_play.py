"""The manifest knows every time that something was sent: what was not acknowledged may have arrived all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from loadtests import play as plays
from loadtests.manifest import Key, Manifest, read
from loadtests.play import NotTaken, Play, Player
from services.cli.sending import Answer
from services.events.types import ContentSubmitted


class Scripted:
    """Answers as told, one list of statuses a call."""

    def __init__(self, *answers: list[int]) -> None:
        self.answers = list(answers)
        self.sent: list[list[str]] = []

    def send(self, items: Sequence[ContentSubmitted]) -> list[Answer]:
        self.sent.append([item.item_id for item in items])
        return [Answer(status) for status in self.answers.pop(0)]


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    with Manifest(tmp_path / "manifest.jsonl") as one:
        yield one


def test_what_was_not_acknowledged_is_written_down_and_sent_again(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plays, "PAUSE", 0)
    sender = Scripted([202, 503], [202])
    player = Player("demo", manifest, {"http": sender})
    player.play([Play("a", "one"), Play("b", "two", frozenset({"spam"}))])
    assert sender.sent == [["a", "b"], ["b"]]
    posts = read(manifest.path).posts
    assert [
        (posts[Key("demo", item, 1)].sent, posts[Key("demo", item, 1)].acknowledged) for item in "ab"
    ] == [
        (1, 1),
        (2, 1),
    ]
    assert player.published == 2 and player.known("two") == {"spam"} and player.known("three") is None


def test_what_is_refused_ends_the_run(manifest: Manifest) -> None:
    player = Player("demo", manifest, {"http": Scripted([422])})
    with pytest.raises(NotTaken, match="refused: a@1 over http: 422"):
        player.play([Play("a", "one")])
    assert read(manifest.path).posts == {}


def test_each_goes_its_way_in_order(manifest: Manifest) -> None:
    http, kafka = Scripted([202, 202], [202]), Scripted([202])
    player = Player("demo", manifest, {"http": http, "kafka": kafka})
    player.play([Play("a"), Play("b", via="kafka"), Play("a", kind="withdrawal"), Play("c")], batch=3)
    assert http.sent == [["a", "a"], ["c"]] and kafka.sent == [["b"]]
    assert read(manifest.path).withdrawals[Key("demo", "a", 1)].acknowledged == 1
