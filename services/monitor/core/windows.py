"""Panes and windows. Events are counted once, in panes of one step; a window is the sum of the panes it covers
(Li et al., "No pane, no gain", SIGMOD Record 2005), so a long window that hops often costs no more than a short one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.events.ids import derived_id
from services.events.instants import from_millis
from services.events.types import QualityMeasured
from services.monitor.core.observing import Observation, Series


@dataclass(frozen=True, slots=True)
class Cell:
    """What a pane or window comes to; `touched` is when it was last added to, ms.

    `offset` is that of the last event counted in a pane. A measure comes from one topic, a pane from one partition of
    it, so what is read again after a crash is known by it and not counted twice: Faust repeats events then, with
    their effect on tables already committed (measured), whatever its `exactly_once` promises.
    """

    amount: float = 0
    count: int = 0
    touched: int = 0
    offset: int = -1

    def row(self) -> list[float]:
        """As a table has it."""
        return [self.amount, self.count, self.touched, self.offset]

    def plus(self, other: "Cell") -> "Cell":
        """Both together."""
        return Cell(
            self.amount + other.amount,
            self.count + other.count,
            max(self.touched, other.touched),
            max(self.offset, other.offset),
        )


class Pane(NamedTuple):
    """One step of one series as one partition saw it; the key of a table."""

    partition: int
    start: int  # ms
    series: Series

    def key(self) -> bytes:
        """As the table has it: all is ASCII and no part contains a space, by the schemas."""
        return " ".join((str(self.partition), str(self.start), *self.series)).encode()

    @classmethod
    def of(cls, key: bytes) -> "Pane":
        """The pane of a table's key."""
        partition, start, *series = key.decode().split(" ")
        return cls(int(partition), int(start), Series(*series))


class Window(NamedTuple):
    """A series from `start` to before `end`, ms, and what it comes to."""

    series: Series
    start: int
    end: int
    cell: Cell

    @property
    def share(self) -> float:
        """Amount by event."""
        return self.cell.amount / self.cell.count

    @property
    def value(self) -> float:
        """In the measure's unit: events by minute, or a share."""
        if self.series.measure.endswith("_per_minute"):
            return self.cell.amount * 60_000 / (self.end - self.start)
        return self.share


def accumulate(cell: Cell, observation: Observation, offset: int, now: int) -> Cell:
    """The cell with one observation more, of the event at `offset`, seen at `now` (ms); as it is where it has that."""
    if offset <= cell.offset:
        return cell
    return cell.plus(Cell(observation.amount, observation.count, now, offset))


def pane_of(observation: Observation, partition: int, step: int) -> Pane:
    """Where an observation is counted."""
    return Pane(partition, observation.at - observation.at % step, observation.series)


def closed_windows(
    panes: Iterable[tuple[Pane, Cell]],
    size_of: Callable[[str], int],
    step: int,
    after: Mapping[Series, int],
    oldest: int,
    latest: int,
) -> Iterator[Window]:
    """Windows that are over, in order of time in each series, partitions summed.

    A window ends at every step, and is given where it has any event, ends after `oldest` and after what `after` says
    of its series, ends by `latest`, and has not been added to since. `size_of` a measure is its length, a multiple of
    `step`; all in ms.
    """
    of_series: dict[Series, dict[int, Cell]] = defaultdict(dict)
    for pane, cell in panes:
        starts = of_series[pane.series]
        starts[pane.start] = starts.get(pane.start, Cell()).plus(cell)
    for series, starts in of_series.items():
        size = size_of(series.measure)
        first = (max(oldest, after.get(series, 0), min(starts)) // step + 1) * step
        for end in range(first, min(max(starts) + size, latest) + 1, step):
            total = Cell()
            for start, cell in starts.items():
                if end - size <= start < end:
                    total = total.plus(cell)
            if total.touched > latest:
                break
            if total.count:
                yield Window(series, end - size, end, total)


def summarise(window: Window, now: int) -> QualityMeasured:
    """The event of a window: measured again, it has the same id."""
    series = window.series
    return QualityMeasured(
        event_id=derived_id("quality_measured", *series, window.start, window.end),
        occurred_at=from_millis(now),
        measure=series.measure,
        window_start=from_millis(window.start),
        window_end=from_millis(window.end),
        category=series.category or None,
        model_version=series.model_version or None,
        queue=series.queue or None,
        value=window.value,
        count=window.cell.count,
    )
