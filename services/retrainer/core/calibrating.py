"""Calibration of a fitted model on answers of the audit split, and what it does to its parts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.retrainer.core.fitting import Linear
from services.retrainer.core.training_set import Answers
from services.scoring.bytegram import features
from services.scoring.calibration import Calibration, calibrate, straight

ENOUGH = 50  # positives, and negatives, as the weights leave them (Kish's effective size)


def recalibrated(linear: Linear, audit: Answers, columns: Sequence[int]) -> tuple[Linear, dict[int, str]]:
    """The model calibrated in those of `columns` for which the answers suffice, and how each was.

    Answers weigh as they stand: by the inverse of their selection probability, so that those which uncertainty chose
    do not pass for all.
    """
    methods: dict[int, str] = {}
    margins = features(audit.texts) @ linear.weights + linear.bias
    for column in columns:
        asked = np.flatnonzero(audit.weight[:, column] > 0)
        weight, truth = audit.weight[asked, column], audit.truth[asked, column]
        if min(_effective(weight[truth]), _effective(weight[~truth])) < ENOUGH:
            continue
        found = calibrate(margins[asked, column], truth, weight * len(weight) / weight.sum())
        if found.slope <= 0:  # what was learnt ranks the wrong way round: not a matter of calibration
            continue
        linear = folded(linear, column, found)
        methods[column] = found.method
    return linear, methods


def folded(linear: Linear, column: int, calibration: Calibration) -> Linear:
    """The model with one category's line in weights and bias, of the committee too, and its curve in place."""
    slope, intercept = calibration.slope, calibration.intercept
    made = replace(
        linear,
        weights=linear.weights.copy(),
        bias=linear.bias.copy(),
        precision=linear.precision.copy(),
        heads=None if linear.heads is None else linear.heads._replace(
            weights=linear.heads.weights.copy(), bias=linear.heads.bias.copy()
        ),
    )  # fmt: skip
    made.weights[:, column] *= slope
    made.bias[column] = made.bias[column] * slope + intercept
    made.precision[:, column] /= slope**2
    if made.heads is not None:
        made.heads.weights[:, :, column] *= slope
        made.heads.bias[:, column] = made.heads.bias[:, column] * slope + intercept
    if calibration.curve is None and made.curves is None:
        return made
    curves = made.curves or straight(len(made.bias))
    return replace(made, curves=curves.with_column(column, calibration.curve or straight(1)))


def _effective(weight: NDArray[np.float64]) -> float:
    return float(weight.sum() ** 2 / (weight @ weight)) if len(weight) else 0.0
