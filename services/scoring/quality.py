"""How good scores are: average precision, calibration error, Brier score, for one category at a time.

Arrays are one-dimensional and of one length: `truth` bool or 0/1, `scores` probabilities, `weights` >= 0.
"""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_]


class Ranking:
    """Scores in descending order with ties grouped, so that average precision under many weightings is cheap."""

    def __init__(self, truth: Values, scores: Values) -> None:
        self._order = np.argsort(np.negative(scores, dtype=np.float64), kind="stable")
        self._truth = truth[self._order].astype(np.float64)
        ordered = scores[self._order]
        self._last_of_tie = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])

    def average_precision(self, weights: Values) -> NDArray[np.float64]:
        """Average precision for each row of weights [resamples, n]; NaN where a row holds no positive.

        Sum of precision times the step in recall over distinct scores (no interpolation), as in scikit-learn.
        """
        ordered = np.atleast_2d(weights)[:, self._order].astype(np.float64)
        hits = np.cumsum(ordered * self._truth, axis=1)[:, self._last_of_tie]
        drawn = np.cumsum(ordered, axis=1)[:, self._last_of_tie]
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(drawn > 0, hits / drawn, 0.0)
            steps = np.diff(hits, axis=1, prepend=0.0)
            return np.asarray((precision * steps).sum(axis=1) / hits[:, -1])


def average_precision(truth: Values, scores: Values, weights: Values | None = None) -> float:
    """Area under precision over recall; NaN without a positive."""
    if not len(truth):
        return float("nan")
    return float(
        Ranking(truth, scores).average_precision(np.ones(len(truth)) if weights is None else weights)[0]
    )


def roc_auc(truth: Values, scores: Values) -> float:
    """Probability that a positive outranks a negative (ties half); NaN where either is missing. Mann-Whitney."""
    positive = truth.astype(bool)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[inverse][positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def expected_calibration_error(truth: Values, scores: Values, bins: int = 15) -> float:
    """Mean distance between score and frequency over `bins` bins of equal mass (Nixon et al. 2019)."""
    order = np.argsort(scores, kind="stable")
    groups = [group for group in np.array_split(order, bins) if len(group)]
    return float(sum(abs(truth[g].mean() - scores[g].mean()) * len(g) for g in groups) / max(1, len(order)))


def brier_score(truth: Values, scores: Values) -> float:
    """Mean squared distance between score and truth; NaN without items."""
    return float(np.mean((scores - truth.astype(np.float64)) ** 2)) if len(truth) else float("nan")
