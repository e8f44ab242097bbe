"""Calibration: margins of a linear model to probabilities that mean what they say.

A line (Platt 1999) that is folded into weights and bias, and where it serves better a curve on top of it: isotonic
regression (Zadrozny and Elkan 2002) over bins of equal mass, joined by lines in log-odds between the middles of its
steps, so that it still tells apart all that the model tells apart and ranks as before. Cross-validation settles which.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from services.scoring.bytegram import Floats

Margins = NDArray[np.float64] | NDArray[np.float32]
Weights = NDArray[np.float64] | None
KNOTS = 16  # at most, in a curve
FOLDS = 5


class Curves(NamedTuple):
    """For each category z -> slope * z + shift + sum of gains * max(0, z - knot), strictly increasing.

    knots, gains [categories, KNOTS]; slopes, shifts [categories].
    """

    knots: Floats
    gains: Floats
    slopes: Floats
    shifts: Floats

    def __call__(self, margins: Margins, column: int) -> NDArray[np.float64]:
        """Calibrated log-odds of one category."""
        bent = np.maximum(margins[:, None] - self.knots[column], 0) @ self.gains[column]
        return np.asarray(self.slopes[column] * margins + self.shifts[column] + bent, np.float64)

    def with_column(self, column: int, other: "Curves", its_column: int = 0) -> "Curves":
        """These curves with that of one category replaced."""
        mine = [part.copy() for part in self]
        for part, replacement in zip(mine, other, strict=True):
            part[column] = replacement[its_column]
        return Curves(*mine)


def straight(categories: int) -> Curves:
    """Curves that change nothing."""
    none = np.zeros((categories, KNOTS), np.float32)
    return Curves(none, none.copy(), np.ones(categories, np.float32), np.zeros(categories, np.float32))


class Calibration(NamedTuple):
    """sigmoid(curve(slope * margin + intercept)); without a curve, sigmoid of the line alone."""

    slope: float
    intercept: float
    curve: Curves | None

    @property
    def method(self) -> str:
        return "Platt" if self.curve is None else "isotonic"

    def __call__(self, margins: Margins) -> NDArray[np.float64]:
        """Calibrated probabilities."""
        line = self.slope * margins.astype(np.float64) + self.intercept
        return sigmoid(line if self.curve is None else self.curve(line, 0))


def calibrate(margins: Margins, truth: NDArray[np.bool_], weights: Weights = None) -> Calibration:
    """A line, or a curve where that is better in log-loss over folds by more than one standard error.

    Raises ValueError without both answers.
    """
    weights = np.ones(len(margins)) if weights is None else weights
    if min(truth.sum(), (~truth).sum()) < 2 * FOLDS:  # too few to choose by
        return _fit(margins, truth, weights, bent=False)
    fold = np.empty(len(margins), np.int64)
    for answer in (False, True):  # the same share of positives in each
        chosen = np.flatnonzero(truth == answer)
        fold[chosen] = np.arange(len(chosen)) % FOLDS
    losses = {bent: np.zeros(len(margins)) for bent in (False, True)}
    for held_out in range(FOLDS):
        rest, out = fold != held_out, fold == held_out
        for bent in losses:
            p = _fit(margins[rest], truth[rest], weights[rest], bent)(margins[out])
            p = np.clip(np.where(truth[out], p, 1 - p), 1e-6, 1)
            losses[bent][out] = -weights[out] * np.log(p)
    gain = losses[False] - losses[True]
    return _fit(margins, truth, weights, bent=float(gain.mean()) > float(gain.std()) / np.sqrt(len(gain)))


def _fit(margins: Margins, truth: NDArray[np.bool_], weights: NDArray[np.float64], bent: bool) -> Calibration:
    slope, intercept = platt(margins, truth, weights)
    if not bent:
        return Calibration(slope, intercept, None)
    line = slope * margins.astype(np.float64) + intercept
    return Calibration(slope, intercept, isotonic(line, truth, weights))


def isotonic(margins: Margins, truth: NDArray[np.bool_], weights: Weights = None) -> Curves:
    """One category's curve from margins (log-odds); beyond the outermost steps it runs on with slope 1."""
    weights = np.ones(len(margins)) if weights is None else weights
    order = np.argsort(margins, kind="stable")
    bins = [bin_ for bin_ in np.array_split(order, min(4 * KNOTS, max(1, len(order) // 20))) if len(bin_)]
    mass = np.array([weights[b].sum() for b in bins])
    rate = np.array([weights[b] @ truth[b] for b in bins]) / mass
    edges = optimize.isotonic_regression(rate, weights=mass).blocks
    steps = [slice(a, b) for a, b in pairwise(edges)]
    while len(steps) > KNOTS:  # the lightest step joins its neighbour
        light = int(np.argmin([mass[s].sum() for s in steps]))
        at = min(light, len(steps) - 2)
        steps[at : at + 2] = [slice(steps[at].start, steps[at + 1].stop)]
    x, y = [], []
    for step in steps:
        inside = np.concatenate(bins[step])
        positive, total = float(weights[inside] @ truth[inside]), float(weights[inside].sum())
        x.append(float(np.average(margins[inside], weights=weights[inside])))
        y.append(float(np.log((positive + 0.5) / (total - positive + 0.5))))
    return _through(np.array(x), np.maximum.accumulate(np.array(y)))


def _through(x: NDArray[np.float64], y: NDArray[np.float64]) -> Curves:
    """The curve through points of increasing x and not decreasing y."""
    slopes = np.concatenate([[1.0], np.maximum(np.diff(y) / np.maximum(np.diff(x), 1e-6), 1e-3), [1.0]])
    curve = straight(1)
    curve.knots[0, : len(x)] = x
    curve.gains[0, : len(x)] = np.diff(slopes)
    curve.shifts[0] = y[0] - x[0]
    return curve


def platt(
    margins: Margins, truth: NDArray[np.bool_], weights: Weights = None, rounds: int = 100
) -> tuple[float, float]:
    """Slope and intercept of p = sigmoid(slope * margin + intercept), by Newton's method with halved steps.

    Platt 1999 with the smoothed targets that keep it finite on separable data; the method of Lin, Lin and Weng
    2007. `weights` (default 1) say how many items each one stands for. Raises ValueError without at least one
    positive and one negative.
    """
    if not truth.any() or truth.all():
        raise ValueError(
            f"calibration needs both answers, not {int(truth.sum())} positives and {int((~truth).sum())} negatives"
        )
    weights = np.ones(len(margins)) if weights is None else weights
    positives, negatives = float(weights[truth].sum()), float(weights[~truth].sum())
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.column_stack([margins.astype(np.float64), np.ones(len(margins))])
    at = np.array([1.0, np.log((positives + 1) / (negatives + 1))])

    def loss(parameters: NDArray[np.float64]) -> float:
        z = design @ parameters
        return float(weights @ (np.logaddexp(0, z) - target * z))

    for _ in range(rounds):
        p = sigmoid(design @ at)
        gradient = design.T @ (weights * (p - target))
        if np.abs(gradient).max() < 1e-8 * weights.sum():
            break
        hessian = design.T @ (design * (weights * p * (1 - p))[:, None]) + 1e-12 * np.eye(2)
        step, size, before = np.linalg.solve(hessian, gradient), 1.0, loss(at)
        while size > 1e-10 and loss(at - size * step) > before:
            size /= 2
        at = at - size * step
    return float(at[0]), float(at[1])


def sigmoid(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-z)), without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -500, 500))))
