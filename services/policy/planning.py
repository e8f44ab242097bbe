"""Where to draw the next audit labels, so that they certify most.

Random audits spend most labels where nothing is in question. A plan draws in up to three strata of the score, each with
one probability: *low*, which an allow threshold must show to be nearly free of violations; *high*, which shows how many
violations there are at all; *top*, which shows that removals are right. Which bounds and shares of the budget are best
is tried on made-up audits, in which scores are taken at their word: a wrong score makes a plan worse, never a
certificate wrong, since certifying relies on probabilities of drawing alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.policy.certification.labels import AuditLabels, Floats, Stratum
from services.policy.certification.testing import least
from services.policy.certify import SHARES, certify
from services.policy.model import AuditRule, Risks

BINS = 400  # of equal mass that a pool is summed up in
SCREENED = 40  # made-up audits that every candidate is tried on, the same luck for each
FINALISTS, AUDITS = 4, 300  # the best of them are tried on others: being best was partly luck


@dataclass(frozen=True)
class Planned:
    """A stratum to draw from: items scored in [lower, upper), each with `probability`; about `labels` of `items`."""

    lower: float
    upper: float
    probability: float
    items: float
    labels: float


@dataclass(frozen=True)
class Plan:
    """Strata, the lowest first, and the share expected to be automated: with the plan, and with random draws."""

    strata: tuple[Planned, ...]
    expected: float
    at_random: float

    @property
    def design(self) -> tuple[Stratum, ...]:
        """As `audit_labels` wants it."""
        return tuple(Stratum(stratum.lower, stratum.probability) for stratum in self.strata)


def design(audit: AuditRule, category: str) -> tuple[Stratum, ...]:
    """With what probability a policy audits automatic decisions at least, by the score of a category.

    Other categories' strata draw more of them, and what people are asked anyway they see for certain. Raises
    ValueError where there are scores that it never audits: nothing can be certified without them.
    """
    own = sorted((each.lower, each.upper, each.share) for each in audit.plan if each.category == category)
    found: list[Stratum] = []
    at = 0.0
    for lower, upper, share in own:
        if at < lower:
            found.append(Stratum(at, audit.share))
        found.append(Stratum(lower, max(share, audit.share)))
        at = upper
    if at < 1:
        found.append(Stratum(at, audit.share))
    if never := next((stratum for stratum in found if not stratum.probability), None):
        raise ValueError(
            f"the policy audits nothing that scores from {never.lower:g} on: give `audit` a share, or that stratum one"
        )
    return tuple(found)


@dataclass(frozen=True)
class _Pool:
    """A pool summed up: mean score and number of items of each bin, ascending."""

    scores: Floats
    items: Floats


def plan(scores: Floats, budget: int, risks: Risks, items: Floats | None = None, seed: int = 0) -> Plan:
    """Strata and probabilities to draw `budget` labels with, in expectation, from a pool with these scores.

    `items` says how many items each score stands for (default: one). Raises ValueError without scores or budget.
    """
    if not len(scores) or budget < 1:
        raise ValueError("a plan needs a pool of scored items and a budget of at least one label")
    pool = _summed(np.asarray(scores, np.float64), np.ones(len(scores)) if items is None else items)
    at_random = _strata(pool, [0.0], [float(budget)])
    candidates = [at_random, *_candidates(pool, budget, risks)]
    screened = {strata: _expected(pool, strata, risks, seed, SCREENED) for strata in candidates}
    finalists = sorted(screened, key=lambda strata: -screened[strata])[:FINALISTS]
    expected = {
        strata: _expected(pool, strata, risks, seed + 1, AUDITS)
        for strata in dict.fromkeys([at_random, *finalists])
    }
    best = max(expected, key=lambda strata: (expected[strata], -len(strata)))
    return Plan(best, expected[best], expected[at_random])


def _summed(scores: Floats, items: Floats) -> _Pool:
    order = np.argsort(scores, kind="stable")
    scores, items = scores[order], np.asarray(items, np.float64)[order]
    share = np.cumsum(items) / items.sum()
    bins = np.minimum(((share - 1e-12) * BINS).astype(np.intp), BINS - 1)
    count = np.bincount(bins, items, BINS).astype(np.float64)
    used = count > 0
    mean = np.bincount(bins, items * scores, BINS)[used] / count[used]
    return _Pool(mean, count[used])


def _candidates(pool: _Pool, budget: int, risks: Risks) -> Iterator[tuple[Planned, ...]]:
    """Strata by where `low` ends (where scores say that up to so many times the risk is missed) and by labels."""
    missed = np.cumsum(pool.items * pool.scores) / (pool.items @ pool.scores)
    wrong = np.cumsum((pool.items * (1 - pool.scores))[::-1]) / np.cumsum(pool.items[::-1])
    needed = least(risks.wrong_removals, (1 - risks.confidence) * SHARES["wrong_removals"])
    sure = int((wrong <= risks.wrong_removals / 2).cumprod().sum())  # bins at the top that may be removed
    tops: list[tuple[float, float]] = [(np.inf, 0.0)]
    if sure:
        top = float(pool.scores[-sure:].min())
        tops += [(top, times * needed) for times in (1.15,)]
    for times in (0.15, 0.25, 0.35, 0.45):
        index = int(np.searchsorted(missed, times * risks.missed))
        for top, labels in tops:
            if not 0 < index < len(pool.scores) or pool.scores[index] >= top or labels > budget / 2:
                continue
            for share in (0.15, 0.2, 0.25, 0.3):
                high = share * budget
                bounds, counts = [0.0, float(pool.scores[index])], [budget - labels - high, high]
                if labels:
                    bounds, counts = [*bounds, top], [*counts, labels]
                yield _strata(pool, bounds, counts)


def _strata(pool: _Pool, lowers: list[float], labels: list[float]) -> tuple[Planned, ...]:
    """Strata with so many labels each, or as many as there are items."""
    uppers = [*lowers[1:], np.inf]
    found = []
    for lower, upper, wanted in zip(lowers, uppers, labels, strict=True):
        items = float(pool.items[(pool.scores >= lower) & (pool.scores < upper)].sum())
        probability = min(1.0, wanted / items) if items else 1.0
        found.append(Planned(lower, min(upper, 1.0), probability, items, probability * items))
    return tuple(found)


def _expected(pool: _Pool, strata: tuple[Planned, ...], risks: Risks, seed: int, audits: int) -> float:
    """Mean share decided automatically over made-up audits, in which an item violates as often as its score says."""
    rng = np.random.default_rng(seed)
    lowers = np.array([stratum.lower for stratum in strata])
    rates = np.array([stratum.probability for stratum in strata])
    rate = rates[np.searchsorted(lowers, pool.scores, side="right") - 1]
    design = tuple(Stratum(stratum.lower, stratum.probability) for stratum in strata)
    total = 0.0
    for _ in range(audits):
        drawn = np.repeat(np.arange(len(rate))[::-1], rng.poisson(pool.items * rate)[::-1])
        score = pool.scores[drawn]
        luck = rng.random((2, len(drawn)))
        labels = AuditLabels(score, luck[0] < score, rate[drawn], luck[1], design)
        total += certify(labels, risks).automated(pool.scores, pool.items)
    return total / audits
