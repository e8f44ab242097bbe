"""Training on from the starter: what is new is learnt, what was known stays."""

from pathlib import Path

import numpy as np
import pytest

from services.retrainer.core.fitting import Linear, fit
from services.retrainer.core.training_set import to_answers
from services.scoring.bundle import Bundle, load
from services.scoring.bytegraph import graph
from services.scoring.classify import ByteClassifier
from services.scoring.quality import average_precision
from tests.unit.retrainer.posts import CAMPAIGN, TALK, labels_of_campaign, make


@pytest.fixture(scope="module")
def starter() -> Bundle:
    return load(Path("infra/starter"))


@pytest.fixture(scope="module")
def base(starter: Bundle) -> Linear:
    parts = starter.parts
    return Linear(parts.weights, parts.bias, starter.precision, parts.heads, parts.curves)


@pytest.fixture(scope="module")
def retrained(base: Linear, starter: Bundle) -> ByteClassifier:
    labels = labels_of_campaign(campaign=100, talk=150, insults=50)
    fitted = fit(base, to_answers(labels, starter.categories))
    model = graph(fitted.weights, fitted.bias, fitted.heads, fitted.curves)
    return ByteClassifier(model.SerializeToString(), "retrained", starter.categories)


def test_a_campaign_is_learnt_from_a_hundred_posts(starter: Bundle, retrained: ByteClassifier) -> None:
    later, talk = make(CAMPAIGN, 300, seed=90), make(TALK, 700, seed=91)
    spam = starter.categories.index("spam")
    truth = np.array([True] * 300 + [False] * 700)
    before = starter.classifier.classify(later + talk).probability[:, spam]
    after = retrained.classify(later + talk).probability[:, spam]
    assert (before[:300] > 0.5).mean() < 0.1
    assert (after[:300] > 0.5).mean() > 0.95
    assert (after[300:] > 0.5).mean() < 0.01
    assert average_precision(truth, before) < average_precision(truth, after)
    assert average_precision(truth, after) > 0.99


def test_other_scores_hardly_move(starter: Bundle, retrained: ByteClassifier) -> None:
    golden = [golden.text for golden in starter.manifest.golden]
    others = [
        "Free entry in a weekly draw, text WIN to 80082 now",
        "you stupid ugly idiot",
        "Parliament votes on the budget on Thursday, says the minister",
        "ok lar, meet u at 5 then",
        *golden,
    ]
    moved = np.abs(retrained.classify(others).probability - starter.classifier.classify(others).probability)
    assert moved.mean() < 0.02
    assert moved.max() < 0.15


def test_a_category_that_nobody_judged_keeps_its_weights_exactly(base: Linear, starter: Bundle) -> None:
    labels = labels_of_campaign(campaign=20, talk=30, insults=10)
    fitted = fit(base, to_answers(labels, starter.categories))
    hate = starter.categories.index("hate")
    np.testing.assert_array_equal(fitted.weights[:, hate], base.weights[:, hate])
    assert fitted.bias[hate] == base.bias[hate]
    assert (fitted.weights != base.weights).any()


def test_ngrams_that_no_label_holds_keep_their_weights_exactly(base: Linear, starter: Bundle) -> None:
    fitted = fit(base, to_answers(labels_of_campaign(campaign=20, talk=0, insults=0), starter.categories))
    assert (fitted.weights == base.weights).all(axis=1).mean() > 0.95


def test_what_is_better_known_moves_less(base: Linear, starter: Bundle) -> None:
    answers = to_answers(labels_of_campaign(campaign=30, talk=30, insults=0), starter.categories)
    spam = starter.categories.index("spam")
    vague = Linear(base.weights, base.bias, np.zeros_like(base.precision))
    moved = np.abs(fit(base, answers).weights - base.weights)[:, spam]
    moved_vague = np.abs(fit(vague, answers).weights - base.weights)[:, spam]
    common = base.precision[:-1, spam] > np.quantile(base.precision[:-1, spam], 0.999)
    assert (moved[common] ** 2).mean() < (moved_vague[common] ** 2).mean() / 4


def test_every_label_makes_the_model_surer(base: Linear, starter: Bundle) -> None:
    answers = to_answers(labels_of_campaign(campaign=10, talk=10, insults=0), starter.categories)
    fitted = fit(base, answers)
    assert (fitted.precision >= base.precision).all()
    assert (fitted.precision > base.precision).any()


def test_the_optimum_is_one(base: Linear, starter: Bundle) -> None:
    """The gradient of what is minimised vanishes there: fitting again from the same base gives the same."""
    answers = to_answers(labels_of_campaign(campaign=30, talk=30, insults=10), starter.categories)
    first, second = fit(base, answers), fit(base, answers)
    np.testing.assert_array_equal(first.weights, second.weights)
    np.testing.assert_array_equal(first.bias, second.bias)


def test_the_committee_learns_too_and_is_less_divided_after(
    starter: Bundle, retrained: ByteClassifier
) -> None:
    later = make(CAMPAIGN, 200, seed=92)
    spam = starter.categories.index("spam")
    before, after = starter.classifier.classify(later), retrained.classify(later)
    assert before.disagreement is not None and after.disagreement is not None
    assert after.disagreement[:, spam].mean() < before.disagreement[:, spam].mean()
    assert after.disagreement[:, spam].max() > 0


def test_heads_differ_from_one_another_and_stay_where_nobody_judged(base: Linear, starter: Bundle) -> None:
    fitted = fit(base, to_answers(labels_of_campaign(campaign=40, talk=40, insults=10), starter.categories))
    assert fitted.heads is not None and base.heads is not None
    hate, spam = starter.categories.index("hate"), starter.categories.index("spam")
    np.testing.assert_array_equal(fitted.heads.weights[:, :, hate], base.heads.weights[:, :, hate])
    moved = (fitted.heads.weights - base.heads.weights)[:, :, spam]
    assert len(np.unique(moved.sum(axis=1))) == len(moved)
