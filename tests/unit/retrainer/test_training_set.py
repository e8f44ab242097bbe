"""When to train and on what; the test split is never trained on."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.retrainer.core.training_set import (
    MAX_WEIGHT,
    divide,
    furthest,
    should_train,
    to_answers,
)
from services.scoring.normalise import normalise
from services.scoring.split import Split, certifies, split_of
from services.scoring.unseen import label_offsets
from tests.unit.retrainer.posts import TALK, label, make


def test_trains_after_as_many_labels_as_wanted_or_on_demand() -> None:
    assert not should_train(199, 200, demanded=False)
    assert should_train(200, 200, demanded=False)
    assert should_train(0, 200, demanded=True)


def test_offsets_come_from_a_lineage_and_never_go_back() -> None:
    assert label_offsets({}) == {}
    assert label_offsets({"label_offsets": {"0": 5, "3": 7}}) == {0: 5, 3: 7}
    assert furthest({0: 5, 1: 1}, {0: 3, 2: 9}) == {0: 5, 1: 1, 2: 9}


def test_every_text_is_on_its_side() -> None:
    sets = divide([label(text, i, spam=False) for i, text in enumerate(make(TALK, 500, 1))])
    assert all(split_of(found.text) is Split.POOL for found in sets.pool)
    assert all(split_of(found.text) is Split.AUDIT for found in sets.audit)
    assert all(split_of(found.text) is Split.TEST for found in sets.frozen)
    assert all(split_of(found.text) is Split.AUDIT for found in sets.certifying)
    assert {certifies(normalise(found.text)) for found in sets.audit} == {False}
    assert {certifies(normalise(found.text)) for found in sets.certifying} == {True}
    assert len(sets.pool) + len(sets.audit) + len(sets.certifying) + len(sets.frozen) == 500
    assert 60 < len(sets.frozen) < 140


@given(
    st.lists(st.sampled_from(["buy", "Buy", "BUY", "buy ", " b u y", "sell", "Sell", "SELL\n", "ｓｅｌｌ"]))
)
def test_no_spelling_of_a_frozen_text_is_trained_on(texts: list[str]) -> None:
    sets = divide([label(text, i, spam=True) for i, text in enumerate(texts)])
    trained = {normalise(found.text) for found in sets.pool}
    audit = {normalise(found.text) for found in sets.audit}
    frozen = {normalise(found.text) for found in sets.frozen}
    certifying = {normalise(found.text) for found in sets.certifying}
    assert not trained & frozen and not audit & frozen and not trained & audit
    assert not certifying & (trained | audit | frozen)
    assert frozen == {normalise(text) for text in texts if split_of(text) is Split.TEST}


def test_copies_count_once_by_their_latest_label() -> None:
    sets = divide([label("same text here", 0, spam=False), label("Same  text here", 1, 1, spam=True)])
    found = sets.pool + sets.audit + sets.certifying + sets.frozen
    assert [f.answers for f in found] == [{"spam": True}]


def test_the_order_of_arrival_does_not_matter() -> None:
    labels = [label(text, i, spam=bool(i % 2)) for i, text in enumerate(make(TALK, 50, 2))]
    shuffled = random.Random(0).sample(labels, len(labels))
    assert divide(labels) == divide(shuffled)


def test_a_text_of_nothing_is_left_out() -> None:
    assert divide([label(" \0 ", 0, spam=True)]) == divide([])


def test_answers_weigh_by_the_inverse_of_their_probability_up_to_a_limit() -> None:
    labels = [
        label("a", 0, spam=True),
        label("b", 1, probability=0.25, spam=False),
        label("c", 2, probability=0.001, toxicity=True),
    ]
    answers = to_answers(labels, ["toxicity", "spam"])
    np.testing.assert_array_equal(answers.weight, [[0, 1], [0, 4], [MAX_WEIGHT, 0]])
    np.testing.assert_array_equal(answers.truth, [[False, True], [False, False], [True, False]])
