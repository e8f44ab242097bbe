"""Platt scaling."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from services.scoring.calibration import platt


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
