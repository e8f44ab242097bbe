"""Counters that rules may use: what happened to an author, a source or a text within a window.

A window is made of buckets of append time. It reaches from the item back over so many whole buckets and what has passed
of the one in hand, so it counts everything within its length and at most one bucket more.
"""

from typing import Literal, NamedTuple, TypeAlias

Subject: TypeAlias = Literal["author", "source", "text"]
What: TypeAlias = Literal["items", "removals", "reviews", "reports"]

MINUTE_MS, HOUR_MS = 60_000, 3_600_000


class Window(NamedTuple):
    """`buckets` whole buckets of `bucket_ms`, and the one in hand."""

    bucket_ms: int
    buckets: int

    @property
    def keep_seconds(self) -> int:
        """How long a bucket is of use after it was last added to."""
        return (self.buckets + 1) * self.bucket_ms // 1000 + 60

    def bucket(self, at: int) -> int:
        """The bucket of an instant, ms."""
        return at // self.bucket_ms


class Counter(NamedTuple):
    """One counter, as in author.items_10m."""

    name: str
    subject: Subject
    what: What
    window: Window


WINDOWS = {
    "10m": Window(MINUTE_MS, 10),
    "1h": Window(10 * MINUTE_MS, 6),
    "1d": Window(3 * HOUR_MS, 8),
    "7d": Window(24 * HOUR_MS, 7),
}
COUNTED: dict[Subject, tuple[What, ...]] = {
    "author": ("items", "removals", "reviews", "reports"),
    "source": ("items", "removals", "reviews", "reports"),
    "text": ("items", "removals", "reviews"),  # a report names an item, not what its text is like
}
COUNTERS: dict[str, Counter] = {
    name: Counter(name, subject, what, window)
    for subject, whats in COUNTED.items()
    for what in whats
    for length, window in WINDOWS.items()
    for name in [f"{subject}.{what}_{length}"]
}
PREFIX = "counters."  # of their names in rules
STORED = "{counters}:"  # how their keys in Redis begin, followed by name:bucket; one hash slot
