"""The manifest: everything that was published and every verdict that was given, as JSON lines on disk.

A line is written before a post is sent and another when it was acknowledged, so that whatever ends the writer,
the file knows what may be there and what must be. It is the one thing that the count believes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, NamedTuple, Self

import msgspec

Kind = Literal["post", "edit", "withdrawal"]


class Published(msgspec.Struct, frozen=True, tag_field="line", tag="published"):
    """Is about to be sent. `number` is its own; `part` names a part of the story, as in campaign-before."""

    number: int
    source: str
    item_id: str
    revision: int
    kind: Kind
    labels: tuple[str, ...] = ()
    part: str = ""
    via: str = "http"


class Acknowledged(msgspec.Struct, frozen=True, tag_field="line", tag="acknowledged"):
    """Kafka has it: 202 over HTTP, or the delivery report."""

    number: int


class Refused(msgspec.Struct, frozen=True, tag_field="line", tag="refused"):
    """It was answered with an error for good, and must have no effect."""

    number: int


class Verdict(msgspec.Struct, frozen=True, tag_field="line", tag="verdict"):
    """A person's verdict that review acknowledged. One `sent` n times may be recorded n times."""

    task_id: str
    verdict_id: str
    reviewer: str
    action: str
    sent: int = 1


class Retraction(msgspec.Struct, frozen=True, tag_field="line", tag="retraction"):
    """Its retraction, acknowledged."""

    verdict_id: str


Line = Published | Acknowledged | Refused | Verdict | Retraction


class Key(NamedTuple):
    """One revision of one item."""

    source: str
    item_id: str
    revision: int


@dataclass
class Times:
    """How often a revision was sent, and how often of those acknowledged; refused ones are not in it."""

    labels: tuple[str, ...] = ()
    part: str = ""
    sent: int = 0
    acknowledged: int = 0


@dataclass
class Contents:
    """A manifest, folded. Posts and edits are in `posts`, withdrawals beside them."""

    posts: dict[Key, Times] = field(default_factory=dict)
    withdrawals: dict[Key, Times] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)  # by verdict_id
    retracted: set[str] = field(default_factory=set)  # verdict_ids


class Manifest:
    """Appends to the file, a line at a time, from any thread. Numbers go on where the file ends."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._next = sum(isinstance(line, Published) for line in lines(path)) if path.exists() else 0
        self._file: BinaryIO = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def publish(
        self,
        key: Key,
        kind: Kind = "post",
        labels: Iterable[str] = (),
        part: str = "",
        via: str = "http",
    ) -> int:
        """To be called before sending; returns the number by which it is acknowledged."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._append(Published(number, *key, kind, tuple(sorted(labels)), part, via))
        return number

    def note(self, line: Acknowledged | Refused | Verdict | Retraction) -> None:
        """To be called after the answer."""
        with self._lock:
            self._append(line)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, line: Line) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")


def lines(path: Path) -> Iterator[Line]:
    """Every whole line. Raises msgspec.ValidationError for one that is none of ours."""
    decoder = msgspec.json.Decoder(Line)
    with path.open("rb") as file:
        for raw in file:
            if raw.endswith(b"\n"):  # the last one may have been cut off
                yield decoder.decode(raw)


def read(path: Path) -> Contents:
    """The manifest, folded."""
    return fold(lines(path))


def fold(manifest: Iterable[Line]) -> Contents:
    """What was sent how often, and what was answered."""
    told = list(manifest)
    answered = {line.number for line in told if isinstance(line, Acknowledged)}
    refused = {line.number for line in told if isinstance(line, Refused)}
    contents = Contents()
    for line in told:
        match line:
            case Published() if line.number not in refused:
                into = contents.withdrawals if line.kind == "withdrawal" else contents.posts
                key = Key(line.source, line.item_id, line.revision)
                times = into.setdefault(key, Times(line.labels, line.part))
                times.sent += 1
                times.acknowledged += line.number in answered
            case Verdict():
                contents.verdicts[line.verdict_id] = line
            case Retraction():
                contents.retracted.add(line.verdict_id)
    return contents
