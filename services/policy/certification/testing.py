"""The tests of both risks, at every threshold of a grid that is fixed before any label is seen.

A risk is a share: bad / (bad + good). Where bad units were drawn at rate g and good ones at rate h, then given how many
of both were drawn, k bad ones are binomial with chance g s / (g s + h) each, s = risk / (1 - risk) being the odds
(the exact test of two Poisson means: Przyborowski and Wilenski 1940; Lehmann and Romano 2005, section 4.5). With g = h
that is the binomial test behind the interval of Clopper and Pearson 1934. Counts of independent draws with small
probability are Poisson; with larger ones they spread less, so that the test errs on the safe side.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from services.policy.certification.labels import AuditLabels, Floats

Counts = NDArray[np.int64]
STEP = 0.02  # of the grid, in log-odds
GRID: Floats = 1 / (1 + np.exp(-np.arange(-16.0, 16.0 + STEP / 2, STEP)))
"""Thresholds that are tried, ascending: evenly spaced in log-odds, the same for every model and data set."""

FIRST = 0.25  # of the violating units that scores lead to expect: so many are above the first threshold of removals


@dataclass(frozen=True)
class Trials:
    """At each threshold of GRID: `bad` units among `drawn`, and how likely a unit is bad where the risk is just met."""

    bad: Counts
    drawn: Counts
    chance: Floats
    expected: float = 0.0  # violating units, going by scores

    def rejected(self, delta: float, coin: float = 1.0) -> NDArray[np.bool_]:
        """Where the risk is lower than allowed with confidence 1 - delta.

        Counts are whole, so that a test stays well below `delta`. A `coin` drawn from [0, 1) uses up the rest: a
        count at the boundary rejects as often as makes the error `delta` (Stevens 1950); 1 is Clopper and Pearson.
        Where too few are drawn to reject without a coin, nothing does.
        """
        below = binom.cdf(self.bad - 1, self.drawn, self.chance)
        up_to = binom.cdf(self.bad, self.drawn, self.chance)
        enough = binom.pmf(0, self.drawn, self.chance) <= delta
        return np.asarray((below + coin * (up_to - below) <= delta) & enough)


def least(chance: float, delta: float) -> int:
    """How many units with no bad one among them suffice."""
    return math.ceil(math.log(delta) / math.log1p(-chance) - 1e-9)


def removals(labels: AuditLabels, risk: float) -> Trials:
    """Trials of P(fine | score >= threshold) <= risk.

    All units are thinned to the rate of the highest stratum, and thresholds go no lower than that rate does.
    """
    rate = labels.design[-1].probability
    kept = labels.kept(rate)
    above = _above(labels)
    poorer = max((upper for upper, p in _uppers(labels) if p < rate), default=0.0)
    drawn = np.where(poorer <= GRID, _cumulated(kept)[above], 0)
    bad = np.where(poorer <= GRID, _cumulated(kept & ~labels.violates)[above], 0)
    return Trials(bad, drawn, np.full(len(GRID), risk), float(labels.scores[kept].sum()))


def misses(labels: AuditLabels, risk: float) -> Trials:
    """Trials of P(score <= threshold | violating) <= risk.

    Missed units are thinned to the lowest rate up to the threshold, the others to whichever rate promises most,
    going by scores; answers have no part in the choice.
    """
    odds = risk / (1 - risk)
    above = _above(labels, strictly=True)
    low = labels.lowest_rate(GRID)
    bad = np.zeros(len(GRID), np.int64)
    for rate in labels.rates:
        missed = _cumulated(labels.kept(rate) & labels.violates)
        bad = np.where(low == rate, missed[-1] - missed[above], bad)
    best, good, chance = np.full(len(GRID), -1.0), np.zeros_like(bad), np.full(len(GRID), risk)
    for rate in labels.rates:
        caught = _cumulated(labels.kept(rate) & labels.violates)[above]
        hoped = np.where(labels.probability >= rate, labels.scores * rate / labels.probability, 0.0)
        promise = _cumulated(hoped)[above] * np.log1p(low * odds / rate)
        better = promise > best
        best, good = np.where(better, promise, best), np.where(better, caught, good)
        chance = np.where(better, low * odds / (low * odds + rate), chance)
    return Trials(bad, bad + good, chance)


def first_removal(trials: Trials, needed: int) -> int | None:
    """Index in GRID of the highest threshold tried: with enough units above it to show anything; None: nowhere.

    Some more than the fewest, where there are, so that one wrong answer at the very top does not end it all.
    """
    enough = np.flatnonzero(trials.drawn >= max(needed, FIRST * trials.expected))
    return int(enough[-1]) if len(enough) else None


def _uppers(labels: AuditLabels) -> list[tuple[float, float]]:
    """Upper end and probability of each stratum."""
    ends = [stratum.lower for stratum in labels.design[1:]] + [math.inf]
    return [(end, stratum.probability) for end, stratum in zip(ends, labels.design, strict=True)]


def _above(labels: AuditLabels, strictly: bool = False) -> NDArray[np.intp]:
    """For each threshold how many units score at least (`strictly`: more than) it; scores are in descending order."""
    return np.searchsorted(-labels.scores, -GRID, side="left" if strictly else "right")


def _cumulated(values: NDArray[Any]) -> NDArray[Any]:
    """Sums of the first 0, 1, 2 … values."""
    return np.concatenate([[0], np.cumsum(values)])
