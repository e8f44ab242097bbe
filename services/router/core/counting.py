"""What counters count, and sums of it in memory. See services.policy.counters."""

from collections.abc import Iterable

import msgspec

from services.events.types import ContentDecided
from services.policy.counters import Counter, Subject, What
from services.router.core.items import Classified, Requested


class Happening(msgspec.Struct, frozen=True, gc=False):
    """Something that counts at `at` (ms, append time). Authors are told apart by source: `source/id`."""

    what: What
    at: int
    source: str
    author: str | None
    text: str | None

    def subject(self, kind: Subject) -> str | None:
        """Whose counters of this kind it adds to; None: there is nobody."""
        return self.source if kind == "source" else self.author if kind == "author" else self.text


class Tally:
    """Counts by counter and bucket, of the counters that are followed."""

    def __init__(self, followed: Iterable[Counter]) -> None:
        self.counts: dict[tuple[str, int], dict[str, int]] = {}
        self._by_what: dict[What, list[Counter]] = {}
        self._keep: dict[str, int] = {}
        self._buckets: dict[str, list[int]] = {}
        for counter in followed:
            self._by_what.setdefault(counter.what, []).append(counter)
            self._buckets[counter.name] = []
            self._keep[counter.name] = counter.window.keep_seconds

    def add(self, happening: Happening) -> None:
        """Count it."""
        for counter in self._by_what.get(happening.what, ()):
            subject = happening.subject(counter.subject)
            if subject is None:
                continue
            bucket = counter.window.bucket(happening.at)
            counts = self.counts.get((counter.name, bucket))
            if counts is None:
                counts = self.counts[counter.name, bucket] = {}
                self._buckets[counter.name].append(bucket)
            counts[subject] = counts.get(subject, 0) + 1

    def within(self, counter: Counter, bucket: int, subject: str) -> int:
        """How many in the window that ends with `bucket`."""
        first, total = bucket - counter.window.buckets, 0
        for each in self._buckets[counter.name]:
            if first <= each <= bucket:
                total += self.counts[counter.name, each].get(subject, 0)
        return total

    def adds(self) -> list[tuple[str, int, int, dict[str, int]]]:
        """(counter, bucket, seconds to keep it, count by subject)."""
        return [(name, bucket, self._keep[name], counts) for (name, bucket), counts in self.counts.items()]


class _Author(msgspec.Struct, gc=False):
    id: str


class _Item(msgspec.Struct, gc=False):
    author: _Author | None = None


class _Event(msgspec.Struct, gc=False):
    source: str
    withdrawn: bool = False
    item: _Item | None = None
    text_hash: str | None = None
    tier: str = "fast"


_event = msgspec.json.Decoder(_Event).decode
_item = msgspec.json.Decoder(_Item).decode


def arrived(what: What, value: bytes, at: int) -> Happening | None:
    """An item, or a report, as its record says; None where it counts for nothing, or cannot be read.

    Slow scores are about an item that has been counted.
    """
    try:
        event = _event(value)
    except msgspec.DecodeError:
        return None
    if event.withdrawn or event.tier != "fast":
        return None
    return _happening(what, at, event.source, event.item, event.text_hash)


def outcome(event: msgspec.Struct, item: Classified, at: int) -> Happening | None:
    """What counts of an event that the router writes: a final removal, and an item that went to people."""
    what: What
    if isinstance(event, ContentDecided) and event.final and event.action == "remove":
        what = "removals"
    elif isinstance(event, Requested) and event.purpose == "decision" and event.replaces is None:
        what = "reviews"
    else:
        return None
    return _happening(what, at, item.source, _item(item.item), item.text_hash)


def _happening(what: What, at: int, source: str, item: _Item | None, text: str | None) -> Happening:
    author = item.author if item else None
    return Happening(what, at, source, f"{source}/{author.id}" if author else None, text)
