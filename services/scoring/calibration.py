"""Calibration of a linear model: margins to probabilities that mean what they say."""

import numpy as np
from numpy.typing import NDArray

Margins = NDArray[np.float64] | NDArray[np.float32]


def platt(margins: Margins, truth: NDArray[np.bool_], rounds: int = 100) -> tuple[float, float]:
    """Slope and intercept of p = sigmoid(slope * margin + intercept), by Newton's method with halved steps.

    Platt 1999 with the smoothed targets that keep it finite on separable data; the method of Lin, Lin and Weng
    2007. Raises ValueError without at least one positive and one negative.
    """
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        raise ValueError(
            f"calibration needs both answers, not {positives} positives and {negatives} negatives"
        )
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.column_stack([margins.astype(np.float64), np.ones(len(margins))])
    at = np.array([1.0, np.log((positives + 1) / (negatives + 1))])

    def loss(parameters: NDArray[np.float64]) -> float:
        z = design @ parameters
        return float(np.sum(np.logaddexp(0, z) - target * z))

    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(design @ at, -500, 500)))
        gradient = design.T @ (p - target)
        if np.abs(gradient).max() < 1e-8 * len(margins):
            break
        hessian = design.T @ (design * (p * (1 - p))[:, None]) + 1e-12 * np.eye(2)
        step, size, before = np.linalg.solve(hessian, gradient), 1.0, loss(at)
        while size > 1e-10 and loss(at - size * step) > before:
            size /= 2
        at = at - size * step
    return float(at[0]), float(at[1])
