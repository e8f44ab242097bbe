"""Series for charts: rows by time become one value for each bucket. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

STEPS = (10, 30, 60, 300, 900, 3600, 21_600, 86_400)  # seconds that a bucket may be long
WANTED = 60  # buckets in a chart, at the most twice as many


@dataclass(frozen=True)
class Buckets:
    """`count` spans of `step` seconds, the first beginning at `start` (seconds since 1970)."""

    start: int
    step: int
    count: int

    @property
    def starts(self) -> list[int]:
        """Where each begins."""
        return [self.start + number * self.step for number in range(self.count)]

    @property
    def ends(self) -> list[int]:
        """Where each ends."""
        return [start + self.step for start in self.starts]

    def series(self, rows: Iterable[tuple[int, Any]], empty: Any = None) -> list[Any]:
        """A value for each bucket, `empty` where there is none; `rows` hold where a bucket begins and its value."""
        values = dict(rows)
        return [values.get(start, empty) for start in self.starts]


def buckets(now: int, minutes: int) -> Buckets:
    """Those of the last `minutes`, the last one still running."""
    step = next((each for each in STEPS if minutes * 60 / each <= WANTED * 2), STEPS[-1])
    last = now // step * step
    count = max(1, minutes * 60 // step) + 1
    return Buckets(last - (count - 1) * step, step, count)


def by_name(
    rows: Iterable[tuple[int, str, Any]], where: Buckets, most: int, rest: str
) -> list[dict[str, Any]]:
    """Stacked counts: a series for each of the `most` largest names, the others as one called `rest`."""
    totals: dict[str, float] = {}
    found = list(rows)
    for _, name, value in found:
        totals[name] = totals.get(name, 0) + value
    kept = sorted(totals, key=lambda name: (-totals[name], name))[:most]
    values: dict[str, dict[int, float]] = {name: {} for name in kept}
    for start, name, value in found:
        own = values.setdefault(name if name in kept else rest, {})
        own[start] = own.get(start, 0) + value
    return [{"name": name, "values": where.series(own.items(), 0)} for name, own in values.items()]


def per_minute(counts: Sequence[float], where: Buckets, now: int) -> list[float | None]:
    """Rates; the bucket that still runs by the part of it that is over, and none before that says anything."""
    rates: list[float | None] = [round(60 * each / where.step, 2) for each in counts]
    passed = now - where.starts[-1]
    rates[-1] = round(60 * counts[-1] / passed, 2) if passed >= min(10, where.step / 2) else None
    return rates


def share(part: Sequence[float], whole: Sequence[float]) -> list[float | None]:
    """In percent; None where there is nothing to have a share of."""
    return [round(100 * a / b, 2) if b else None for a, b in zip(part, whole, strict=True)]


def mean(values: Iterable[tuple[float, float]]) -> float | None:
    """Of values with weights; None where all weigh nothing."""
    found = [(value, weight) for value, weight in values if weight]
    whole = sum(weight for _, weight in found)
    return round(sum(value * weight for value, weight in found) / whole, 2) if whole else None
