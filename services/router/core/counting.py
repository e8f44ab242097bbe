"""What counters count, and sums of it in memory. See services.policy.counters."""

from collections import Counter as Counts
from collections.abc import Iterable

import msgspec

from services.events.types import ContentDecided, ContentReported
from services.policy.counters import MINUTE_MS, Counter, Subject, What
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


def subjects(happenings: Iterable[Happening], kind: Subject) -> list[str]:
    """Whose counters of this kind they add to."""
    if kind == "source":
        return [each.source for each in happenings]
    if kind == "author":
        return [each.author for each in happenings if each.author is not None]
    return [each.text for each in happenings if each.text is not None]


class _Sums:
    """Of one counter: counts by subject, of each bucket; `counts` are those of `bucket`, the last one added to."""

    __slots__ = ("bucket", "bucket_ms", "buckets", "counter", "counts", "subject")

    def __init__(self, counter: Counter) -> None:
        self.counter, self.subject, self.bucket_ms = counter, counter.subject, counter.window.bucket_ms
        self.bucket: int | None = None
        self.counts: Counts[str] = Counts()
        self.buckets: dict[int, Counts[str]] = {}


class Tally:
    """Counts by counter and bucket, of the counters that are followed. Made for batches, whose items fall into one
    bucket or two: what is asked of every item is a look into a dictionary.
    """

    def __init__(self, followed: Iterable[Counter]) -> None:
        self._sums = {counter.name: _Sums(counter) for counter in followed}
        self._by_what: dict[What, list[_Sums]] = {}
        for sums in self._sums.values():
            self._by_what.setdefault(sums.counter.what, []).append(sums)

    def __bool__(self) -> bool:
        """Whether anything was counted."""
        return any(sums.buckets for sums in self._sums.values())

    def add(self, happening: Happening) -> None:
        """Count it."""
        for sums in self._by_what.get(happening.what, ()):
            subject = happening.subject(sums.subject)
            if subject is None:
                continue
            bucket = happening.at // sums.bucket_ms
            if bucket != sums.bucket:
                sums.bucket, sums.counts = bucket, sums.buckets.setdefault(bucket, Counts())
            sums.counts[subject] += 1

    def add_all(self, happenings: Iterable[Happening]) -> None:
        """Count all of them."""
        alike: dict[tuple[What, int], list[Happening]] = {}  # every bucket is made of minutes
        for happening in happenings:
            alike.setdefault((happening.what, happening.at // MINUTE_MS), []).append(happening)
        for (what, minute), same in alike.items():
            for sums in self._by_what.get(what, ()):
                counts = sums.buckets.setdefault(minute * MINUTE_MS // sums.bucket_ms, Counts())
                counts.update(subjects(same, sums.subject))

    def within(self, counter: Counter, bucket: int, subject: str) -> int:
        """How many in the window that ends with `bucket`."""
        found = self._sums[counter.name].buckets
        if len(found) == 1 and bucket in found:  # nearly always
            return found[bucket].get(subject, 0)
        first = bucket - counter.window.buckets
        return sum([counts.get(subject, 0) for each, counts in found.items() if first <= each <= bucket])

    def adds(self) -> list[tuple[str, int, int, dict[str, int]]]:
        """(counter, bucket, seconds to keep it, count by subject)."""
        return [
            (name, bucket, sums.counter.window.keep_seconds, counts)
            for name, sums in self._sums.items()
            for bucket, counts in sums.buckets.items()
        ]


class _Author(msgspec.Struct, gc=False):
    id: str


class _Item(msgspec.Struct, gc=False):
    author: _Author | None = None


_item = msgspec.json.Decoder(_Item).decode


def arrived(event: msgspec.Struct, at: int) -> Happening | None:
    """An item or a report that came at `at` (ms); None where it counts for nothing, or does not read as one.

    Slow scores are about an item that has been counted.
    """
    if isinstance(event, ContentReported):
        author = event.item.author if event.item else None
        return _happening("reports", at, event.source, author.id if author else None, None)
    if not isinstance(event, Classified) or event.withdrawn or event.tier != "fast":
        return None
    try:
        return _happening("items", at, event.source, _author(event.item), event.text_hash)
    except msgspec.DecodeError:
        return None


def outcome(event: msgspec.Struct, item: Classified, at: int) -> Happening | None:
    """What counts of an event that the router writes: a final removal, and an item that went to people."""
    what: What
    if isinstance(event, ContentDecided) and event.final and event.action == "remove":
        what = "removals"
    elif isinstance(event, Requested) and event.purpose == "decision" and event.replaces is None:
        what = "reviews"
    else:
        return None
    return _happening(what, at, item.source, _author(item.item), item.text_hash)


def _author(item: msgspec.Raw) -> str | None:
    author = _item(item).author
    return author.id if author else None


def _happening(what: What, at: int, source: str, author: str | None, text: str | None) -> Happening:
    return Happening(what, at, source, f"{source}/{author}" if author else None, text)
