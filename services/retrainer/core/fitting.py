"""Fitting: logistic regression that starts from a model and is pulled back to it, n-gram by n-gram.

minimise  sum_i w_i log(1 + exp(-y_i ((W + D).x_i + b + d)))  +  1/2 sum_j (PULL + HOLD * P_j) D_j^2   over D and d

for each category. P is the precision of the base model's weights: the diagonal of the Hessian of the loss it was
fitted with, so that the pull is a Gaussian approximation of all the data behind it, which nobody has here (Laplace's
method as in Chapelle and Li 2011, algorithm 3; elastic weight consolidation, Kirkpatrick et al. 2017). Common n-grams
are held, those of a new campaign move freely. Measured on a made-up spam campaign of 30 posts among 130 labels:
missed before, caught after, other scores moved by 0.002 on average; with one pull for all they moved by 0.03 and
the average precision of hate fell from 0.43 to 0.29. HOLD is above 1: a diagonal understates
how n-grams act together.

The loss is convex: what comes out depends on base and labels only, not on how often was trained before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from services.retrainer.core.training_set import Answers
from services.scoring.bytegram import ROWS, Floats, features

PULL = 0.5
HOLD = 3.0


@dataclass(frozen=True)
class Linear:
    """A linear model: weights [2**18, categories], bias [categories], precision of both [2**18 + 1, categories]."""

    weights: Floats
    bias: Floats
    precision: Floats


def fit(base: Linear, answers: Answers) -> Linear:
    """The base model after the answers. A category without an answer keeps its own weights, exactly.

    Weights of answers are scaled to mean 1 in each category, so that an answer counts as one against the pull.
    """
    weights, bias, precision = base.weights.copy(), base.bias.copy(), base.precision.copy()
    x = features(answers.texts)
    for column in range(len(bias)):
        asked = np.flatnonzero(answers.weight[:, column] > 0)
        if not len(asked):
            continue
        weight = answers.weight[asked, column] / answers.weight[asked, column].mean()
        rows = sparse.csr_matrix(x[asked])
        active = np.append(np.unique(rows.indices), ROWS)  # the last row is the bias
        used = with_bias(rows)[:, active]
        margins = rows @ weights[:, column].astype(np.float64) + float(bias[column])
        pull = PULL + HOLD * precision[active, column].astype(np.float64)
        change = _change(used, margins, answers.truth[asked, column], weight, pull)
        weights[active[:-1], column] += change[:-1].astype(np.float32)
        bias[column] += np.float32(change[-1])
        precision[active, column] += evidence(used, margins + used @ change, weight)
    return Linear(weights, bias, precision)


def with_bias(x: sparse.csr_matrix) -> sparse.csr_matrix:
    """Features with a last column of ones, float64."""
    ones = np.ones((x.shape[0], 1))
    return sparse.csr_matrix(sparse.hstack([x, ones], format="csr"), dtype=np.float64)


def evidence(
    x: sparse.csr_matrix, margins: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float32]:
    """What examples say of how firmly each column's weight is known: sum of w p (1 - p) x^2, float32 [columns]."""
    p = 1 / (1 + np.exp(-np.clip(margins, -60, 60)))
    squared = x.multiply(x)
    return np.asarray(squared.T @ (weight * p * (1 - p)), np.float32)


def _change(
    x: sparse.csr_matrix,
    margins: NDArray[np.float64],
    truth: NDArray[np.bool_],
    weight: NDArray[np.float64],
    pull: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What to add to the weight of each column. L-BFGS, with columns scaled so that every pull is 1."""
    sign = np.where(truth, 1.0, -1.0)
    scale = 1 / np.sqrt(pull)
    scaled = sparse.csr_matrix(x @ sparse.diags(scale))
    transposed = sparse.csr_matrix(scaled.T)

    def loss(u: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = sign * (margins + scaled @ u)
        value = float(weight @ np.logaddexp(0.0, -z)) + float(u @ u) / 2
        slope = -weight * sign * np.exp(-np.logaddexp(0.0, z))
        return value, transposed @ slope + u

    options = {"maxiter": 300, "gtol": 1e-4, "ftol": 1e-8}
    found = optimize.minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x * scale, np.float64)
