"""Figures against scikit-learn's, ties and weights included."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from services.scoring.quality import (
    Ranking,
    average_precision,
    brier_score,
    expected_calibration_error,
    roc_auc,
)


@pytest.mark.parametrize("seed", range(5))
def test_as_scikit_learn_has_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(300) < 0.3
    scores = np.round(np.clip(truth * 0.3 + rng.random(300) * 0.7, 0, 1), 1 + seed % 3)  # coarse: many ties
    weights = rng.integers(0, 4, 300)
    assert average_precision(truth, scores) == pytest.approx(average_precision_score(truth, scores))
    assert average_precision(truth, scores, weights) == pytest.approx(
        average_precision_score(truth, scores, sample_weight=weights)
    )
    assert roc_auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))
    assert brier_score(truth, scores) == pytest.approx(brier_score_loss(truth, scores))


def test_many_weightings_at_once() -> None:
    rng = np.random.default_rng(1)
    truth, scores = rng.random(50) < 0.5, rng.random(50)
    weights = rng.integers(0, 3, (20, 50))
    each = [average_precision_score(truth, scores, sample_weight=row) for row in weights]
    np.testing.assert_allclose(Ranking(truth, scores).average_precision(weights), each)


def test_undefined_without_a_positive() -> None:
    nothing = np.zeros(4, bool)
    assert np.isnan(average_precision(nothing, np.linspace(0, 1, 4)))
    assert np.isnan(roc_auc(nothing, np.linspace(0, 1, 4)))


def test_calibration_error_is_zero_for_what_is_calibrated_and_not_for_what_is_not() -> None:
    scores = np.repeat(np.arange(0.1, 1.0, 0.2), 1000)
    truth = np.tile(np.arange(1000), 5) < np.repeat(np.arange(100, 1000, 200), 1000)
    assert expected_calibration_error(truth, scores, bins=5) == pytest.approx(0, abs=1e-9)
    assert expected_calibration_error(truth, scores + 0.1, bins=5) == pytest.approx(0.1)
