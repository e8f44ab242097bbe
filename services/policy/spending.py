"""A budget of reviews an hour, divided among shards and spent on the most valuable items.

Hours and minutes are those of append times, so that a batch handled again comes to the same. At the beginning of each
minute what is left of the hour is divided by the minutes left, and the value above which as many items came of late is
found in a histogram: from there on people look, and at the margin, the histogram's bin that holds it, they look with
the probability that spends the rest. It rests on what came before only, so an item's probability is known before it is
drawn. The router keeps a shard's histogram and spending on its changelog; a backtest counts them again.
"""

import math

import msgspec

from services.policy.budget import NOBODY
from services.policy.facts import Budget

MINUTE_MS = 60_000
DECAY = 0.9  # of the histogram, a minute: it remembers about ten
BURST = 10  # minutes' worth of questions that one minute may take, before a histogram knows better
BINS = 4  # for each doubling of the value: the margin is 19% wide
LOWEST = -80  # bin of what is worth nothing


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """What a shard spent, and what came; `limit` and `budget` hold for `minute` (since 1970)."""

    minute: int
    limit: int  # of questions this minute
    budget: Budget | None = None  # None: there is time for all
    spent: int = 0  # this hour
    taken: int = 0  # this minute
    came: dict[int, int] = {}  # this minute, by bin of value
    before: dict[int, float] = {}  # in minutes before, the longer ago the less they count
    weight: float = 0.0  # how many minutes `before` stands for


def share(whole: int, shard: int, shards: int, period: int) -> int:
    """How much of `whole` is this shard's in a period; the shares of all shards add up to it."""
    return whole // shards + ((shard + period) % shards < whole % shards)


def at(state: Spending | None, reviews_per_hour: int, shard: int, shards: int, timestamp: int) -> Spending:
    """The state at `timestamp` (ms); a record older than the minute in hand counts in it."""
    minute = timestamp // MINUTE_MS
    if state is not None and minute <= state.minute:
        return state
    hour, before, weight, spent = minute // 60, dict[int, float](), 0.0, 0
    if state is not None:
        idle = DECAY ** min(minute - state.minute - 1, 1000)
        weight = (state.weight * DECAY + 1) * idle + (1 - idle) / (1 - DECAY)
        for bin in state.before.keys() | state.came.keys():
            count = (state.before.get(bin, 0.0) * DECAY + state.came.get(bin, 0)) * idle
            if count > 0.001:
                before[bin] = count
        spent = state.spent if state.minute // 60 == hour else 0
    left = max(0, share(reviews_per_hour, shard, shards, hour) - spent)
    target = left / (60 - minute % 60)
    return Spending(
        minute=minute,
        limit=min(left, max(1, math.ceil(BURST * target))),
        budget=_threshold({bin: count / weight for bin, count in before.items()}, target),
        spent=spent,
        before=before,
        weight=weight,
    )


def room(state: Spending) -> Budget | None:
    """Whom there is time for now; None: all."""
    return NOBODY if state.taken >= state.limit else state.budget


def counted(state: Spending, asked: int, value: float | None) -> Spending:
    """The state after so many questions, whatever for, and an item of this value (None: it had none)."""
    if not asked and value is None:
        return state
    came = state.came
    if value is not None:
        bin = bin_of(value)
        came = came | {bin: came.get(bin, 0) + 1}
    return msgspec.structs.replace(state, spent=state.spent + asked, taken=state.taken + asked, came=came)


def bin_of(value: float) -> int:
    """The bin of a value: BINS for each doubling."""
    return max(LOWEST, math.floor(BINS * math.log2(value))) if value > 0 else LOWEST


def edge(bin: int) -> float:
    """The least value of a bin."""
    return 0.0 if bin == LOWEST else 2.0 ** (bin / BINS)


def _threshold(rates: dict[int, float], target: float) -> Budget | None:
    """What spends `target` questions a minute where items come at these rates; None where all can be asked."""
    spent = 0.0
    for bin in sorted(rates, reverse=True):
        if spent + rates[bin] > target:
            probability = (target - spent) / rates[bin]
            return Budget(threshold=edge(bin), margin=edge(bin + 1), probability=probability)
        spent += rates[bin]
    return None
