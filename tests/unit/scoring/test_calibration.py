"""Platt scaling, isotonic curves, and which of them is chosen."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.scoring.bytegram import Floats, features
from services.scoring.bytegraph import graph, parts
from services.scoring.calibration import Calibration, calibrate, isotonic, platt, sigmoid, straight
from services.scoring.classify import ByteClassifier
from services.scoring.quality import expected_calibration_error


def test_as_an_unregularised_regression_where_there_is_much_data() -> None:
    rng = np.random.default_rng(0)
    margins = rng.normal(size=20_000) * 3
    truth = rng.random(20_000) < 1 / (1 + np.exp(-(0.5 * margins - 1)))
    slope, intercept = platt(margins, truth)
    expected = LogisticRegression(C=1e6).fit(margins[:, None], truth)
    assert slope == pytest.approx(expected.coef_[0, 0], abs=0.01)
    assert intercept == pytest.approx(expected.intercept_[0], abs=0.01)


def test_stays_finite_on_data_that_a_threshold_separates() -> None:
    slope, intercept = platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([False, False, True, True]))
    assert 0 < slope < 10
    assert abs(intercept) < 1


def test_needs_both_answers() -> None:
    with pytest.raises(ValueError, match="2 positives and 0 negatives"):
        platt(np.array([1.0, 2.0]), np.array([True, True]))


def test_an_item_of_weight_two_counts_as_two() -> None:
    rng = np.random.default_rng(1)
    margins, truth = rng.normal(size=400), rng.random(400) < 0.4
    weights = rng.integers(1, 4, 400).astype(float)
    repeated = np.repeat(np.arange(400), weights.astype(int))
    assert platt(margins, truth, weights) == pytest.approx(
        platt(margins[repeated], truth[repeated]), abs=1e-6
    )


def drawn(
    chance: Callable[[NDArray[np.float64]], NDArray[np.float64]], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    margins = rng.normal(size=6000) * 2
    return margins, rng.random(6000) < chance(margins)


def test_a_line_is_chosen_for_what_is_a_line() -> None:
    margins, truth = drawn(lambda z: 1 / (1 + np.exp(-2 * z + 1)), 0)
    found = calibrate(margins, truth)
    assert found.method == "Platt"
    np.testing.assert_allclose(found(margins), 1 / (1 + np.exp(-2 * margins + 1)), atol=0.03)


def test_a_curve_is_chosen_for_what_is_none_and_serves_better() -> None:
    def chance(z: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.where(z < 0, 0.1, np.where(z < 2, 0.55, 0.9)))

    margins, truth = drawn(chance, 1)
    found = calibrate(margins, truth)
    assert found.method == "isotonic"
    unseen, answers = drawn(chance, 2)
    line = Calibration(*platt(margins, truth), None)
    assert expected_calibration_error(answers, found(unseen)) < 0.7 * expected_calibration_error(
        answers, line(unseen)
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_keeps_the_order(seed: int) -> None:
    margins, truth = drawn(lambda z: 0.5 + 0.3 * np.sin(z), seed)
    curve = isotonic(margins, truth)
    at = np.linspace(-20, 20, 2000)
    assert (np.diff(curve(at, 0)) > 0).all()


def test_the_graph_calibrates_as_the_curves_do(made: tuple[Floats, Floats]) -> None:
    margins, truth = drawn(lambda z: np.where(z < 0, 0.1, 0.7), 3)
    curves = straight(2).with_column(1, isotonic(margins, truth))
    texts = [f"text number {i}" for i in range(50)]
    model = graph(*made, None, curves).SerializeToString()
    found = ByteClassifier(model, "m", ("a", "b")).classify(texts).probability
    z = features(texts) @ made[0].astype(np.float16).astype(np.float32) + made[1]
    for column in range(2):
        np.testing.assert_allclose(found[:, column], sigmoid(curves(z[:, column], column)), atol=1e-4)
    stored = parts(model).curves
    assert stored is not None
    for kept, given in zip(stored, curves, strict=True):
        np.testing.assert_array_equal(kept, given)
