"""Thresholds with a guarantee, from audited labels.

Two risks of deciding automatically: *wrong removals*, the share of automatically removed items that were fine, and
*missed*, the share of violating items that are automatically allowed. With the wanted confidence over the draw of the
labels, both stay within what the policy allows, whatever the scores are worth, on items like those drawn from.

Method: Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei 2021) with fixed-sequence testing: removals are
tried from the highest threshold down, allowances from the lowest up, each until the first that cannot be shown to be
within its risk, so that trying many costs no confidence. The chance of error is shared between the two (SHARES): of
missing it takes the greater part, since violations are what audits have least of. Certificates are about one category
at a time.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from services.policy.certification.labels import AuditLabels, Floats
from services.policy.certification.testing import GRID, first_removal, least, misses, removals
from services.policy.model import Risks

SHARES = {"wrong_removals": 0.2, "missed": 0.8}


@dataclass(frozen=True)
class Certificate:
    """Thresholds for one category: `remove` from there on, `allow` up to there; None is never, and `why` says why.

    `needed_removals` and `needed_violating` are the audited labels still wanting, 0 where certified: items scored at
    the top, and violating items anywhere.
    """

    risks: Risks
    remove: float | None
    allow: float | None
    labels: int
    violating: int
    needed_removals: int
    needed_violating: int
    why: tuple[str, ...]

    def automated(self, scores: Floats, weights: Floats | None = None) -> float:
        """The share of items with these scores that is decided automatically."""
        decided = np.zeros(len(scores), bool)
        if self.remove is not None:
            decided |= scores >= self.remove
        if self.allow is not None:
            decided |= scores <= self.allow
        return float(np.average(decided, weights=weights)) if len(scores) else 0.0


def certify(labels: AuditLabels, risks: Risks) -> Certificate:
    """The thresholds that decide most automatically within `risks`, or what is missing to certify any.

    Raises ValueError where a risk or the confidence is not within (0, 1).
    """
    if not all(0 < value < 1 for value in (risks.wrong_removals, risks.missed, risks.confidence)):
        raise ValueError(f"risks and confidence must lie between 0 and 1, not {risks}")
    delta = 1 - risks.confidence
    remove, wanting_removals, why_not_remove = removal(
        labels, risks.wrong_removals, delta * SHARES["wrong_removals"]
    )
    allow, wanting_violating, why_not_allow = allowance(labels, risks.missed, delta * SHARES["missed"])
    if remove is not None and allow is not None and allow >= remove:
        allow = float(GRID[np.searchsorted(GRID, remove) - 1])  # less is allowed: that much less is missed
    return Certificate(
        risks=risks,
        remove=remove,
        allow=allow,
        labels=len(labels.scores),
        violating=int(labels.violates.sum()),
        needed_removals=wanting_removals,
        needed_violating=wanting_violating,
        why=tuple(reason for reason in (why_not_remove, why_not_allow) if reason),
    )


def removal(labels: AuditLabels, risk: float, delta: float) -> tuple[float | None, int, str]:
    """The lowest threshold that keeps wrong removals within `risk` but for a chance `delta`; else None, how many more
    labels are needed, and why.
    """
    trials = removals(labels, risk)
    needed = least(risk, delta)
    first = first_removal(trials, needed)
    if first is None:
        drawn = int(trials.drawn.max(initial=0))
        return (
            None,
            needed - drawn,
            f"no removals: {needed} audited items without a wrong one show a risk of {risk:g}, there are {drawn} "
            f"among the highest scores; {needed - drawn} more are needed",
        )
    held = trials.rejected(delta, labels.coin)[first::-1]
    certified = int(np.argmin(held)) if not held.all() else len(held)
    if certified:
        return float(GRID[first - certified + 1]), 0, ""
    bad, drawn = int(trials.bad[first]), int(trials.drawn[first])
    more = _more(bad, drawn, risk, delta)
    return (
        None,
        more,
        f"no removals: of the {drawn} audited items with the highest scores {bad} were fine; a risk of {risk:g} "
        f"needs {more} more there without another, or a model that is surer",
    )


def allowance(labels: AuditLabels, risk: float, delta: float) -> tuple[float | None, int, str]:
    """As `removal`: the highest threshold that keeps what is missed within `risk`."""
    trials = misses(labels, risk)
    held = trials.rejected(delta, labels.coin)
    certified = int(np.argmin(held)) if not held.all() else len(held)
    if certified:
        return float(GRID[certified - 1]), 0, ""
    bad, drawn, chance = int(trials.bad[0]), int(trials.drawn[0]), float(trials.chance[0])
    more = _more(bad, drawn, chance, delta)
    return (
        None,
        more,
        f"nothing is allowed: a risk of {risk:g} needs {drawn + more} audited violating items, there are {drawn}; "
        f"{more} more are needed",
    )


def _more(bad: int, drawn: int, chance: float, delta: float) -> int:
    """How many more units, none of them bad, would bring the test to reject."""
    low, high = 0, 1
    while binom.cdf(bad, drawn + high, chance) > delta:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if binom.cdf(bad, drawn + middle, chance) > delta else (low, middle)
    return high
