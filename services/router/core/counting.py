"""What counters count, and sums of it in memory. See services.policy.counters."""

from collections import Counter as Counts
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from services.events.types import ContentDecided, ContentReported
from services.policy.counters import MINUTE_MS, Counter, Subject, What
from services.router.core.items import Classified, Requested

Whose: TypeAlias = tuple[str, str | None, str | None]
"""Source, author and text, in the order of PLACES. Authors are told apart by source: `source/id`."""


class Happening(msgspec.Struct, frozen=True, gc=False):
    """Something that counts at `at` (ms, append time), for whose counters it adds to; None: there is nobody."""

    what: What
    at: int
    whose: Whose


PLACES: dict[Subject, int] = {"source": 0, "author": 1, "text": 2}


class Alike:
    """Happenings of one kind and minute. Every bucket is made of minutes, so they count in the same ones."""

    def __init__(self, what: What, minute: int) -> None:
        self.what, self.minute = what, minute
        self.happenings: list[Happening] = []
        self._subjects: dict[Subject, list[str]] = {}

    def bucket(self, bucket_ms: int) -> int:
        """The bucket that they are in, where buckets take so long."""
        return self.minute * MINUTE_MS // bucket_ms

    def subjects(self, kind: Subject) -> list[str]:
        """Whose counters of this kind they add to: asked for by each counter, and found once."""
        if (found := self._subjects.get(kind)) is None:
            found = self._subjects[kind] = _subjects(self.happenings, kind)
        return found


def alike(happenings: Iterable[Happening]) -> list[Alike]:
    """The happenings, those of one kind and minute together."""
    found: dict[tuple[What, int], Alike] = {}
    last: Alike | None = None
    for each in happenings:
        if (
            last is None or each.at // MINUTE_MS != last.minute or each.what != last.what
        ):  # a few times in a batch
            of = each.what, each.at // MINUTE_MS
            last = found.get(of) or found.setdefault(of, Alike(*of))
        last.happenings.append(each)
    return list(found.values())


def _subjects(happenings: Iterable[Happening], kind: Subject) -> list[str]:
    place = PLACES[kind]
    return [subject for each in happenings if (subject := each.whose[place]) is not None]


class _Sums:
    """Of one counter: counts by subject, of each bucket; `counts` are those of `bucket`, the last one added to."""

    __slots__ = ("bucket", "bucket_ms", "buckets", "counter", "counts", "place", "subject")

    def __init__(self, counter: Counter) -> None:
        self.counter, self.subject, self.bucket_ms = counter, counter.subject, counter.window.bucket_ms
        self.place = PLACES[counter.subject]
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
        # How many there are of all counters: `counts` says something else once there are more.
        self.buckets = 0

    def __bool__(self) -> bool:
        """Whether anything was counted."""
        return any(sums.buckets for sums in self._sums.values())

    def add(self, happening: Happening) -> None:
        """Count it."""
        whose = happening.whose
        for sums in self._by_what.get(happening.what, ()):
            if (subject := whose[sums.place]) is None:
                continue
            bucket = happening.at // sums.bucket_ms
            if bucket != sums.bucket:
                sums.bucket, sums.counts = bucket, self._counts(sums, bucket)
            # `+=` would ask Counter for what is missing.
            sums.counts[subject] = sums.counts.get(subject, 0) + 1

    def add_all(self, same: Iterable[Alike]) -> None:
        """Count all of them."""
        for each in same:
            for sums in self._by_what.get(each.what, ()):
                self._counts(sums, each.bucket(sums.bucket_ms)).update(each.subjects(sums.subject))

    def _counts(self, sums: _Sums, bucket: int) -> Counts[str]:
        if (counts := sums.buckets.get(bucket)) is None:
            counts = sums.buckets[bucket] = Counts()
            self.buckets += 1
        return counts

    def counts(self, counter: Counter, bucket: int) -> list[Counts[str]]:
        """Counts by subject that add up to those of the window that ends with `bucket`; they go on as more is added."""
        first = bucket - counter.window.buckets
        found = self._sums[counter.name].buckets
        return [counts for each, counts in found.items() if first <= each <= bucket]

    def last(self, counter: Counter, bucket: int) -> Counts[str]:
        """Those of one bucket, for who adds to them without `add`."""
        return self._counts(self._sums[counter.name], bucket)

    def within(self, counter: Counter, bucket: int, subject: str) -> int:
        """How many in the window that ends with `bucket`."""
        return sum([counts.get(subject, 0) for counts in self.counts(counter, bucket)])

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
    if isinstance(event, Classified):
        if event.withdrawn or event.tier != "fast":
            return None
        try:
            author = _author(event.source, event.item)
        except msgspec.DecodeError:
            return None
        return Happening("items", at, (event.source, author, event.text_hash))
    if isinstance(event, ContentReported):
        by = event.item.author if event.item else None
        return Happening("reports", at, (event.source, f"{event.source}/{by.id}" if by else None, None))
    return None


def counted_as(event: msgspec.Struct) -> What | None:
    """As what an event of the router counts: a final removal, an item that went to people; None: as nothing."""
    kind = type(event)
    if kind is ContentDecided:
        return "removals" if event.action == "remove" and event.final else None  # type: ignore[attr-defined]
    if kind is Requested:
        return "reviews" if event.purpose == "decision" and event.replaces is None else None  # type: ignore[attr-defined]
    return None


def whose(item: Classified) -> Whose:
    """Whose counters what becomes of an item adds to."""
    return item.source, _author(item.source, item.item), item.text_hash


def _author(source: str, item: msgspec.Raw) -> str | None:
    author = _item(item).author
    return f"{source}/{author.id}" if author is not None and author.id else None
