"""What a policy's risks buy: people's share against both risks, and what other thresholds would have made of last week.

Estimates weigh audited labels by how likely each was drawn. Their intervals are those of Korn and Graubard 1998:
Clopper and Pearson's, for as many labels as would say as much had all been drawn alike (Kish's effective size). Each is
of one threshold, looked at alone. What is certified comes from `certify`, and holds wherever the estimates fall.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from services.policy.certification.labels import AuditLabels, Flags, Floats
from services.policy.certification.testing import GRID, least
from services.policy.certify import SHARES, Certificate, allowance, certify, removal
from services.policy.model import Risks

WRONG = (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2)
MISSED = (0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3)
"""The stops of the two sliders: risks."""

POINTS = 60  # of a curve


@dataclass(frozen=True)
class Estimate:
    """A share, and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Stop:
    """A risk, and the threshold certified for it; None where `needed` more labels are wanting."""

    risk: float
    threshold: float | None
    needed: int


@dataclass(frozen=True)
class Point:
    """A threshold, and the risk estimated at it; None where nothing was audited that says anything."""

    threshold: float
    risk: Estimate | None


@dataclass(frozen=True)
class Frontier:
    """Both sliders of one category, and the curves behind them.

    `least_violating`: fewer audited violating items say nothing at any stop, and nothing is drawn; `asked` is what
    `certify` answers to the risks asked for.
    """

    asked: Certificate
    removals: tuple[Stop, ...]
    allowances: tuple[Stop, ...]
    wrong: tuple[Point, ...]
    missed: tuple[Point, ...]
    least_violating: int

    @property
    def drawable(self) -> bool:
        """Whether there are labels enough to draw anything."""
        return self.asked.violating >= self.least_violating

    def thresholds(self, *others: float | None) -> tuple[float, ...]:
        """Every threshold that the frontier or `others` name, ascending."""
        stops = (stop.threshold for stop in (*self.removals, *self.allowances))
        points = (point.threshold for point in (*self.wrong, *self.missed))
        return tuple(sorted({each for each in (*stops, *points, *others) if each is not None}))


def frontier(labels: AuditLabels, asked: Risks) -> Frontier:
    """What can be certified at every stop with the confidence asked for. Raises ValueError as `certify` does."""
    found, delta, grid = certify(labels, asked), 1 - asked.confidence, _curve(labels)
    return Frontier(
        asked=found,
        removals=tuple(
            Stop(risk, *removal(labels, risk, delta * SHARES["wrong_removals"])[:2])
            for risk in sorted({*WRONG, asked.wrong_removals})
        ),
        allowances=tuple(
            Stop(risk, *allowance(labels, risk, delta * SHARES["missed"])[:2])
            for risk in sorted({*MISSED, asked.missed})
        ),
        wrong=tuple(Point(each, wrong_removals(labels, each, asked.confidence)) for each in grid),
        missed=tuple(Point(each, missed(labels, each, asked.confidence)) for each in grid),
        least_violating=least(MISSED[-1], delta * SHARES["missed"]),
    )


def wrong_removals(labels: AuditLabels, remove: float | None, confidence: float = 0.95) -> Estimate | None:
    """The share of items scored at least `remove` that are fine."""
    if remove is None:
        return None
    return share(~labels.violates, labels.scores >= remove, labels.probability, confidence)


def missed(labels: AuditLabels, allow: float | None, confidence: float = 0.95) -> Estimate | None:
    """The share of violating items that score at most `allow`."""
    if allow is None:
        return None
    return share(labels.scores <= allow, labels.violates, labels.probability, confidence)


def violating(labels: AuditLabels, confidence: float = 0.95) -> Estimate | None:
    """The share of all items that violate."""
    return share(labels.violates, np.ones(len(labels.scores), bool), labels.probability, confidence)


def missed_of_all(labels: AuditLabels, allow: float | None, confidence: float = 0.95) -> Estimate | None:
    """The share of all items that violate and score at most `allow`."""
    if allow is None:
        return None
    everything = np.ones(len(labels.scores), bool)
    return share(labels.violates & (labels.scores <= allow), everything, labels.probability, confidence)


def share(part: Flags, of: Flags, probability: Floats, confidence: float) -> Estimate | None:
    """The share of the units `of` that are `part` too, each drawn with its probability; None where there are none."""
    weights = 1 / probability[of]
    if not len(weights):
        return None
    value = float(np.average(part[of], weights=weights))
    size = float(weights.sum() ** 2 / (weights**2).sum())
    tail = (1 - confidence) / 2
    count = value * size
    low = 0.0 if count <= 0 else float(beta.ppf(tail, count, size - count + 1))
    high = 1.0 if count >= size else float(beta.ppf(1 - tail, count + 1, size - count))
    return Estimate(value, min(low, value), max(high, value))


def _curve(labels: AuditLabels) -> list[float]:
    """Thresholds of the grid, evenly spread over the scores there are."""
    if not len(labels.scores):
        return []
    ends = np.searchsorted(GRID, (labels.scores.min(), labels.scores.max()))
    chosen = np.unique(np.linspace(max(0, ends[0] - 1), min(len(GRID) - 1, ends[1] + 1), POINTS).astype(int))
    return [float(GRID[each]) for each in chosen]
