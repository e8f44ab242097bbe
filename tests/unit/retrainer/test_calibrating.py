"""Calibration of what was fitted, from answers that stand for more or fewer items."""

from dataclasses import replace

import numpy as np
import pytest

from services.retrainer.core.bootstrap import HEADS, draws
from services.retrainer.core.calibrating import ENOUGH, folded, recalibrated
from services.retrainer.core.fitting import Linear
from services.retrainer.core.training_set import Answers
from services.scoring.bytegram import ROWS, features
from services.scoring.bytegraph import graph
from services.scoring.calibration import Calibration, isotonic, sigmoid
from services.scoring.classify import ByteClassifier
from services.scoring.committee import Heads
from services.scoring.quality import expected_calibration_error

TEXTS = [f"post {i * 7919 % 1000} of {i}" for i in range(1500)]


@pytest.fixture(scope="module")
def linear() -> Linear:
    rng = np.random.default_rng(0)
    weights = rng.normal(scale=0.3, size=(ROWS, 2)).astype(np.float16).astype(np.float32)
    heads = Heads(np.stack([weights + np.float32(0.0625)] * HEADS), np.zeros((HEADS, 2), np.float32))
    return Linear(weights, np.zeros(2, np.float32), np.ones((ROWS + 1, 2), np.float32), heads)


def answers(linear: Linear, slope: float, intercept: float, count: int = 1500, seed: int = 1) -> Answers:
    """Answers for the first category whose chance is sigmoid(slope * margin + intercept)."""
    margins = (features(TEXTS[:count]) @ linear.weights + linear.bias)[:, 0]
    truth = np.zeros((count, 2), bool)
    truth[:, 0] = np.random.default_rng(seed).random(count) < sigmoid(slope * margins + intercept)
    weight = np.zeros((count, 2))
    weight[:, 0] = 1.0
    return Answers(TEXTS[:count], truth, weight)


def scores(linear: Linear) -> ByteClassifier:
    model = graph(linear.weights, linear.bias, linear.heads, linear.curves)
    return ByteClassifier(model.SerializeToString(), "m", ("a", "b"))


def test_what_was_off_is_calibrated_and_the_rest_stays(linear: Linear) -> None:
    made, methods = recalibrated(linear, answers(linear, 0.4, -1.0), [0, 1])
    assert list(methods) == [0], "nobody answered for the second category"
    fresh = answers(linear, 0.4, -1.0, seed=2).truth[:, 0]
    before, after = scores(linear).classify(TEXTS).probability, scores(made).classify(TEXTS).probability
    assert expected_calibration_error(fresh, before[:, 0]) > 0.1
    assert expected_calibration_error(fresh, after[:, 0]) < 0.05
    np.testing.assert_array_equal(made.weights[:, 1], linear.weights[:, 1])
    np.testing.assert_allclose(before[:, 1], after[:, 1], atol=1e-6)
    np.testing.assert_array_equal(np.argsort(before[:, 0])[:20], np.argsort(after[:, 0])[:20])


def test_too_few_answers_change_nothing(linear: Linear) -> None:
    few = answers(linear, 0.4, -1.0, count=ENOUGH)
    made, methods = recalibrated(linear, few, [0])
    assert not methods and made is linear


def test_answers_that_stand_for_others_count_for_them(linear: Linear) -> None:
    """One in ten of the negatives was audited: unweighted, everything would look ten times as likely."""
    full = answers(linear, 1.0, 0.0)
    kept = np.flatnonzero(full.truth[:, 0] | (np.arange(1500) % 10 == 0))
    weight = np.where(full.truth[kept], 1.0, 10.0) * (full.weight[kept] > 0)
    some = Answers([TEXTS[i] for i in kept], full.truth[kept], weight)
    fair, _ = recalibrated(linear, some, [0])
    unfair, _ = recalibrated(linear, replace(some, weight=np.minimum(weight, 1.0)), [0])
    error = {
        name: expected_calibration_error(full.truth[:, 0], scores(found).classify(TEXTS).probability[:, 0])
        for name, found in (("fair", fair), ("unfair", unfair))
    }
    assert error["fair"] < 0.08 < 0.2 < error["unfair"]


def test_a_model_that_ranks_the_wrong_way_round_is_not_turned(linear: Linear) -> None:
    assert not recalibrated(linear, answers(linear, -1.0, 0.0), [0])[1]


def test_few_that_stand_for_very_many_are_few(linear: Linear) -> None:
    some = answers(linear, 0.4, -1.0)
    weight = some.weight.copy()
    weight[np.flatnonzero(some.truth[:, 0])[0], 0] = 1000.0
    assert not recalibrated(linear, replace(some, weight=weight), [0])[1]


def test_line_and_curve_act_on_model_and_committee_alike(linear: Linear) -> None:
    known = answers(linear, 1.0, 0.0)
    margins = (features(TEXTS) @ linear.weights)[:, 0]
    curve = isotonic(2.0 * margins - 0.5, known.truth[:, 0])
    made = folded(linear, 0, Calibration(2.0, -0.5, curve))
    x = features(TEXTS[:50])
    served = scores(made).classify(TEXTS[:50])
    expected = sigmoid(curve(2.0 * (x @ linear.weights[:, 0]) - 0.5, 0))
    np.testing.assert_allclose(served.probability[:, 0], expected, atol=5e-3)
    assert made.heads is not None and linear.heads is not None
    np.testing.assert_allclose(made.heads.weights[:, :, 0], 2 * linear.heads.weights[:, :, 0], rtol=1e-5)
    np.testing.assert_allclose(made.precision[:, 0], linear.precision[:, 0] / 4)
    np.testing.assert_array_equal(linear.precision, 1.0)


def test_a_head_sees_a_text_as_often_whoever_else_is_there() -> None:
    texts = [f"text {i}" for i in range(4000)]
    drawn = draws(texts, 0)
    np.testing.assert_array_equal(draws(texts[::-1], 0)[::-1], drawn)
    assert drawn.mean() == pytest.approx(1.0, abs=0.06) and drawn.var() == pytest.approx(1.0, abs=0.12)
    assert abs(np.corrcoef(drawn, draws(texts, 1))[0, 1]) < 0.06
