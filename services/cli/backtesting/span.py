"""Which part of the history a backtest is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

import click

from services.events.errors import InvalidInstant
from services.events.instants import to_millis
from services.policy.comparison import Label
from services.policy.recorded import Inherited, Recorded

Step: TypeAlias = tuple[int, Recorded | Inherited | None]
"""How many records on the reader is, and what it came to; None: nothing that was decided first."""


class Span(NamedTuple):
    """From `since` to before `until`, ms; `items` at the most, None: all. Caps and budgets are counted from `warm` on,
    so that they are known by then.
    """

    since: int | None
    until: int | None
    items: int | None
    warm: int | None

    @classmethod
    def of(cls, since: str | None, until: str | None, items: int | None, warm_minutes: int) -> Span:
        """Raises UsageError where an instant is none."""
        begin, end = _millis(since, "--since"), _millis(until, "--until")
        if begin is not None and end is not None and begin >= end:
            raise click.UsageError("--since must be before --until")
        warm = None if begin is None else (begin // 60_000 - warm_minutes) * 60_000
        return cls(begin, end, items, warm)

    def holds(self, at: int) -> bool:
        """Whether an instant, ms, is in it; what comes before is only counted."""
        return self.since is None or at >= self.since


class Source(Protocol):
    """A history, shard by shard; read `labels` after the shards."""

    shards: int
    records: int  # about so many are read
    from_the_start: bool  # nothing was decided before it
    unmatched: int  # outcomes whose item is not recorded any more
    unasked: int  # questions that are not

    @property
    def labels(self) -> Mapping[tuple[str, int], Label]:
        """What people said, by key and revision."""

    def read(self, shard: int) -> Iterator[Step]:
        """What was decided in a shard, in its order."""


def _millis(instant: str | None, option: str) -> int | None:
    if instant is None:
        return None
    try:
        given = datetime.fromisoformat(instant)
        return to_millis(instant if given.tzinfo is not None else f"{given.isoformat()}Z")
    except (ValueError, InvalidInstant) as error:
        raise click.UsageError(
            f"{option} {instant!r}: give an instant in UTC, as in 2026-01-31T12:00:00Z, or a day, as in 2026-01-31"
        ) from error
