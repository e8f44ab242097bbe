"""Candidate against live: what can be compared, how they compare, and whether that is good enough to release."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.retrainer.core.training_set import Answers
from services.scoring.quality import Ranking, average_precision

MARGIN = -0.005  # how much worse in average precision a candidate may be at the lower 95% bound


class Needed(msgspec.Struct, frozen=True):
    """What the frozen set must hold of a category before it can be compared."""

    positives: int
    negatives: int


class CategoryFigures(msgspec.Struct, frozen=True):
    """One category on the frozen set; average precision is None where it cannot be compared."""

    positives: int
    negatives: int
    live: float | None = None
    candidate: float | None = None


class Comparison(msgspec.Struct, frozen=True):
    """Candidate against live on the frozen set: macro mean over the categories that can be compared."""

    texts: int
    categories: dict[str, CategoryFigures]
    difference: float  # candidate - live, in average precision
    lower_bound: float  # its lower 95% bound
    resamples: int
    seed: int


class Decision(msgspec.Struct, frozen=True):
    """Whether a candidate is released, and why."""

    release: bool
    reason: str


def counts(frozen: Answers, categories: Sequence[str]) -> dict[str, CategoryFigures]:
    """Positives and negatives of each category in the frozen set."""
    asked = frozen.weight > 0
    positives = (asked & frozen.truth).sum(axis=0)
    negatives = (asked & ~frozen.truth).sum(axis=0)
    return {
        category: CategoryFigures(int(positives[i]), int(negatives[i]))
        for i, category in enumerate(categories)
    }


def comparable(figures: Mapping[str, CategoryFigures], needed: Needed) -> list[str]:
    """The categories of which the frozen set holds enough. Only these may change: the others could not be checked."""
    return [
        category
        for category, found in figures.items()
        if found.positives >= needed.positives and found.negatives >= needed.negatives
    ]


def too_little(figures: Mapping[str, CategoryFigures], needed: Needed) -> str:
    """What is said where no category can be compared: what there is and what is needed."""
    found = ", ".join(f"{name} {f.positives} and {f.negatives}" for name, f in figures.items())
    return (
        f"too little frozen data: a category needs {needed.positives} positives and {needed.negatives} negatives "
        f"among labels of the test split (a fifth of all texts); there are {found}. Label more, or lower the need"
    )


def compare(
    frozen: Answers,
    live: NDArray[np.float32],
    candidate: NDArray[np.float32],
    categories: Sequence[str],
    needed: Needed,
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> Comparison:
    """Candidate against live, scores [texts, categories], by the paired bootstrap over texts (Efron 1979).

    Both models are ranked on the same resampled texts, so that the luck of the draw cancels. Raises ValueError
    where no category can be compared.
    """
    figures = counts(frozen, categories)
    chosen = comparable(figures, needed)
    if not chosen:
        raise ValueError(too_little(figures, needed))
    drawn = np.random.default_rng(seed).multinomial(
        len(frozen.texts), np.full(len(frozen.texts), 1 / len(frozen.texts)), size=resamples
    )
    differences, resampled = [], []
    for category in chosen:
        column = list(categories).index(category)
        asked = np.flatnonzero(frozen.weight[:, column] > 0)
        truth, weight = frozen.truth[asked, column], frozen.weight[asked, column]
        before, after = live[asked, column], candidate[asked, column]
        was, now = average_precision(truth, before, weight), average_precision(truth, after, weight)
        weights = drawn[:, asked] * weight
        resampled.append(Ranking(truth, after).average_precision(weights))
        resampled[-1] -= Ranking(truth, before).average_precision(weights)
        differences.append(now - was)
        counted = figures[category]
        figures[category] = CategoryFigures(counted.positives, counted.negatives, was, now)
    stacked = np.array(resampled)
    # A resample without any positive of a category (rare with enough of them) says nothing of that category.
    valid = ~np.isnan(stacked)
    means = (
        np.where(valid, stacked, 0.0).sum(axis=0)[valid.any(axis=0)] / valid.sum(axis=0)[valid.any(axis=0)]
    )
    return Comparison(
        texts=len(frozen.texts),
        categories=figures,
        difference=float(np.mean(differences)),
        lower_bound=float(np.quantile(means, 0.05)),
        resamples=resamples,
        seed=seed,
    )


def decide(comparison: Comparison) -> Decision:
    """Release only where the lower 95% bound of the difference in average precision is above MARGIN."""
    bound = f"difference {comparison.difference:+.4f}, lower 95% bound {comparison.lower_bound:+.4f}"
    if comparison.lower_bound > MARGIN:
        return Decision(True, f"no worse than the live model: {bound} > {MARGIN}")
    return Decision(False, f"may be worse than the live model: {bound} <= {MARGIN}")
