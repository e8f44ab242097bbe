"""Candidate against live: paired, seeded, and strict about what is too little."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from services.retrainer.core.comparison import (
    MARGIN,
    Comparison,
    Needed,
    comparable,
    compare,
    counts,
    decide,
    too_little,
)
from services.retrainer.core.training_set import Answers
from services.scoring.bytegram import Floats

CATEGORIES = ("toxicity", "spam")
NEEDED = Needed(8, 8)


def frozen(n: int = 400, seed: int = 0) -> Answers:
    rng = np.random.default_rng(seed)
    return Answers([f"text {i}" for i in range(n)], rng.random((n, 2)) < 0.3, np.ones((n, 2)))


def scores(answers: Answers, skill: float, seed: int = 1) -> Floats:
    """Scores of a model: the more skill, the more of the truth is in them."""
    noise = np.random.default_rng(seed).random(answers.truth.shape)
    return (skill * answers.truth + (1 - skill) * noise).astype(np.float32)


def test_a_better_model_is_released() -> None:
    answers = frozen()
    found = compare(answers, scores(answers, 0.3), scores(answers, 0.6), CATEGORIES, NEEDED)
    assert 0 < found.lower_bound < found.difference
    assert decide(found).release


def test_the_same_scores_are_no_worse() -> None:
    answers = frozen()
    found = compare(answers, scores(answers, 0.3), scores(answers, 0.3), CATEGORIES, NEEDED)
    assert (found.difference, found.lower_bound) == (0, 0)
    assert decide(found).release


def test_a_worse_model_is_refused_with_its_figures() -> None:
    answers = frozen()
    decision = decide(compare(answers, scores(answers, 0.6), scores(answers, 0.3), CATEGORIES, NEEDED))
    assert not decision.release
    assert "may be worse than the live model: difference -0." in decision.reason


def test_as_good_on_average_but_not_surely_is_refused() -> None:
    answers = frozen(60)
    found = compare(answers, scores(answers, 0.3, seed=1), scores(answers, 0.3, seed=2), CATEGORIES, NEEDED)
    assert found.lower_bound < MARGIN < found.difference + 0.2
    assert not decide(found).release


def test_the_bound_decides_not_the_mean() -> None:
    at = Comparison(texts=9, categories={}, difference=0.1, lower_bound=MARGIN, resamples=1, seed=0)
    assert not decide(at).release
    above = Comparison(texts=9, categories={}, difference=-0.004, lower_bound=-0.0049, resamples=1, seed=0)
    assert decide(above).release


def test_figures_are_macro_means_of_average_precision() -> None:
    answers = frozen()
    live, candidate = scores(answers, 0.3), scores(answers, 0.4)
    found = compare(answers, live, candidate, CATEGORIES, NEEDED)
    for column, category in enumerate(CATEGORIES):
        truth = answers.truth[:, column]
        assert found.categories[category].live == pytest.approx(
            average_precision_score(truth, live[:, column])
        )
        assert found.categories[category].positives == truth.sum()
    differences = [(f.candidate or 0) - (f.live or 0) for f in found.categories.values()]
    assert found.difference == pytest.approx(np.mean(differences))


def test_the_bound_holds_the_difference_it_should_nineteen_times_in_twenty() -> None:
    """Over many frozen sets of two fixed models, the lower bound exceeds the true difference in about 5%."""
    big = frozen(40_000, seed=99)
    true = compare(big, scores(big, 0.35, 5), scores(big, 0.4, 5), CATEGORIES, NEEDED, resamples=1).difference
    above = 0
    for seed in range(100):
        answers = frozen(300, seed)
        live, candidate = scores(answers, 0.35, 1000 + seed), scores(answers, 0.4, 1000 + seed)
        above += compare(answers, live, candidate, CATEGORIES, NEEDED, resamples=200).lower_bound > true
    assert above <= 12


def test_it_is_seeded() -> None:
    answers = frozen()
    pair = scores(answers, 0.3), scores(answers, 0.35)
    first = compare(answers, *pair, CATEGORIES, NEEDED, seed=3)
    assert first == compare(answers, *pair, CATEGORIES, NEEDED, seed=3)
    assert first.lower_bound != compare(answers, *pair, CATEGORIES, NEEDED, seed=4).lower_bound


def test_a_category_without_enough_is_left_out_of_the_mean() -> None:
    answers = frozen()
    answers.truth[:, 1] = False
    answers.truth[:3, 1] = True
    found = compare(answers, scores(answers, 0.3), scores(answers, 0.4), CATEGORIES, NEEDED)
    assert found.categories["spam"].live is None
    assert found.categories["spam"].positives == 3
    assert found.difference == pytest.approx(
        (found.categories["toxicity"].candidate or 0) - (found.categories["toxicity"].live or 0)
    )


def test_too_little_says_what_there_is_and_what_is_needed() -> None:
    answers = frozen(10)
    figures = counts(answers, CATEGORIES)
    assert comparable(figures, NEEDED) == []
    with pytest.raises(ValueError, match="a category needs 8 positives and 8 negatives") as error:
        compare(answers, scores(answers, 0.3), scores(answers, 0.3), CATEGORIES, NEEDED)
    assert str(error.value) == too_little(figures, NEEDED)
    assert f"toxicity {figures['toxicity'].positives} and {figures['toxicity'].negatives}" in str(error.value)


def test_answers_that_were_not_asked_for_do_not_count() -> None:
    answers = frozen()
    live, candidate = scores(answers, 0.3), scores(answers, 0.4)
    answers.weight[200:] = 0
    half = Answers(answers.texts[:200], answers.truth[:200], answers.weight[:200])
    found = compare(answers, live, candidate, CATEGORIES, NEEDED)
    assert found.difference == pytest.approx(
        compare(half, live[:200], candidate[:200], CATEGORIES, NEEDED).difference
    )
