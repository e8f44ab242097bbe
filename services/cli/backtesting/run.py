"""One backtest: every recorded item through the policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from services.cli.backtesting.span import Source, Span
from services.events.types import Listed
from services.policy.backtest import Backtest, Lived, Trial
from services.policy.comparison import Comparison
from services.policy.recorded import Inherited

OFTEN = 500  # records between two looks at the progress


class Found(NamedTuple):
    """What a backtest came to, and what it could not see."""

    comparison: Comparison
    strangers: int  # items decided by policies whose documents are not to be had
    uncounted: int  # items without counters that the policy names
    unmatched: int  # outcomes whose item is not recorded any more
    unasked: int  # questions that are not


def run(
    source: Source,
    span: Span,
    policies: Trial | Lived,
    progress: Callable[[int], object] = lambda records: None,
    lists: Callable[[msgspec.Raw], tuple[Listed, ...]] | None = None,
) -> Found:
    """Replay the history; `progress` hears how many records were read, `lists` are those of a candidate."""
    backtest = Backtest(policies, source.shards, source.from_the_start, lists)
    comparison = Comparison(labels=source.labels, audits=isinstance(policies, Trial))
    read = 0
    for shard in range(source.shards):
        most = (
            None if span.items is None else span.items // source.shards + (shard < span.items % source.shards)
        )
        begun, taken, looked = read, 0, 0
        for place, seen in source.read(shard):
            if most is not None and taken >= most:
                break
            looked += 1
            read = begun + place
            if looked % OFTEN == 0:
                progress(read)
            if seen is None:
                continue
            if isinstance(seen, Inherited):
                backtest.inherit(seen)
            elif (replayed := backtest.replay(seen)) is not None and span.holds(seen.at):
                comparison.take(seen, replayed)
                taken += 1
        progress(read)
    return Found(comparison, backtest.strangers, backtest.uncounted, source.unmatched, source.unasked)
