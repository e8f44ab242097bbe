"""What thresholds of one category would have made of last week's items, by the policy's own `judge`.

Items are counted by where each of their scores lies: in which *zone* of its category (allowed, between, removed), and
for the category in question between which thresholds. So a week of any length is a few hundred numbers, and the outcome
of each kind of item is asked of the policy instead of being written down here a second time.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from services.events.types import Score
from services.policy.model import CategoryRule, Policy
from services.policy.route import Decided, judge

ALLOWED, BETWEEN, REMOVED = 0, 1, 2
Counts = NDArray[np.int64]


class Kind(NamedTuple):
    """Items that differ in nothing that matters. `others`: category and zone of every other score.

    `bin`: how many of the thresholds the score in question reaches; None where the item has no such score.
    """

    others: tuple[tuple[str, int], ...]
    bin: int | None
    items: int


@dataclass(frozen=True)
class Week:
    """Items decided by scores, of one model. `thresholds` are those that bins count, ascending.

    `fixed`: how many items came out as they did whatever the scores (rules, copies); `elsewhere`: of other models.
    """

    thresholds: tuple[float, ...]
    kinds: tuple[Kind, ...]
    fixed: int
    elsewhere: int

    @property
    def items(self) -> int:
        """How many the slider has a say in."""
        return sum(kind.items for kind in self.kinds)

    @cached_property
    def below(self) -> dict[tuple[tuple[str, int], ...], Counts]:
        """By the zones of the others: how many items have fewer than 0, 1, 2 … thresholds below their score."""
        found: dict[tuple[tuple[str, int], ...], Counts] = {}
        for kind in self.kinds:
            if kind.bin is not None:
                own = found.setdefault(kind.others, np.zeros(len(self.thresholds) + 2, np.int64))
                own[kind.bin + 1] += kind.items
        return {others: np.cumsum(own) for others, own in found.items()}

    @property
    def unscored(self) -> list[tuple[tuple[tuple[str, int], ...], int]]:
        """Items without the score in question."""
        return [(kind.others, kind.items) for kind in self.kinds if kind.bin is None]


class Load(NamedTuple):
    """What a queue gets in a day. `hours` None: nobody has timed a verdict there yet."""

    items: float
    reviews: float
    hours: float | None


@dataclass(frozen=True)
class Came:
    """Of a week's items, how many are acted on, allowed and asked about; `own`: acted on for the category itself."""

    removed: int
    allowed: int
    people: int
    own: int
    queues: dict[str, int]

    def loads(self, policy: Policy, seconds: dict[str, float], days: float) -> dict[str, Load]:
        """Each queue's load a day, given the mean `seconds` that a verdict takes there."""
        found = {}
        for name, items in self.queues.items():
            reviews = items * policy.queues[name].votes / days
            hours = reviews * seconds[name] / 3600 if name in seconds else None
            found[name] = Load(items / days, reviews, hours)
        return found


def came(week: Week, policy: Policy, category: str, remove: float | None, allow: float | None) -> Came:
    """What the policy makes of the week with these thresholds of the category, which `week` must count by.

    With neither switch, alarms nor caps. What reaches both thresholds is removed, as `certify` has it. Queues of
    equally severe categories are told apart by typical scores.
    """
    crossing = remove is not None and allow is not None and allow >= remove
    highest = float(np.nextafter(remove, 0)) if crossing and remove is not None else allow
    rule = replace(policy.categories[category], remove=remove, allow=highest)
    changed = replace(policy, categories={**policy.categories, category: rule})
    bins = {value: index for index, value in enumerate(week.thresholds)}
    last = len(week.thresholds) + 1
    removed_from = last if remove is None else bins[remove] + 1
    allowed_to = min(removed_from, 0 if allow is None else bins[allow] + 1)
    counts: list[tuple[tuple[tuple[str, int], ...], int]] = []
    for others, below in week.below.items():
        zones = {
            ALLOWED: below[allowed_to],
            BETWEEN: below[removed_from] - below[allowed_to],
            REMOVED: below[last] - below[removed_from],
        }
        counts += [((*others, (category, where)), int(items)) for where, items in zones.items() if items]
    counts += week.unscored
    removed = allowed = own = 0
    queues: Counter[str] = Counter()
    for scores, items in counts:
        outcome = judge(_Typical(scores=_scores(scores, changed)), changed)
        if isinstance(outcome, Decided):
            allowed += items * (outcome.action == "allow")
            removed += items * (outcome.action != "allow")
            own += items * (category in outcome.categories)
        else:
            queues[outcome.queue] += items
    return Came(removed, allowed, sum(queues.values()), own, dict(sorted(queues.items())))


def zone(score: float, rule: CategoryRule) -> int:
    """Where a score lies for a category, as `judge` has it."""
    if rule.remove is not None and score >= rule.remove:
        return REMOVED
    return ALLOWED if rule.allow is not None and score <= rule.allow else BETWEEN


def counted(
    items: Iterable[Sequence[Score]], policy: Policy, category: str, thresholds: tuple[float, ...]
) -> tuple[Kind, ...]:
    """Items by kind: what analytics has ClickHouse do, for tests and for few items."""
    bounds = np.array(thresholds)
    found: Counter[tuple[tuple[tuple[str, int], ...], int | None]] = Counter()
    for scores in items:
        others, place = [], None
        for score in scores:
            if score.category == category:
                place = int(np.searchsorted(bounds, score.probability, side="right"))
            elif (rule := policy.categories.get(score.category)) is not None:
                others.append((score.category, zone(score.probability, rule)))
            else:
                others.append((score.category, BETWEEN))
        found[tuple(sorted(others)), place] += 1
    return tuple(Kind(others, place, n) for (others, place), n in found.items())


class _Typical(msgspec.Struct, frozen=True, kw_only=True):
    """An item that has nothing but scores."""

    scores: tuple[Score, ...]
    model_version: str | None = None
    source: str = "week"
    item: msgspec.Raw = msgspec.Raw(b"{}")
    accepted_at: str | None = None


def _scores(zones: Iterable[tuple[str, int]], policy: Policy) -> tuple[Score, ...]:
    """A score in each zone: at its threshold, or halfway between."""
    found = []
    for name, where in zones:
        rule = policy.categories.get(name)
        low = 0.0 if rule is None or rule.allow is None else rule.allow
        high = 1.0 if rule is None or rule.remove is None else rule.remove
        found.append(Score(category=name, probability=(low, (low + high) / 2, high)[where]))
    return tuple(found)
